"""The tree of what was said: the branch that shows, what stands beside it, and the verbs that go another way."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection, transaction

from chat import sessions
from chat.models import Message, Session
from memory.base.errors import NotFound
from memory.base.ids import new_id
from memory.models import User

MOST_COPIED = 10_000
COPIED = ("speaker", "agent", "state", "parts", "seen", "usage", "error", "files", "run_id", "step", "form", "call_id")

# Upward from one message, so many: the end of a branch is read without its beginning.
UPWARD = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, 1 AS n FROM chat_message WHERE id = %(leaf)s
    UNION ALL
    SELECT m.id, m.parent_id, up.n + 1 FROM up JOIN chat_message m ON m.id = up.parent_id WHERE up.n < %(most)s
)
SELECT id FROM up
"""
# Downward, always to the newest: where one was when this branch was last left.
DOWNWARD = """
WITH RECURSIVE down AS (
    SELECT %(begin)s::uuid AS id, 1 AS n
    UNION ALL
    SELECT newest.id, down.n + 1 FROM down CROSS JOIN LATERAL (
        SELECT id FROM chat_message m WHERE m.parent_id = down.id ORDER BY m.id DESC LIMIT 1
    ) newest
)
SELECT id FROM down ORDER BY n DESC LIMIT 1
"""


def visible(user: User, message_id: UUID) -> Message:
    """The message, if it is of a conversation of this user; `not_found.message` otherwise."""
    found = Message.objects.visible(user).select_related(
        "session__workspace", "session__user", "parent", "run", "call__workspace"
    )
    message = found.filter(id=message_id).first()
    if message is None:
        raise NotFound("message")
    return message


def within(session: Session, message_id: UUID) -> Message:
    message = Message.objects.filter(session=session, id=message_id).first()
    if message is None:
        raise NotFound("message")
    return message


def branch(leaf: UUID | None, most: int) -> list[Message]:
    """The last messages of the branch that ends here, in the order in which they were said."""
    ids = upward(leaf, most)
    found = Message.objects.defer("folded").in_bulk(ids)
    return [found[message_id] for message_id in reversed(ids)]


def upward(leaf: UUID | None, most: int) -> list[UUID]:
    """The ids of this branch from its end, so many."""
    if leaf is None:
        return []
    with connection.cursor() as sql:
        sql.execute(UPWARD, {"leaf": leaf, "most": most})
        return [message_id for (message_id,) in sql.fetchall()]


def end_below(message: Message) -> Message:
    """Where the branch through this message ends, taking the newest at each fork."""
    with connection.cursor() as sql:
        sql.execute(DOWNWARD, {"begin": message.id})
        return Message.objects.get(id=sql.fetchone()[0])


def end_beside(session: Session, gone: Message) -> Message | None:
    """What shows where a message ended that stands there no more, or one beside it did: the end of the branch through
    the newest in its place, else what it followed."""
    newest = Message.objects.filter(session=session, parent=gone.parent_id, speaker=gone.speaker).order_by("-id")
    beside = newest.first() or gone.parent
    return end_below(beside) if beside else None


def siblings(shown: Sequence[Message]) -> dict[UUID, list[UUID]]:
    """For each of these messages, which stand in its place, itself among them, oldest first."""
    if not shown:
        return {}
    beside = Message.objects.filter(session_id=shown[0].session_id)
    parents = {message.parent_id for message in shown}
    found = beside.filter(parent__in=parents - {None})
    if None in parents:
        found = found | beside.filter(parent=None)
    grouped: defaultdict[UUID | None, list[Message]] = defaultdict(list)
    for message in found.only("id", "parent_id", "speaker", "run_id").order_by("id"):
        grouped[message.parent_id].append(message)
    return {message.id: [each.id for each in grouped[message.parent_id]] for message in shown}


@transaction.atomic
def show(message: Message) -> Session:
    """The branch through this message shows from now on, to where it was last left."""
    session = sessions.lock(message.session)
    session.leaf = end_below(message)
    session.save(update_fields=["leaf"])
    sessions.tell(session)
    return session


@transaction.atomic
def fork(old: Session, last: Message | None = None) -> Session:
    """A new conversation that begins with copies of all that led to this message, and is about the same; without one,
    of the branch that shows.

    What is still being written is left behind. The new one goes its own way.
    """
    old = sessions.lock(old)
    new = sessions.begin(old.user, old.workspace, old.agent)
    new.forked_from, new.is_named = old, old.is_named
    new.give_title(old.title)
    new.save(update_fields=["forked_from", "title", "folded_title", "is_named"])
    leaf = copy(finished(branch(last.id if last else old.leaf_id, MOST_COPIED)), new)
    for document in sessions.about(old):
        sessions.link(new, document)
    sessions.go_on(new, leaf)
    return new


def finished(said: Iterable[Message]) -> list[Message]:
    """Up to the first that is not."""
    kept: list[Message] = []
    for message in said:
        if message.is_open:
            return kept[:-1]  # nor the question that it answers
        kept.append(message)
    return kept


def copy(said: Sequence[Message], session: Session) -> Message | None:
    """The messages once more, one after the other, in this conversation; the last of them."""
    copies: list[Message] = []
    for message in said:
        parent = copies[-1] if copies else None
        own = {name: getattr(message, name) for name in COPIED}
        copies.append(Message(id=new_id(), session=session, parent=parent, **own))
        copies[-1].say(message.text)
    Message.objects.bulk_create(copies)
    return copies[-1] if copies else None
