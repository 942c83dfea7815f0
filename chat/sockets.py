"""The open sockets of this process: how many a user has, who watches which topic, who may stay."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare
from django.utils.timezone import now

from generation.events import LOST_CONNECTION
from memory import tokens
from memory.base.database import db
from memory.base.news import CHANGED, bell
from memory.base.vital import vital
from memory.models import User

log = structlog.get_logger()

MOST_PER_USER = 30
CHECK_SECONDS = 4.0
CLOSED_UNAUTHORISED = 4401


@dataclass(eq=False)
class Guest:
    """One socket of a user. `credential` is a session (from the handshake) or the secret of a token."""

    user: User
    send: Callable[[str], object]
    close: Callable[[int], object]
    session: Any = None
    secret: str = ""
    topics: set[str] = field(default_factory=set)


class Sockets:
    def __init__(self) -> None:
        self.guests: set[Guest] = set()
        self.watchers: defaultdict[str, set[Guest]] = defaultdict(set)
        self.checking: asyncio.Task[None] | None = None

    def open(self) -> None:
        bell.listen(CHANGED, self.on_changed)
        self.checking = vital(self.check_for_ever(), "check sockets")

    def close(self) -> None:
        bell.forget(CHANGED, self.on_changed)
        if self.checking:
            self.checking.cancel()

    def count_of(self, user: User) -> int:
        return sum(guest.user.pk == user.pk for guest in self.guests)

    def add(self, guest: Guest) -> None:
        self.guests.add(guest)

    def remove(self, guest: Guest) -> None:
        self.guests.discard(guest)
        self.watch(guest, ())

    def watch(self, guest: Guest, topics: Iterable[str]) -> None:
        """From now on the guest hears of these topics and of no others."""
        wanted = set(topics)
        for topic in guest.topics - wanted:
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

    async def check_for_ever(self) -> None:
        """Close the sockets of those who signed out, within CHECK_SECONDS."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            guests = list(self.guests)
            try:
                gone = await db(unwelcome, guests)
            except LOST_CONNECTION as error:
                log.warning("check_failed", error=str(error).strip())
                continue
            for guest in gone:
                guest.close(CLOSED_UNAUTHORISED)


def unwelcome(guests: list[Guest]) -> list[Guest]:
    """Those whose token was revoked or whose session ended, in three queries for all of them."""
    live = tokens.live(guest.secret for guest in guests if guest.secret)
    by_session = [guest for guest in guests if not guest.secret]
    keys = {guest.session.session_key for guest in by_session}
    stored = {row.session_key: row.get_decoded() for row in Session.objects.filter(pk__in=keys, expire_date__gt=now())}
    users = User.objects.filter(is_active=True).in_bulk({guest.user.pk for guest in by_session})
    stays = {guest for guest in by_session if session_stands(stored.get(guest.session.session_key), users, guest)}
    return [guest for guest in guests if guest not in stays and guest.secret not in live]


def session_stands(session: dict[str, Any] | None, users: dict[UUID, User], guest: Guest) -> bool:
    """Whether the stored session is still this user's: not signed out, password unchanged, account active."""
    user = users.get(guest.user.pk)
    if session is None or user is None or session.get(SESSION_KEY) != str(user.pk):
        return False
    return constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def changed_frame(topic: str, body: dict[str, Any]) -> str:
    fact = {"type": "changed", "topic": topic, "kind": body["kind"], "id": body["id"], "version": body["version"]}
    return orjson.dumps(fact).decode()


sockets = Sockets()
