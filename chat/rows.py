"""Messages as a page tells them: who speaks, what they thought, said and did, what was changed and how to undo it.

The number of queries is fixed, but for what is being written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from chat import deeds, messages, parts, pictures, usage
from chat.context import Seen
from chat.deeds import Deed, Deeds
from chat.models import Form, Message, MessageState, Session, Speaker
from generation import blocks, saying, telling
from generation.leaf_sections import DEMO
from generation.models import Agent, Claim, Feedback
from generation.replay import one_moment
from memory.models import File, User

LONGEST_REASONING = 20_000


@dataclass(frozen=True)
class Piece:
    """A part as it is drawn: `kind` is its type, the rest what that type needs."""

    kind: str
    text: str = ""
    name: str = ""
    seconds: float = 0
    deed: Deed | None = None
    live: dict[str, Any] | None = None
    unlinked: int = 0


@dataclass(frozen=True)
class SeenLine:
    name: str
    about: str
    tokens: int


@dataclass(frozen=True)
class Row:
    """`number` of `of`: which of the messages in its place it is; `before` and `after` are those beside it.

    `usage` is what it took (chat.usage), until now where it is being written.
    """

    message: Message
    name: str
    pieces: list[Piece]
    number: int
    of: int
    before: UUID | None
    after: UUID | None
    seq: int | None
    is_waiting: bool
    is_over: bool  # it has come to its end, others of its run have not
    usage: Mapping[str, Any]
    thumb: Feedback | None
    files: list[str]
    seen: list[SeenLine]
    error: str
    panel: list["Row"] = field(default_factory=list)
    is_synthesis: bool = False
    is_shown: bool = True  # of a panel's answers, whether the branch goes on from this one

    @property
    def state(self) -> str:
        """Its look, where it has one."""
        if self.is_waiting:
            return "queued"
        if self.is_over:
            return ""
        return {"writing": "writing", "failed": "failed", "stopped": "cancelled"}.get(self.message.state, "")

    @property
    def is_open(self) -> bool:
        return self.message.is_open

    @property
    def is_demo(self) -> bool:
        return bool(self.usage.get("provider") == DEMO)

    @property
    def tokens(self) -> int:
        return sum(line.tokens for line in self.seen)

    @property
    def limit(self) -> int:
        return int((self.message.seen or {}).get("limit", 0))

    @property
    def has_changed(self) -> bool:
        return any(piece.deed and piece.deed.can_undo for piece in self.pieces)

    @property
    def changes(self) -> int:
        return sum(len(piece.deed.rows) for piece in self.pieces if piece.deed)

    @property
    def is_panel(self) -> bool:
        return self.message.form == Form.PANEL

    @property
    def can_be_put_together(self) -> bool:
        """Whether its panel has ended, and two of it at least have answered."""
        ended = [each.message.state for each in self.panel]
        is_over = not any(each.is_open for each in self.panel)
        return is_over and not self.is_synthesis and ended.count(MessageState.DONE) > 1

    @property
    def cost(self) -> str:
        paid = self.usage.get("cost_usd") or 0
        return saying.money(paid) if paid else ""

    @property
    def has_live(self) -> bool:
        """Whether something of it is being said now, or done."""
        said = (piece.live["text"] for piece in self.pieces if piece.live)
        return any(piece.kind == "calling" for piece in self.pieces) or any(
            text["reasoning"] or text["cut"].blocks or text["cut"].rest for text in said
        )


def branch(session: Session, reader: User, before: Message | None = None) -> dict[str, Any]:
    """A page of the branch that shows: its rows, and the message to ask for what came earlier."""
    with one_moment():
        said = messages.branch(before.parent_id if before else session.leaf_id, pictures.MESSAGES)
        rows = drawn(said, session, reader)
        return {"rows": rows, "before": said[0].id if said and said[0].parent_id else None}


def one(message: Message, reader: User) -> Row:
    with one_moment():
        return drawn([message], message.session, reader)[0]


def drawn(said: Sequence[Message], session: Session, reader: User) -> list[Row]:
    beside = messages.siblings(said)
    panels = panels_of(said, beside)
    whole = [*said, *(each for panel in panels.values() for each in panel if each not in said)]
    reader_of = Reader.of(whole, beside, session, reader)
    rows = []
    for message in said:
        answers = [reader_of.row(each) for each in panels.get(message.parent_id, ())]
        if message.speaker == Speaker.AGENT and answers:
            rows.append(reader_of.row(message, answers))
        else:
            rows.append(reader_of.row(message))
    return rows


def panels_of(said: Sequence[Message], beside: Mapping[UUID, Sequence[UUID]]) -> dict[UUID | None, list[Message]]:
    """The answers of the panel to each question that one was asked, the newest of each agent."""
    asked = [each.parent_id for each in said if each.speaker == Speaker.AGENT and len(beside[each.id]) > 1]
    if not asked:
        return {}
    found = Message.objects.filter(parent__in=asked, form=Form.PANEL).defer("folded").order_by("id")
    panels: dict[UUID | None, dict[str, Message]] = {}
    for message in found:
        panels.setdefault(message.parent_id, {})[message.agent] = message
    return {parent: list(answers.values()) for parent, answers in panels.items()}


@dataclass(frozen=True)
class Reader:
    """What rows are told with."""

    session: Session
    beside: Mapping[UUID, Sequence[UUID]]
    made: Mapping[UUID, list[parts.Part]]
    deeds: Deeds
    thumbs: Mapping[UUID | None, Feedback]
    claims: Mapping[UUID | None, Claim]
    files: Mapping[str, str]
    agents: Mapping[str, str]
    took: Mapping[UUID, Mapping[str, Any]]  # until now, of what is open
    over: frozenset[UUID]
    shown: frozenset[UUID]

    @classmethod
    def of(
        cls, said: Sequence[Message], beside: Mapping[UUID, Sequence[UUID]], session: Session, reader: User
    ) -> "Reader":
        steps = pictures.steps_of(said)
        made = {each.id: parts.of_steps(steps[each.id]) if each.id in steps else each.parts for each in said}
        over = {which for which, own in steps.items() if parts.is_whole(own) or parts.has_failed(own)}
        calls = usage.calls_of(pictures.open_runs(said))
        took = {each.id: usage.of(calls, each.run_id, each.step) for each in said if each.id in steps}
        named = {file for each in said for file in each.files}
        found = File.objects.filter(id__in=named).values_list("id", "name") if named else ()
        return cls(
            session,
            beside,
            made,
            deeds.read([part for each in made.values() for part in each], reader),
            pictures.feedback_of(said, reader),
            pictures.claims_of(said),
            {str(key): name for key, name in found},
            dict(Agent.objects.values_list("name", "title")),
            {which: {**usage.told(own), "seconds": 0, "cost_usd": 0} for which, own in took.items()},
            frozenset(over),
            frozenset(messages.upward(session.leaf_id, pictures.MESSAGES) if any(each.form for each in said) else ()),
        )

    def row(self, message: Message, panel: list[Row] | None = None) -> Row:
        stand = list(self.beside.get(message.id, [message.id]))
        at = stand.index(message.id)
        claim = self.claims.get(message.run_id) if message.is_open else None
        return Row(
            message=message,
            name=self.name(message),
            pieces=[self.piece(message, part) for part in self.made[message.id]],
            number=at + 1,
            of=len(stand),
            before=stand[at - 1] if at else None,
            after=stand[at + 1] if at + 1 < len(stand) else None,
            seq=claim.last_seq if claim else None,
            is_over=message.id in self.over,
            is_waiting=claim is not None and pictures.waits(claim),
            usage=self.took.get(message.id, message.usage),
            thumb=self.thumbs.get(message.call_id) if message.call_id else None,
            files=[self.files.get(str(file), gettext("a file that is gone")) for file in message.files],
            seen=[seen_line(Seen.model_validate(each)) for each in (message.seen or {}).get("seen", ())],
            error=telling.error(message.error),
            panel=panel or [],
            is_synthesis=message.form == Form.SYNTHESIS,
            is_shown=message.id in self.shown,
        )

    def name(self, message: Message) -> str:
        if message.speaker == Speaker.USER:
            return self.session.user.name
        return gettext(self.agents.get(message.agent, message.agent))

    def piece(self, message: Message, part: Mapping[str, Any]) -> Piece:
        kind = part["type"]
        if kind == "tool":
            return Piece(kind, deed=self.deeds.of(part))
        if kind == "live":
            shown = {"reasoning": part["reasoning"][-LONGEST_REASONING:], "cut": blocks.cut(part["content"])}
            live = {"key": part["step"], "run": message.run_id, "attempt": part["attempt"], "text": shown}
            return Piece(kind, live=live)
        if kind == "calling":
            return Piece(kind, part["arguments"], name=part["name"])
        return Piece(kind, text=part["text"], seconds=part.get("ms", 0) / 1000, unlinked=part.get("unlinked", 0))


def seen_line(seen: Seen) -> SeenLine:
    names = {
        "instructions": gettext("Instructions of {name}").format(name=seen.name),
        "document": gettext("“{name}”").format(name=seen.name),
        "file": seen.name,
        "messages": gettext("{n} messages before").format(n=seen.count - seen.left_out),
        "question": gettext("The question"),
    }
    return SeenLine(names[seen.what], about(seen), seen.tokens_after)


def about(seen: Seen) -> str:
    """What was decided about it, where it was not kept whole."""
    if seen.decision == "kept":
        return ""
    if seen.decision == "dropped":
        return gettext("left out: no room for it")
    if seen.what == "file":
        return gettext("shortened, {before} before").format(before=seen.tokens_before)
    return gettext("{n} of {all} left out or shortened").format(n=seen.left_out, all=seen.count)
