"""Who is open to this process, by socket or stream, and whether they may still hear what they hear.

A right is asked for when something is followed, and again every CHECK_SECONDS for as long as it is.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.timezone import now

from generation.events import LOST_CONNECTION
from generation.models import Document, Run
from memory import tokens
from memory.answers import body
from memory.base.database import db
from memory.base.errors import NotFound, ScriptoriumError
from memory.base.vital import vital
from memory.models import User, Workspace

log = structlog.get_logger()

CHECK_SECONDS = 4.0
HEARD: dict[str, Any] = {"workspace": Workspace, "document": Document, "run": Run}


@dataclass(eq=False)
class Guest:
    """One open socket or stream of a user, let in by a session or by the secret of a token.

    `runs` and `topics` are what it hears now. `turn_out` ends it; `leave` and `unwatch` end the hearing of one of them.
    """

    user: User
    send: Callable[[str], object]
    turn_out: Callable[[], object]
    session: Any = None
    secret: str = ""
    runs: Collection[UUID] = ()
    topics: Collection[str] = ()
    leave: Callable[[UUID], object] = lambda run: None
    unwatch: Callable[[str], object] = lambda topic: None

    def hears(self) -> set[str]:
        """All of it as topics."""
        return {*self.topics, *(f"run.{run}" for run in self.runs)}

    def keep_to(self, heard: set[str]) -> None:
        """Hear no more of what is not among these, and be told so."""
        for run in [run for run in self.runs if f"run.{run}" not in heard]:
            self.leave(run)
            self.send(error_frame(NotFound("run"), self.user, run=str(run)))
        for topic in [topic for topic in self.topics if topic not in heard]:
            self.unwatch(topic)
            self.send(error_frame(NotFound("topic", topic=topic), self.user))


class Guests:
    def __init__(self) -> None:
        self.all: set[Guest] = set()
        self.checking: asyncio.Task[None] | None = None

    def open(self) -> None:
        self.checking = vital(self.check_for_ever(), "check guests")

    def close(self) -> None:
        if self.checking:
            self.checking.cancel()

    def add(self, guest: Guest) -> None:
        self.all.add(guest)

    def remove(self, guest: Guest) -> None:
        self.all.discard(guest)

    async def check_for_ever(self) -> None:
        """Turn out who signed out, and let nobody hear what they no longer see, within CHECK_SECONDS."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self.check()
            except LOST_CONNECTION as error:
                log.warning("check_failed", error=str(error).strip())

    async def check(self) -> None:
        asked = {guest: guest.hears() for guest in self.all}
        gone, audible = await db(examine, asked)
        for guest in gone & self.all:
            guest.turn_out()
        for guest in (asked.keys() & self.all) - gone:
            # What it began to hear meanwhile was looked at then.
            guest.keep_to(audible[guest.user.pk] | (guest.hears() - asked[guest]))


def examine(asked: dict[Guest, set[str]]) -> tuple[set[Guest], dict[UUID, set[str]]]:
    """Who may not stay, and of what the others hear, what each user may: three queries for all and three a user."""
    hears: dict[UUID, set[str]] = {}
    users = {guest.user.pk: guest.user for guest in asked}
    for guest, topics in asked.items():
        hears.setdefault(guest.user.pk, set()).update(topics)
    return unwelcome(list(asked)), {user: audible(users[user], topics) for user, topics in hears.items()}


def unwelcome(guests: list[Guest]) -> set[Guest]:
    """Those whose token was revoked or whose session ended, in three queries for all of them."""
    live = tokens.live(guest.secret for guest in guests if guest.secret)
    by_session = [guest for guest in guests if not guest.secret]
    keys = {guest.session.session_key for guest in by_session}
    stored = {row.session_key: row.get_decoded() for row in Session.objects.filter(pk__in=keys, expire_date__gt=now())}
    users = User.objects.filter(is_active=True).in_bulk({guest.user.pk for guest in by_session})
    stays = {guest for guest in by_session if session_stands(stored.get(guest.session.session_key), users, guest)}
    return {guest for guest in guests if guest not in stays and guest.secret not in live}


def session_stands(session: dict[str, Any] | None, users: dict[UUID, User], guest: Guest) -> bool:
    """Whether the stored session is still this user's: not signed out, password unchanged, account active."""
    user = users.get(guest.user.pk)
    if session is None or user is None or session.get(SESSION_KEY) != str(user.pk):
        return False
    return constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def audible(user: User, topics: Iterable[str]) -> set[str]:
    """Those that are the user's to hear: their own, a workspace's they are in, a document's or run's they see."""
    named = {topic: parts_of(topic) for topic in topics}
    seen = {"user": {user.pk}}
    for kind, model in HEARD.items():
        ids = {key for of_kind, key in named.values() if of_kind == kind and key}
        seen[kind] = set(model.objects.visible(user).filter(id__in=ids).values_list("id", flat=True)) if ids else set()
    return {topic for topic, (kind, key) in named.items() if key in seen.get(kind, ())}


def parts_of(topic: str) -> tuple[str, UUID | None]:
    kind, _, name = topic.partition(".")
    try:
        return kind, UUID(name)
    except ValueError:
        return kind, None


def error_frame(error: ScriptoriumError, reader: User | None, key: Any = None, run: Any = None) -> str:
    """The error as a frame in the reader's language."""
    about = {name: value for name, value in (("key", key), ("run", run)) if isinstance(value, str)}
    with translation.override(reader.language if reader else settings.LANGUAGE_CODE):
        return orjson.dumps({"type": "error", **about, **body(error)}, default=str).decode()


guests = Guests()
