"""The open sockets of this process: how many a user has, who watches which topic, who may stay."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

from generation.events import LOST_CONNECTION
from memory import tokens
from memory.base.database import db
from memory.base.errors import SignInNeeded
from memory.base.news import CHANGED, bell
from memory.models import User

log = structlog.get_logger()

SessionStore: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")

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

    def may_stay(self) -> bool:
        """Whether the session or token that opened the socket still stands. Reads the database."""
        if self.secret:
            try:
                return tokens.authenticate(self.secret).user_id == self.user.pk
            except SignInNeeded:
                return False
        return session_stands(self.session, self.user.pk)


def session_stands(session: Any, user_id: UUID) -> bool:
    """Whether the stored session is still this user's: not signed out, password unchanged, account active."""
    stored = SessionStore(session.session_key)
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or stored.get(SESSION_KEY) != str(user_id):
        return False
    return constant_time_compare(stored.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


class Sockets:
    def __init__(self) -> None:
        self.guests: set[Guest] = set()
        self.watchers: defaultdict[str, set[Guest]] = defaultdict(set)
        self.checking: asyncio.Task[None] | None = None

    def open(self) -> None:
        bell.listen(CHANGED, self.on_changed)
        self.checking = asyncio.create_task(self.check_for_ever())

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
    return [guest for guest in guests if not guest.may_stay()]


def changed_frame(topic: str, body: dict[str, Any]) -> str:
    fact = {"type": "changed", "topic": topic, "kind": body["kind"], "id": body["id"], "version": body["version"]}
    return orjson.dumps(fact).decode()


sockets = Sockets()
