"""The verbs on a comment: reply, edit, delete. Whoever is named in one hears of it."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from generation import mentions
from generation.models import Comment, Mention, Seen, Thread
from memory import history, workspaces
from memory.base.errors import Conflict, InvalidInput, LimitReached, NotFound, PermissionRefused
from memory.base.news import changed
from memory.base.text import clean_text
from memory.models import Membership, Role, User

MOST_TEXT = 5_000
MOST_COMMENTS = 200  # in a thread


def visible(user: User, comment_id: UUID) -> Comment:
    """The comment, if this user may see it; `not_found.comment` otherwise, whether it exists or not."""
    whole = Comment.objects.visible(user).select_related("thread__document__workspace", "user")
    comment = whole.filter(id=comment_id, deleted_at=None).first()
    if comment is None:
        raise NotFound("comment")
    return comment


def reply(thread: Thread, text: str, by: User, key: str | None = None) -> Comment:
    """Say something in the thread; the same key with the same text says it once.

    Raises `permission.role`, `validation.comment_empty`, `validation.comment_too_long`, `conflict.thread_closed`,
    `conflict.comment_key`, `limit.comments`, `not_found.thread` for one that went meanwhile.
    """
    workspaces.require(by, thread.document.workspace, Role.COMMENTER)
    text = cleaned(text)
    with transaction.atomic():
        thread = held(thread, by)
        if known := said_before(by, key, text):
            if known.thread_id != thread.id:
                raise Conflict("comment_key")
            return known
        if not thread.is_open:
            raise Conflict("thread_closed")
        if thread.comments.count() >= MOST_COMMENTS:
            raise LimitReached("comments", limit=MOST_COMMENTS)
        return say(thread, text, by, key)


def edit(comment: Comment, text: str, by: User) -> None:
    """Only its author may.

    Raises `permission.author`, `permission.role`, `validation.comment_empty`, `validation.comment_too_long`,
    `not_found.comment` for one that went meanwhile.
    """
    workspaces.require(by, comment.thread.document.workspace, Role.COMMENTER)
    if comment.user_id != by.pk:
        raise PermissionRefused("author")
    text = cleaned(text)
    with transaction.atomic():
        thread = held(comment.thread, by)
        there = Comment.objects.filter(id=comment.id, deleted_at=None).exclude(text=text)
        if there.update(text=text, edited_at=Now()):
            comment.text = text
            before = concerned(thread)
            if mention(comment, thread):
                move(thread, by)
            tell(thread, before | concerned(thread))
        elif not Comment.objects.filter(id=comment.id, deleted_at=None).exists():
            raise NotFound("comment")


def delete(comment: Comment, by: User) -> bool:
    """Its author may, or an owner of the workspace. Whether anything is left of the thread.

    The first one stays without its text while others have answered it; a thread in which nothing is said goes.
    """
    is_own = comment.user_id == by.pk
    workspaces.require(by, comment.thread.document.workspace, Role.COMMENTER if is_own else Role.OWNER)
    with transaction.atomic():
        thread = held(comment.thread, by)
        others = thread.comments.exclude(id=comment.id)
        audience = concerned(thread)
        is_begin = not others.filter(id__lt=comment.id).exists()
        if is_begin and others.exists():
            thread.comments.filter(id=comment.id).update(text="", deleted_at=Now())
            Mention.objects.filter(comment=comment.id).delete()
        else:
            thread.comments.filter(id=comment.id).delete()
        stays = thread.comments.filter(deleted_at=None).exists()
        tell(thread, audience)
        if not stays:
            thread.delete()
    return stays


# --- what verbs on threads do, too


def cleaned(text: str) -> str:
    text = clean_text(text).replace("\r\n", "\n").strip()
    if not text:
        raise InvalidInput("comment_empty")
    if len(text) > MOST_TEXT:
        raise InvalidInput("comment_too_long", limit=MOST_TEXT)
    return text


def held(thread: Thread, by: User) -> Thread:
    """The thread as it stands, until the end of the transaction. Raises `not_found.thread`."""
    lock(thread.document_id, by)
    found = Thread.objects.whole().visible(by).filter(id=thread.id).first()
    if found is None:
        raise NotFound("thread")
    return found


def lock(document_id: UUID, by: User) -> None:
    """Wait for others who write about this document, for who empties the bin, and for the same request sent twice."""
    history.lock_roots([document_id, by.pk])


def said_before(by: User, key: str | None, text: str) -> Comment | None:
    """What was said under this key. Raises `conflict.comment_key` when that was something else."""
    known = Comment.objects.filter(user=by, key=key_of(key)).select_related("thread").first() if key else None
    if known and known.text != text:
        raise Conflict("comment_key")
    return known


def key_of(key: str | None) -> str | None:
    return clean_text(key)[:200] or None if key else None


def say(thread: Thread, text: str, by: User, key: str | None) -> Comment:
    comment = Comment.objects.create(thread=thread, user=by, text=text, key=key_of(key))
    mention(comment, thread)
    move(thread, by)
    tell(thread, concerned(thread))
    return comment


def mention(comment: Comment, thread: Thread) -> bool:
    """Keep whom it names, as it stands now; whether somebody came to be named."""
    before = set(comment.mentions.values_list("user", flat=True))
    named = {user.pk for user in mentions.of(comment.text, thread.document.workspace)}
    comment.mentions.exclude(user__in=named).delete()
    Mention.objects.bulk_create(Mention(comment=comment, user_id=user) for user in sorted(named - before))
    return bool(named - before)


def move(thread: Thread, by: User) -> None:
    """It is new to all whom it concerns, but to who has brought the news."""
    Thread.objects.filter(id=thread.id).update(active_at=Now())
    look(by, [thread.id])


def look(user: User, threads: Iterable[UUID]) -> None:
    """The user has seen these as they are now. They are threads that this user may see."""
    rows = [Seen(thread_id=thread, user=user, at=Now()) for thread in sorted(set(threads))]
    Seen.objects.bulk_create(rows, update_conflicts=True, unique_fields=["thread", "user"], update_fields=["at"])


def concerned(thread: Thread) -> set[UUID]:
    """Who is named in it, and who is to see to it, as long as they belong to the workspace."""
    ids = set(Mention.objects.filter(comment__thread=thread).values_list("user", flat=True))
    ids |= {thread.assignee_id} if thread.assignee_id else set()
    members = Membership.objects.filter(user__in=ids, workspace__documents=thread.document_id)
    return set(members.values_list("user", flat=True)) if ids else ids


def tell(thread: Thread, users: Iterable[UUID] = ()) -> None:
    """Pages of the document hear of it after commit, and wherever these people are. A thread has no version."""
    topics = [f"document.{thread.document_id}", *(f"user.{user}" for user in sorted(users))]
    transaction.on_commit(partial(changed, "thread", thread.id, 0, topics), robust=True)
