"""The socket of a page: it authenticates, follows, starts and stops. It translates, and nothing more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from structlog.contextvars import bind_contextvars

from chat.frames import act, key_of, parse, send, since_of, start, uuid_of
from chat.sockets import CLOSED_UNAUTHORISED, MOST_PER_USER, sockets
from generation import pictures, runs
from generation.guests import Guest, audible, error_frame
from generation.hub import Following, hub
from generation.mailbox import Mailbox
from generation.models import Run
from memory.authentication import user_of_token
from memory.base import limits
from memory.base.database import db
from memory.base.errors import InvalidInput, LimitReached, NotFound, ScriptoriumError, SessionError, SignInNeeded
from memory.models import User

FIRST_FRAME_SECONDS = 5
MOST_TOPICS = 200
MOST_FOLLOWED = 100
CLOSED_LIMIT = 4429
WRITES = {"start", "send", "stop"}
READS = {"follow", "watch"}  # what else asks the database


class Socket(AsyncWebsocketConsumer):
    """`/ws/`. Every frame is a JSON object with a `type`; what cannot be done is answered by an `error` frame."""

    # Sockets are reached through the hub of their process, not by a channel of their own in Redis.
    channel_layer_alias: ClassVar[str] = "none"

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels would first look for old connections, in the one thread of all sockets: `db` sees to them itself."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        self.mailbox = Mailbox()
        self.following: dict[UUID, list[Following]] = {}
        self.behind: dict[UUID, int] = {}
        self.guest: Guest | None = None
        self.waiting: asyncio.TimerHandle | None = None
        self.sending = asyncio.create_task(self.send_for_ever())
        await self.accept()
        user = self.scope["user"]
        if self.has_right_origin() and user.is_authenticated:
            try:
                self.welcome(user, session=self.scope["session"])
            except LimitReached as error:
                await self.send(error_frame(error, user))
                await self.close(CLOSED_LIMIT)
        else:
            loop = asyncio.get_running_loop()
            self.waiting = loop.call_later(FIRST_FRAME_SECONDS, self.close_soon, CLOSED_UNAUTHORISED)

    def has_right_origin(self) -> bool:
        """Full origins only: a page of another site, or another port of ours, may not use the session."""
        origin = dict(self.scope["headers"]).get(b"origin", b"").decode("latin-1")
        parts = urlsplit(origin)
        return f"{parts.scheme}://{parts.netloc}" in settings.ALLOWED_ORIGINS

    def welcome(self, user: User, session: Any = None, secret: str = "") -> None:
        if sockets.count_of(user) >= MOST_PER_USER:
            raise LimitReached("sockets", limit=MOST_PER_USER)
        self.guest = guest = Guest(
            user,
            self.mailbox.put,
            lambda: self.close_soon(CLOSED_UNAUTHORISED),
            session,
            secret,
            runs=self.following.keys(),
            leave=self.leave,
            unwatch=lambda topic: sockets.watch(guest, set(guest.topics) - {topic}),
        )
        sockets.add(guest)
        bind_contextvars(user=str(user.pk))  # of this socket's task, for as long as it is open
        if self.waiting:
            self.waiting.cancel()

    async def disconnect(self, code: int) -> None:
        if self.waiting:
            self.waiting.cancel()
        if self.guest:
            sockets.remove(self.guest)
        for run_id in list(self.following):
            self.leave(run_id)
        self.sending.cancel()

    def close_soon(self, code: int) -> None:
        self.closing = asyncio.ensure_future(self.close(code))

    @property
    def user(self) -> User | None:
        return self.guest.user if self.guest else None

    # --- out

    async def send_for_ever(self) -> None:
        while True:
            frame = await self.mailbox.take()
            if frame is None:
                await self.tell_behind()
            else:
                await self.send(frame)

    async def tell_behind(self) -> None:
        """Too much was not taken: the reader is told to read on by itself, and follows again when it likes.

        What was thrown away may have been of any run it follows.
        """
        for run_id, following in self.following.items():
            self.behind[run_id] = max(one.position for one in following)
        for run_id in list(self.following):
            self.leave(run_id)
        behind, self.behind = self.behind, {}
        self.mailbox.overflowed = False
        for run_id, upto in behind.items():
            await self.send(error_frame(SessionError("behind", run=str(run_id), upto=upto), self.user))

    def sender(self, run_id: UUID, tree: bool) -> Callable[[str], bool]:
        def put(frame: str) -> bool:
            if tree and '"children":' in frame:
                self.adding = asyncio.ensure_future(self.follow_children(run_id))
            if self.mailbox.put(frame):
                return True
            self.behind[run_id] = max((one.position for one in self.following.pop(run_id, [])), default=0)
            return False

        return put

    # --- in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.mailbox.alive()
        frame: dict[str, Any] = {}
        try:
            frame = parse(text_data)
            await self.act(frame)
        except ScriptoriumError as error:
            told = error_frame(error, self.user, frame.get("key"), frame.get("run"))
            if self.guest is None:
                await self.send(told)
                await self.close(CLOSED_LIMIT if isinstance(error, LimitReached) else CLOSED_UNAUTHORISED)
            else:
                self.mailbox.put(told)

    async def act(self, frame: dict[str, Any]) -> None:
        if self.guest is None:
            await self.authenticate(frame)
            return
        handlers: dict[str, Callable[[dict[str, Any], User], Awaitable[None]]] = {
            "follow": self.on_follow,
            "unfollow": self.on_unfollow,
            "watch": self.on_watch,
            "start": self.on_start,
            "send": self.on_send,
            "stop": self.on_stop,
            "ping": self.on_ping,
        }
        handler = handlers.get(str(frame.get("type")))
        if handler is None:
            raise InvalidInput("frame_type", type=str(frame.get("type"))[:50], allowed=sorted(handlers))
        if frame["type"] in WRITES:
            await db(check_may_write, self.guest, address_of(self.scope))
        elif frame["type"] in READS:
            await db(check_may_read, self.guest, address_of(self.scope))
        await handler(frame, self.guest.user)

    async def authenticate(self, frame: dict[str, Any]) -> None:
        """The first frame of a program: `{"type": "token", "token": …}`."""
        if frame.get("type") != "token" or not isinstance(frame.get("token"), str):
            raise SignInNeeded("needed")
        user = await db(user_of_token, frame["token"], "read")
        self.welcome(user, secret=frame["token"])
        self.answer("accepted")

    async def on_follow(self, frame: dict[str, Any], user: User) -> None:
        run_id, since = uuid_of(frame, "run"), since_of(frame)
        if len(self.following) >= MOST_FOLLOWED:
            raise LimitReached("followed", limit=MOST_FOLLOWED)
        await db(pictures.check_visible, user, run_id)
        self.follow(run_id, since, bool(frame.get("html")), bool(frame.get("tree")))
        if frame.get("tree"):
            await self.follow_children(run_id)

    def follow(self, run_id: UUID, since: int, html: bool, tree: bool) -> None:
        self.leave(run_id)
        self.following[run_id] = [hub.follow(run_id, since, self.sender(run_id, tree), wants_html=html)]

    async def follow_children(self, run_id: UUID) -> None:
        if self.guest is None:
            return
        html = any(one.wants_html for one in self.following.get(run_id, []))
        for child in await db(visible_children, self.guest.user, run_id):
            if child not in self.following:
                self.follow(child, 0, html, tree=True)

    def leave(self, run_id: UUID) -> None:
        for following in self.following.pop(run_id, []):
            hub.leave(following)

    async def on_unfollow(self, frame: dict[str, Any], user: User) -> None:
        self.leave(uuid_of(frame, "run"))

    async def on_watch(self, frame: dict[str, Any], user: User) -> None:
        topics = frame.get("topics")
        if not isinstance(topics, list) or len(topics) > MOST_TOPICS or not all(isinstance(one, str) for one in topics):
            raise InvalidInput("topics", limit=MOST_TOPICS)
        await db(check_topics, user, topics)
        if self.guest:
            sockets.watch(self.guest, topics)
        self.answer("accepted", topics=topics)

    async def on_start(self, frame: dict[str, Any], user: User) -> None:
        key = key_of(frame)
        run = await db(act if frame.get("document") else start, user, frame, key)
        self.answer("accepted", key=key, run=str(run.id))

    async def on_send(self, frame: dict[str, Any], user: User) -> None:
        key = key_of(frame)
        turn = await db(send, user, frame, key)
        ids = {"session": turn.session.id, "message": turn.message.id, "reply": turn.reply.id, "run": turn.run.id}
        self.answer("accepted", key=key, **{name: str(each) for name, each in ids.items()})

    async def on_stop(self, frame: dict[str, Any], user: User) -> None:
        run = await db(pictures.visible, user, uuid_of(frame, "run"))
        await db(runs.cancel, run, user)
        self.answer("accepted", run=str(run.id))

    async def on_ping(self, frame: dict[str, Any], user: User) -> None:
        self.answer("pong")

    def answer(self, type: str, **facts: Any) -> None:
        self.mailbox.put(orjson.dumps({"type": type, **facts}).decode())


def address_of(scope: Mapping[str, Any]) -> str:
    """The client's address, as for a request."""
    forwarded = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    peer = scope.get("client") or [""]  # a Unix socket has none
    return limits.forwarded_for(forwarded.decode("latin-1"), peer[0])


def check_may_write(guest: Guest, address: str) -> None:
    """What writes is counted as over HTTP, and needs the scope `write` of a token."""
    if refusal := limits.refusal_of(guest.user.pk, address, is_read=False):
        raise refusal
    if guest.secret:
        user_of_token(guest.secret, "write")


def check_may_read(guest: Guest, address: str) -> None:
    """What asks the database is counted as over HTTP."""
    if refusal := limits.refusal_of(guest.user.pk, address, is_read=True):
        raise refusal


def visible_children(user: User, run_id: UUID) -> list[UUID]:
    return list(Run.objects.visible(user).filter(parent_id=run_id).values_list("id", flat=True))


def check_topics(user: User, topics: list[str]) -> None:
    """Every topic must be the user's to hear."""
    heard = audible(user, topics)
    for topic in topics:
        if topic not in heard:
            raise NotFound("topic", topic=topic[:100])
