"""The verbs on a thread: begin, close, reopen, assign. Who sees which, and what of it is new to them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from generation import comments
from generation.models import Document, Mention, Section, Seen, Thread, ThreadQuerySet
from memory import workspaces
from memory.base import paths
from memory.base.errors import Conflict, InvalidInput, LimitReached, NotFound
from memory.base.text import clean_text
from memory.models import Role, User, Workspace

OPEN, CLOSED, MINE, ALL = "open", "closed", "mine", "all"
STATES = (OPEN, MINE, CLOSED, ALL)
MOST_QUOTE = 1_000
MOST_THREADS = 1_000  # about a document
MOST_LOOKED_AT = 100

# Of each open thread of a document the section that it is about; NULL for the document itself.
SECTIONS_TALKED_OF = Thread.objects.filter(document=OuterRef("pk"), closed_at=None).order_by().values("section_id")


def visible(user: User, thread_id: UUID) -> Thread:
    """The thread, if this user may see it; `not_found.thread` otherwise, whether it exists or not."""
    thread = Thread.objects.whole().visible(user).filter(id=thread_id).first()
    if thread is None:
        raise NotFound("thread")
    return thread


def begin(
    about: Document | Section,
    text: str,
    by: User,
    *,
    field: str = "",
    quote: str = "",
    assignee: str = "",
    key: str | None = None,
) -> Thread:
    """A new thread with its first comment; the same key with the same text begins it once.

    `field`: a path in what it is about. `quote`: the words it speaks of, as they are read. `assignee`: the user name
    of a member. Raises `permission.role`, `validation.comment_empty`, `validation.comment_too_long`,
    `validation.path`, `validation.quote_too_long`, `validation.assignee`, `conflict.binned`, `conflict.comment_key`,
    `limit.threads`.
    """
    workspaces.require(by, about.home, Role.COMMENTER)
    text = comments.cleaned(text)
    section = about if isinstance(about, Section) else None
    thread = Thread(
        document_id=about.root_id,
        section=section,
        field=checked(about, field),
        quote=shortened(quote),
        version=about.version,
        user=by,
        assignee=member(about.home, assignee) if assignee else None,
    )
    with transaction.atomic():
        comments.lock(about.root_id, by)
        if known := comments.said_before(by, key, text):
            if (known.thread.document_id, known.thread.section_id) != (thread.document_id, thread.section_id):
                raise Conflict("comment_key")
            return visible(by, known.thread_id)
        if not Document.objects.filter(id=about.root_id, present=True).exists():
            raise Conflict("binned")
        if Thread.objects.filter(document=about.root_id).count() >= MOST_THREADS:
            raise LimitReached("threads", limit=MOST_THREADS)
        thread.save(force_insert=True)
        comments.say(thread, text, by, key)
    return visible(by, thread.id)


def checked(about: Document | Section, field: str) -> str:
    """Raises `validation.path` for what is no field of it."""
    if not field:
        return ""
    if paths.segments(field)[0] not in fields(about) or len(field) > 200:
        raise InvalidInput("path", path=field[:200])
    return field


def fields(about: Document | Section) -> list[str]:
    """What it has that can be spoken of."""
    own = [name for name in about.shape.fields.model_fields if name != "id"]
    return own if isinstance(about, Section) else ["title", *own]


def shortened(quote: str) -> str:
    """On one line. Raises `validation.quote_too_long`."""
    quote = " ".join(clean_text(quote).split())
    if len(quote) > MOST_QUOTE:
        raise InvalidInput("quote_too_long", limit=MOST_QUOTE)
    return quote


def member(workspace: Workspace, username: str) -> User:
    """Raises `validation.assignee` for who is no member of it."""
    found = User.objects.filter(workspaces=workspace, username=clean_text(username)).first()
    if found is None:
        raise InvalidInput("assignee", name=username[:150])
    return found


def close(thread: Thread, by: User) -> None:
    """Nothing more is to be said; what is closed already stays as it is. Raises `permission.role`."""
    admit(thread, by)
    settle(thread, closed_at=Now(), closed_by=by)


def reopen(thread: Thread, by: User) -> None:
    admit(thread, by)
    settle(thread, closed_at=None, closed_by=None)


@transaction.atomic
def settle(thread: Thread, closed_at: Any, closed_by: User | None) -> None:
    others = Thread.objects.filter(id=thread.id, closed_at__isnull=closed_at is not None)
    if others.update(closed_at=closed_at, closed_by=closed_by):
        comments.tell(thread, comments.concerned(thread))


@transaction.atomic
def assign(thread: Thread, to: User | None, by: User) -> None:
    """Ask a member to see to it, or nobody any more. Raises `permission.role`, `validation.assignee`."""
    admit(thread, by)
    if to is not None:
        member(thread.document.workspace, to.username)
    before = comments.concerned(thread)
    if thread.assignee_id == (to.pk if to else None):
        return
    thread.assignee = to
    Thread.objects.filter(id=thread.id).update(assignee=to)
    if to is not None:
        comments.move(thread, by)
    comments.tell(thread, before | comments.concerned(thread))


def admit(thread: Thread, by: User) -> None:
    workspaces.require(by, thread.document.workspace, needed(thread, by))


def needed(thread: Thread, user: User) -> Role:
    """The role in which this user may close, reopen or assign it: who began it, or is to see to it, needs less."""
    return Role.COMMENTER if user.pk in (thread.user_id, thread.assignee_id) else Role.EDITOR


# --- lists


def listing(user: User, document: Document, state: str = OPEN, section: UUID | None = None) -> ThreadQuerySet:
    """The threads of a document, or of one of its sections. Raises `validation.choice` for an unknown state."""
    if state not in STATES:
        raise InvalidInput("choice", field="state", allowed=list(STATES))
    found = (mine(user) if state == MINE else Thread.objects.visible(user)).filter(document=document)
    if section:
        found = found.filter(section=section)
    return found if state in (MINE, ALL) else found.filter(closed_at__isnull=state == OPEN)


def mine(user: User) -> ThreadQuerySet:
    """The open threads that name the user, or that they are to see to; in all their workspaces."""
    named: QuerySet[Any, Any] = Mention.objects.filter(user=user).values_list("comment__thread")
    # Two indexes, one after the other: with OR all threads of the house would be read.
    ids = named.union(Thread.objects.filter(assignee=user).values_list("id"))
    return Thread.objects.visible(user).filter(closed_at=None, id__in=ids)


def newest_first(found: ThreadQuerySet, cursor: UUID | None, most: int) -> tuple[list[Thread], UUID | None]:
    """A page of them, open ones before closed ones, and the cursor of the next page."""
    ordered: Any = found.alias(is_over=Case(When(closed_at=None, then=Value(0)), default=Value(1)))
    last = Thread.objects.filter(id=cursor).first() if cursor else None
    if last is not None:
        later = Q(is_over=int(not last.is_open), id__lt=last.id)
        ordered = ordered.filter(later | Q(is_over=1) if last.is_open else later)
    rows = list(ordered.order_by("is_over", F("id").desc())[: most + 1])
    return rows[:most], rows[most - 1].id if rows[most:] else None


def with_news(found: ThreadQuerySet, user: User) -> ThreadQuerySet:
    """Each knows whether it `is_new`: it concerns this user, and they have not looked at it since it moved."""
    looked = Seen.objects.filter(thread=OuterRef("pk"), user=user, at__gte=OuterRef("active_at"))
    named = Mention.objects.filter(comment__thread=OuterRef("pk"), user=user)
    is_theirs = Q(assignee=user) | Q(Exists(named))
    return found.annotate(
        is_new=Case(When(Q(closed_at=None) & is_theirs & ~Exists(looked), then=Value(True)), default=Value(False))
    )


def unread(user: User) -> int:
    """How many of theirs the user has not looked at since they moved."""
    looked = Seen.objects.filter(thread=OuterRef("pk"), user=user, at__gte=OuterRef("active_at"))
    return mine(user).exclude(Exists(looked)).count()


def look(user: User, ids: Iterable[UUID]) -> None:
    """The user has seen these as they are now; only what concerns them is kept."""
    wanted = list(ids)[:MOST_LOOKED_AT]
    comments.look(user, mine(user).filter(id__in=wanted).values_list("id", flat=True))
