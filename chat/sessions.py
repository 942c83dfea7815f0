"""The verbs on a conversation: begin, name, archive, delete, share, say what it is about. Who sees it, and lists."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now

from chat.models import Link, Message, MessageState, Session, SessionQuerySet, SessionState
from chat.speakers import SLOTS
from generation import agents, documents, endings
from generation.claims import after_commit
from generation.models import OPEN_STATES, Call, Document, DocumentQuerySet, Run, RunQuerySet
from memory import workspaces
from memory.base.errors import InvalidInput, LimitReached, NotFound
from memory.base.folding import fold
from memory.base.ids import new_id
from memory.base.news import changed
from memory.base.text import clean_text
from memory.models import Role, User, Workspace

MOST_WORDS = 8  # of a search
MOST_LINKS = 20
BURIED_AT_ONCE = 100


MOST_INSIDE = 100  # documents that belong to those a conversation is about


def visible(user: User, session_id: UUID) -> Session:
    """The conversation, if it is this user's; `not_found.session` otherwise, whether it exists or not."""
    found = Session.objects.visible(user).select_related("workspace", "user").filter(id=session_id).first()
    if found is None:
        raise NotFound("session")
    return found


def shared(reader: User, secret: UUID) -> Session:
    """The conversation behind this link, for members of its workspace; `not_found.session` for everybody else."""
    held = Session.objects.filter(secret=secret, workspace__members=reader).exclude(state=SessionState.DELETED)
    found = held.select_related("workspace", "user").first()
    if found is None:
        raise NotFound("session")
    return found


def lock(session: Session) -> Session:
    """As it stands now; until the end of the transaction nobody else says anything in it."""
    found = Session.objects.select_for_update(of=("self",), no_key=True).select_related("workspace", "user")
    if (held := found.filter(id=session.id).exclude(state=SessionState.DELETED).first()) is None:
        raise NotFound("session")
    return held


def tell(session: Session) -> None:
    """Pages of its owner look at it again."""
    after_commit(lambda: changed("session", session.id, 0, [f"user.{session.user_id}"]))


# --- begin, go on, end


@transaction.atomic(savepoint=False)
def begin(user: User, workspace: Workspace, agent: str = "", title: str = "") -> Session:
    """Raises `not_found.workspace`, `not_found.agent`, `validation.title_too_long`."""
    workspaces.require(user, workspace, Role.VIEWER)
    session = Session(user=user, workspace=workspace, agent=speaker(agent or agents.ASSISTANT))
    if title := one_line(title):
        name(session, title)
    session.save(force_insert=True)
    tell(session)
    return session


def go_on(session: Session, leaf: Message | None) -> None:
    """It ends with this message now, is the latest, and awake, whatever it was before."""
    session.leaf, session.place, session.active_at, session.state = leaf, new_id(), now(), SessionState.ACTIVE
    session.save(update_fields=["leaf", "place", "active_at", "state", "title", "folded_title", "agent"])
    tell(session)


def rest_quiet() -> bool:
    """Whoever has been quiet for SESSION_IDLE_SECONDS is dormant; whether there may be more of them."""
    quiet = now() - timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    found = Session.objects.filter(state=SessionState.ACTIVE, active_at__lt=quiet)
    answering = Message.objects.filter(session=OuterRef("pk"), state=MessageState.WRITING)
    resting = list(found.exclude(Exists(answering))[: settings.SESSION_REST_AT_ONCE])
    ids = [session.id for session in resting]
    found.filter(id__in=ids).update(state=SessionState.DORMANT)
    for session in resting:
        tell(session)
    return len(resting) == settings.SESSION_REST_AT_ONCE


@transaction.atomic
def delete(session: Session) -> None:
    """For good, with all that was said; what is being answered stops. What was paid stays on the bill, without a word.

    From now on it is nobody's to see; its rows go when its last run has ended (`bury`): who still works on one writes
    in rows that are there. The documents it is about stay, and what it changed in them.
    """
    session = lock(session)
    session.state = SessionState.DELETED
    session.save(update_fields=["state"])
    for run in runs_of(session).filter(claim__state__in=OPEN_STATES).select_related("claim").order_by("-id"):
        endings.halt(run)  # who waits behind first: nothing begins any more
    tell(session)


def runs_of(session: Session) -> RunQuerySet:
    """Its turns, and the one that named it."""
    return Run.objects.filter(Q(line=session.id) | Q(user=session.user, key=title_key(session)))


def title_key(session: Session) -> str:
    """It is named by one run only."""
    return f"title-{session.id}"


def bury() -> bool:
    """The rows of deleted conversations in which nothing is being answered any more; whether there may be more."""
    deleted = list(Session.objects.filter(state=SessionState.DELETED).select_related("user")[:BURIED_AT_ONCE])
    over = [each for each in deleted if not runs_of(each).filter(claim__state__in=OPEN_STATES).exists()]
    for session in over:
        with transaction.atomic():
            own = runs_of(session)
            Call.objects.filter(run__in=own).update(messages=None, variables=None)
            own.delete()
            session.delete()
    return len(over) == BURIED_AT_ONCE


def speaker(agent: str) -> str:
    """Raises `not_found.agent` for one that answers in no conversation."""
    if agent not in SLOTS:
        raise NotFound("agent", agent=agent[:50])
    return agents.get(agent).name


# --- what it is called, where it lies


@transaction.atomic
def change(
    session: Session, *, title: str | None = None, archived: bool | None = None, agent: str | None = None
) -> None:
    """What is given: its name, whether it is archived (out of the way; whatever is said in it brings it back), and who
    answers from now on.

    Raises `validation.title_empty`, `validation.title_too_long`, `not_found.agent`.
    """
    session = lock(session)
    if title is not None:
        name(session, one_line(title))
    if archived is not None:
        session.state, session.active_at = SessionState.ARCHIVED if archived else SessionState.ACTIVE, now()
    if agent is not None:
        session.agent = speaker(agent)
    session.save(update_fields=["title", "folded_title", "is_named", "state", "active_at", "agent"])
    tell(session)


def name(session: Session, title: str) -> None:
    if not title:
        raise InvalidInput("title_empty")
    if len(title) > 200:
        raise InvalidInput("title_too_long", limit=200)
    session.give_title(title)
    session.is_named = True


def one_line(title: str) -> str:
    return " ".join(clean_text(title).split())


@transaction.atomic
def share(session: Session, shared: bool = True) -> None:
    """A link by which members of the workspace may read it; taken back, it leads nowhere, and a new one is another."""
    session.secret = (session.secret or uuid4()) if shared else None
    session.save(update_fields=["secret"])
    tell(session)


# --- what it is about


@transaction.atomic
def link(session: Session, wanted: Document, by: Link.By = Link.By.PERSON) -> None:
    """Its tools may read and change this document from now on. Twice is once.

    Raises `not_found.document` for one of another workspace, `limit.links`.
    """
    document = documents.within(session.workspace, wanted.id)
    held = Link.objects.filter(session=session)
    if not held.filter(document=document).exists():
        if held.count() >= MOST_LINKS:
            raise LimitReached("links", limit=MOST_LINKS)
        Link.objects.get_or_create(session=session, document=document, defaults={"by": by})
    tell(session)


@transaction.atomic
def unlink(session: Session, document_id: UUID) -> None:
    Link.objects.filter(session=session, document_id=document_id).delete()
    tell(session)


def about(session: Session) -> list[Document]:
    """The documents it is about that its owner still sees, in the order in which they were added."""
    return list(seen(session).filter(links__session=session).order_by("links__id"))


def within_reach(session: Session) -> list[Document]:
    """Those it is about, with all that belong to them: a portfolio is its cases."""
    linked = about(session)
    inside = seen(session).filter(parent__in=linked).exclude(links__session=session).order_by("id")
    return [*linked, *inside[:MOST_INSIDE]]


def seen(session: Session) -> DocumentQuerySet:
    return Document.objects.select_related("workspace").filter(workspace__members=session.user, present=True)


# --- lists


def listing(
    user: User, *, workspace: UUID | None = None, q: str = "", state: str = "", document: UUID | None = None
) -> SessionQuerySet:
    """The user's conversations; without a `state` all but the archived.

    `q`: words that all stand in the title or in something that was said, whatever their accents and case.
    """
    found = Session.objects.visible(user).select_related("workspace")
    found = found.filter(state__in=state.split(",")) if state else found.exclude(state=SessionState.ARCHIVED)
    if workspace:
        found = found.filter(workspace=workspace)
    if document:
        found = found.filter(links__document=document)
    for word in fold(q).split()[:MOST_WORDS]:
        said = Message.objects.filter(session=OuterRef("pk"), folded__contains=word)
        found = found.filter(Q(folded_title__contains=word) | Exists(said))
    return found
