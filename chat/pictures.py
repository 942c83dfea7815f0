"""Conversations as readers see them: rows of one moment, a branch at a time, read from its end."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chat import messages, parts, sessions
from chat.models import Message, Session
from generation import lines
from generation.models import Claim, Feedback, RunState, Step
from generation.paging import page
from generation.replay import one_moment
from memory.models import User

MESSAGES = 30  # on a page


def listing(user: User, cursor: str | None, **which: Any) -> dict[str, Any]:
    """A page of the user's conversations; `which` as in `sessions.listing`."""
    rows, following = page(sessions.listing(user, **which), cursor, by="place")
    return {"items": [line(row) for row in rows], "cursor": following}


def line(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "agent": session.agent,
        "state": session.state,
        "workspace": session.workspace_id,
        "leaf": session.leaf_id,
        "forked_from": session.forked_from_id,
        "active_at": session.active_at,
        "created_at": session.created_at,
    }


def picture(user: User, session_id: UUID) -> dict[str, Any]:
    session = sessions.visible(user, session_id)
    about = [{"kind": "document", "id": each.id, "title": each.title} for each in sessions.about(session)]
    return {**line(session), "context": about, "secret": session.secret}


def branch(session: Session, before: Message | None = None) -> dict[str, Any]:
    """A page of the branch that shows, to its end or to before this message; `before` asks for what came earlier."""
    with one_moment():
        leaf = before.parent_id if before else session.leaf_id
        said = messages.branch(leaf, MESSAGES)
        return {"items": drawn(said, session.user), "before": said[0].id if said and said[0].parent_id else None}


def drawn(said: Sequence[Message], reader: User) -> list[dict[str, Any]]:
    """As many queries for thirty as for one, but for what is being written."""
    beside = messages.siblings(said)
    thumbs = feedback_of(said, reader)
    claims, steps = claims_of(said), steps_of(said)
    return [
        draw(each, beside[each.id], thumbs.get(each.call_id), claims.get(each.run_id), steps.get(each.id))
        for each in said
    ]


def draw(
    message: Message,
    beside: Sequence[UUID],
    thumb: Feedback | None,
    claim: Claim | None,
    steps: Sequence[Step] | None,
) -> dict[str, Any]:
    made = message.parts if steps is None else parts.of_steps(steps)
    return {
        "id": message.id,
        "session": message.session_id,
        "parent": message.parent_id,
        "speaker": message.speaker,
        "agent": message.agent,
        "form": message.form or None,
        "state": "waiting" if claim and waits(claim) else message.state,
        "text": parts.text_of(made) if message.is_open else message.text,
        "parts": made,
        "siblings": list(beside),
        "seen": message.seen,
        "usage": message.usage or None,
        "error": message.error,
        "files": message.files,
        "feedback": {"is_good": thumb.is_good, "reason": thumb.reason} if thumb else None,
        "run": message.run_id,
        "last_seq": claim.last_seq if claim else None,
        "created_at": message.created_at,
    }


def feedback_of(said: Sequence[Message], reader: User) -> dict[UUID | None, Feedback]:
    calls = [each.call_id for each in said if each.call_id]
    return {each.call_id: each for each in Feedback.objects.visible(reader).filter(call__in=calls)} if calls else {}


def claims_of(said: Sequence[Message]) -> dict[UUID | None, Claim]:
    """Of the runs of those that are open: from where to follow them, and whether they wait."""
    runs = open_runs(said)
    return dict(Claim.objects.in_bulk(list(runs))) if runs else {}


def steps_of(said: Sequence[Message]) -> dict[UUID, list[Step]]:
    """By message, of those that are open: the steps that make it."""
    steps = parts.steps_of(open_runs(said))
    return {each.id: parts.own(steps[each.run_id], each.step) for each in said if each.is_open and each.run_id}


def open_runs(said: Sequence[Message]) -> set[UUID]:
    return {each.run_id for each in said if each.is_open and each.run_id}


def waits(claim: Claim) -> bool:
    """Whether it stands behind another turn of its conversation."""
    return claim.state == RunState.WAITING and claim.reason == lines.TURN
