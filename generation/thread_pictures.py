"""Threads as readers see them: where each stands, whether its words still do, what was said, what may be done."""

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.html import strip_tags
from django.utils.text import capfirst

from generation import mentions, paging, places, threads
from generation.models import Comment, Document, Section, Thread, ThreadQuerySet
from generation.places import Places
from memory import workspaces
from memory.base import paths, rendered
from memory.models import Role, User

MOST_SHOWN = 20  # threads on a page of them

Roles = Mapping[UUID, Role]


def listing(
    user: User, document: Document, state: str, section: UUID | None = None, cursor: str | None = None
) -> dict[str, Any]:
    """A page of a document's threads; as many queries for twenty as for one."""
    return page(user, threads.listing(user, document, state, section), cursor)


def mine(user: User, cursor: str | None = None) -> dict[str, Any]:
    """A page of the open threads that concern the user, of all workspaces."""
    return page(user, threads.mine(user), cursor)


def picture(user: User, thread_id: UUID) -> dict[str, Any]:
    """One thread. Raises `not_found.thread`."""
    threads.visible(user, thread_id)
    return page(user, Thread.objects.visible(user).filter(id=thread_id), None)["items"][0]


def page(user: User, found: ThreadQuerySet, cursor: str | None) -> dict[str, Any]:
    whole = threads.with_news(found.whole(), user)
    rows, following = threads.newest_first(whole, paging.parse_cursor(cursor) if cursor else None, MOST_SHOWN)
    said = said_in(rows)
    named = places.of_each({row.document_id for row in rows if row.section_id})
    roles = {each.workspace_id: Role(each.role) for each in workspaces.memberships(user)}
    items = [draw(row, said[row.id], named, user, roles) for row in rows]
    return {"items": items, "cursor": str(following) if following else None}


def said_in(rows: Iterable[Thread]) -> Mapping[UUID, Sequence[Comment]]:
    said: defaultdict[UUID, list[Comment]] = defaultdict(list)
    found = Comment.objects.filter(thread__in=[row.id for row in rows]).select_related("user")
    for comment in found.prefetch_related("mentions__user").order_by("id"):
        said[comment.thread_id].append(comment)
    return said


def draw(row: Any, said: Sequence[Comment], named: Mapping[UUID, Places], user: User, roles: Roles) -> dict[str, Any]:
    where, role = named.get(row.document_id), roles.get(row.document.workspace_id, Role.VIEWER)
    may_comment = role.includes(Role.COMMENTER)
    return {
        "id": row.id,
        "document": row.document_id,
        "title": row.document.title,
        "section": row.section_id,
        "place": capfirst(where.name(row.section_id)) if where and row.section_id else "",
        "is_removed": bool(where and row.section_id and not where.shows(row.section_id)),
        "field": row.field,
        "field_name": places.of_path(row.field) if row.field else "",
        "quote": row.quote,
        "is_changed": is_changed(row),
        "state": threads.OPEN if row.is_open else threads.CLOSED,
        "is_new": row.is_new,
        "user": person(row.user),
        "assignee": person(row.assignee) if row.assignee else None,
        "closed_by": person(row.closed_by) if row.closed_by else None,
        "closed_at": row.closed_at,
        "created_at": row.created_at,
        "comments": [draw_comment(comment, user, role) for comment in said],
        "may_reply": may_comment and row.is_open,
        "may_settle": role.includes(threads.needed(row, user)),
    }


def draw_comment(comment: Comment, user: User, role: Role) -> dict[str, Any]:
    named = {each.user.username: each.user for each in comment.mentions.all()}
    is_own, is_there = comment.user_id == user.pk, comment.deleted_at is None
    may_comment = role.includes(Role.COMMENTER)
    return {
        "id": comment.id,
        "user": person(comment.user),
        "text": comment.text,
        "pieces": mentions.pieces(comment.text, named),
        "mentions": [person(each) for each in named.values()],
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "is_deleted": not is_there,
        "may_edit": is_there and is_own and may_comment,
        "may_delete": is_there and (role.includes(Role.OWNER) or (is_own and may_comment)),
    }


def person(user: User | None) -> dict[str, str] | None:
    """None for somebody who left."""
    return {"username": user.username, "name": user.name} if user else None


# --- whether its words still stand


def is_changed(thread: Thread) -> bool:
    """The words it speaks of are not there any more. Nothing is looked up while nobody has written since."""
    about = thread.about
    if not thread.quote or about.version == thread.version:
        return False
    wanted = squeezed(thread.quote)
    return not any(wanted in text for text in readings(about, thread.field))


def readings(about: Document | Section, field: str) -> Iterable[str]:
    """Its text as it was written, and as a page shows it; without spaces, which are not the same in both."""
    state = {**about.fields, **({"title": about.title} if isinstance(about, Document) else {})}
    texts = list(strings(paths.get(state, field) if field else state))
    yield squeezed("".join(texts))
    yield squeezed("".join(html.unescape(strip_tags(rendered.of(text))) for text in texts))


def strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)
