"""The verbs of a turn: say something, say it otherwise, have it answered anew, withdraw what waits for its answer.

Message, answer, run and its first event are one transaction; the web process takes the run up at once. Turns of one
conversation are answered one after another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from chat import messages, sessions
from chat.answering import ANSWER
from chat.models import Message, MessageState, Session, Speaker
from generation import documents, endings, runs
from generation.claims import lock
from generation.models import OPEN_STATES, Document, Run, RunState
from generation.recipes.base import Recipe
from generation.sections import visible as visible_section
from memory import workspaces
from memory.base.errors import Conflict, InvalidInput, LimitReached, NotFound, SessionError
from memory.base.language import language_of
from memory.base.text import SURROGATE, clean_text, excerpt
from memory.history import digest
from memory.models import Role, User, Workspace

TITLE_LENGTH = 60
Answer = Callable[[Session, Message, "Asked"], "Turn"]


@dataclass(frozen=True)
class Words:
    """What somebody says, with files and what it is about: `context` are the ids of documents or sections, by kind."""

    text: str
    files: Sequence[UUID] = ()
    context: Sequence[tuple[str, UUID]] = ()
    agent: str = ""

    def cleaned(self) -> "Words":
        """Raises `validation.characters`, `validation.message_empty`, `validation.message_too_long`."""
        if "\x00" in self.text or SURROGATE.search(self.text):
            raise InvalidInput("characters")
        text = clean_text(self.text.replace("\r\n", "\n")).strip()
        if not text:
            raise InvalidInput("message_empty")
        if len(text) > settings.MESSAGE_MAX_CHARACTERS:
            raise InvalidInput("message_too_long", limit=settings.MESSAGE_MAX_CHARACTERS, length=len(text))
        return replace(self, text=text)

    def as_data(self) -> list[Any]:
        return [self.text, self.agent, list(map(str, self.files)), [(kind, str(which)) for kind, which in self.context]]


@dataclass(frozen=True)
class Asked:
    """The key under which something is asked, and one short word for all that is asked: it has to be the same again."""

    key: str | None
    fingerprint: str


@dataclass(frozen=True)
class Turn:
    """`is_new` is false when this was said before, under the same key."""

    session: Session
    message: Message
    reply: Message
    run: Run
    is_new: bool = field(default=True)


def take(
    user: User,
    words: Words,
    *,
    session: Session | None = None,
    workspace: Workspace | None = None,
    after: UUID | None = None,
    key: str | None = None,
    answered_by: Answer | None = None,
) -> Turn:
    """Something is said, in this conversation or a new one, and will be answered.

    `after`: the message it follows; without it, the end of the branch that shows. `answered_by` begins the answer where
    it is not one agent's. The same key gives the same turn.
    Raises the errors of `Words.cleaned`, `not_found.message`, `.document`, `.file`, `.agent`, `.workspace`,
    `limit.turns_open`, `limit.links`, `conflict.key_reused`.
    """
    words = words.cleaned()
    by = answered_by or answer

    def make(asked: Asked) -> Turn:
        found, message = say(user, words, session, workspace, after)
        return by(found, message, asked)

    where = [session and session.id, workspace and workspace.id, after]
    return once(user, key, ["say", by.__name__, words.as_data(), *where], make)


def once(user: User, key: str | None, what: Sequence[Any], make: Callable[[Asked], Turn]) -> Turn:
    """What `make` begins in one transaction, or what was begun under this key before. `what`: all that is asked.

    Raises `conflict.key_reused` when that was something else.
    """
    key = clean_text(key)[:200] if key else None
    asked = Asked(key, digest([str(each) for each in what]))
    try:
        with transaction.atomic():
            known = said_before(user, key) if key else None
            if known is None:
                return make(asked)
    except IntegrityError:  # somebody was quicker with this key
        known = said_before(user, key) if key else None
        if known is None:
            raise
    if known.run.fingerprint != asked.fingerprint:
        raise Conflict("key_reused", run=str(known.run.id))
    return known


def said_before(user: User, key: str) -> Turn | None:
    run = Run.objects.filter(user=user, key=key).first()
    if run is None:
        return None
    replies = Message.objects.filter(run=run, session=run.line).select_related("session", "parent")
    reply = replies.order_by("id").first()
    if reply is None or reply.parent is None:
        raise Conflict("key_reused", run=str(run.id))
    return Turn(reply.session, reply.parent, reply, run, is_new=False)


def say(
    user: User, words: Words, session: Session | None, workspace: Workspace | None, after: UUID | None
) -> tuple[Session, Message]:
    check_open_turns(user)
    if session is None:
        if workspace is None:
            raise NotFound("workspace")
        session = sessions.begin(user, workspace, words.agent)
    else:
        session = sessions.lock(session)
        workspaces.require(user, session.workspace, Role.VIEWER)
    if words.agent:
        session.agent = sessions.speaker(words.agent)
    for document in named(user, words.context):
        sessions.link(session, document)
    parent = messages.within(session, after).id if after else session.leaf_id
    if not session.title:
        session.give_title(excerpt(words.text, TITLE_LENGTH))
    message = Message(
        session=session,
        parent_id=parent,
        speaker=Speaker.USER,
        files=[str(file) for file in words.files],
    )
    message.say(words.text)
    message.save(force_insert=True)
    return session, message


def check_open_turns(user: User) -> None:
    """Raise `limit.turns_open` at the cap."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [str(user.pk)])
    count = Run.objects.filter(user=user, line__isnull=False, claim__state__in=OPEN_STATES).count()
    if count >= settings.TURNS_OPEN_PER_USER:
        raise LimitReached("turns_open", retry_after=10, limit=settings.TURNS_OPEN_PER_USER, open=count)


def named(user: User, context: Sequence[tuple[str, UUID]]) -> list[Document]:
    """Raises `not_found.document`, `not_found.section`, `validation.choice`."""
    found: list[Document] = []
    for kind, object_id in context:
        if kind not in ("document", "section"):
            raise InvalidInput("choice", field="kind", allowed=["document", "section"])
        is_section = kind == "section"
        found.append(visible_section(user, object_id).document if is_section else documents.visible(user, object_id))
    return found


def answer(session: Session, message: Message, asked: Asked, agent: str = "") -> Turn:
    """A new answer to this message, which then shows. In the caller's transaction."""
    reply = Message(session=session, parent=message, speaker=Speaker.AGENT, agent=agent or session.agent)
    return begin(ANSWER, session, message, [reply], asked)


def begin(recipe: Recipe, session: Session, message: Message, replies: Sequence[Message], asked: Asked) -> Turn:
    """One run that makes these answers to the message; the first of them shows. In the caller's transaction."""
    run = runs.begin(
        recipe,
        user=session.user,
        workspace=session.workspace,
        options={},
        line=session.id,
        files=[UUID(file) for file in message.files],
        language=language_of(message.text, session.user.language),
        key=asked.key,
        fingerprint=asked.fingerprint,
    )
    for reply in replies:
        reply.run, reply.state = run, MessageState.WRITING
    Message.objects.bulk_create(replies)
    sessions.go_on(session, replies[0])
    return Turn(session, message, replies[0], run)


def edit(message: Message, words: Words, key: str | None = None) -> Turn:
    """The same question in other words: a sibling, with an answer of its own. What was said stays beside it.

    Raises `session.not_yours` for what an agent said, and what `take` raises.
    """
    words = words.cleaned()
    if message.speaker != Speaker.USER:
        raise SessionError("not_yours")

    def make(asked: Asked) -> Turn:
        check_open_turns(message.session.user)
        session = sessions.lock(message.session)
        files = [str(file) for file in words.files] or message.files
        other = Message(session=session, parent_id=message.parent_id, speaker=Speaker.USER, files=files)
        other.say(words.text)
        other.save(force_insert=True)
        return answer(session, other, asked)

    return once(message.session.user, key, ["edit", message.id, words.as_data()], make)


def regenerate(message: Message, key: str | None = None, agent: str = "") -> Turn:
    """Another answer to the same question, beside this one. `message`: the answer, or the question itself.

    Raises `not_found.agent`, `limit.turns_open`, `conflict.key_reused`.
    """
    question = message if message.speaker == Speaker.USER else message.parent
    if question is None:
        raise SessionError("not_yours")
    chosen = sessions.speaker(agent) if agent else ""

    def make(asked: Asked) -> Turn:
        check_open_turns(message.session.user)
        return answer(sessions.lock(message.session), question, asked, chosen)

    return once(message.session.user, key, ["answer", question.id, chosen], make)


@transaction.atomic
def withdraw(message: Message) -> Message | None:
    """Take back what nobody has begun to answer: the question, whose text is the caller's to offer again; or, where it
    has other answers, only the wish for one more, and then nothing.

    Raises `session.being_answered` when it is too late for that, `not_found.message` when somebody else did it.
    """
    session = sessions.lock(message.session)
    message = messages.within(session, message.id)
    reply = message if message.speaker == Speaker.AGENT else message.replies.order_by("-id").first()
    if reply is None or reply.run is None or reply.parent is None:
        raise SessionError("being_answered")
    claim = lock(reply.run.id)
    if claim.state != RunState.WAITING:
        raise SessionError("being_answered")
    question, run = reply.parent, reply.run
    endings.end_unclaimed(run, claim, RunState.CANCELLED)
    withdrawn = Message.objects.filter(run=run, session=session, parent=question)
    others = Message.objects.filter(parent=question).exclude(run=run)
    stays = others.order_by("-id").first()
    # What was said after it now follows what stood there before.
    Message.objects.filter(parent__in=withdrawn).update(parent=stays or question.parent)
    shows = session.leaf if session.leaf and not withdrawn.filter(id=session.leaf.id).exists() else None
    withdrawn.delete()
    if stays is None:
        question.delete()
    sessions.go_on(session, shows or messages.end_beside(session, stays or question))
    return question if stays is None else None


def stop(message: Message, by: User) -> None:
    """What has been said stays."""
    if message.run is not None:
        runs.cancel(message.run, by)
