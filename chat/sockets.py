"""The open sockets of this process: how many a user has, who watches which topic."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from generation.guests import Guest, guests
from memory.base.news import CHANGED, bell
from memory.models import User

MOST_PER_USER = 30
CLOSED_UNAUTHORISED = 4401


class Sockets:
    def __init__(self) -> None:
        self.guests: set[Guest] = set()
        self.watchers: defaultdict[str, set[Guest]] = defaultdict(set)

    def open(self) -> None:
        bell.listen(CHANGED, self.on_changed)

    def close(self) -> None:
        bell.forget(CHANGED, self.on_changed)

    def count_of(self, user: User) -> int:
        return sum(guest.user.pk == user.pk for guest in self.guests)

    def add(self, guest: Guest) -> None:
        self.guests.add(guest)
        guests.add(guest)

    def remove(self, guest: Guest) -> None:
        self.guests.discard(guest)
        guests.remove(guest)
        self.watch(guest, ())

    def watch(self, guest: Guest, topics: Iterable[str]) -> None:
        """From now on the guest hears of these topics and of no others."""
        wanted = set(topics)
        for topic in set(guest.topics) - wanted:
            self.watchers[topic].discard(guest)
            if not self.watchers[topic]:
                del self.watchers[topic]
        for topic in wanted:
            self.watchers[topic].add(guest)
        guest.topics = wanted

    def on_changed(self, body: dict[str, Any]) -> None:
        for topic in body["topics"]:
            for guest in self.watchers.get(topic, ()):
                guest.send(changed_frame(topic, body))


def changed_frame(topic: str, body: dict[str, Any]) -> str:
    fact = {"type": "changed", "topic": topic, "kind": body["kind"], "id": body["id"], "version": body["version"]}
    return orjson.dumps(fact).decode()


sockets = Sockets()
