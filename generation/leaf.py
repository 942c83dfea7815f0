"""What the page of a document shows: its sections with who wrote them, what is being written, what is to be done.

It is drawn from rows that `generation.leaves` has read in one moment.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from generation import document_pictures, issues, pictures, saying, telling
from generation.blocks import cut
from generation.conditions import Work
from generation.leaf_body import Body
from generation.leaf_sections import DEMO, close_chapters, coming, facts, stamp, warmed, weight, words_of
from generation.makings import Making
from generation.models import OPEN_STATES, Document, Run, RunState, Section
from generation.registry import RECIPES
from generation.replay import OpenText
from memory.models import Basis

FIRST_BYTES = 70_000  # of text and frame on a page: what follows is fetched when it is read
FRAME_BYTES = 1_450  # of a section without its text
LONGEST_REASONING = 20_000


@dataclass
class Leaf:
    """What the page of a document shows."""

    document: Document
    rows: Sequence[Section]
    work: Work
    makings: Mapping[str, Making]
    stale: Mapping[UUID, Sequence[Basis]]
    proposals: document_pictures.Proposals
    changes: int
    threads: Mapping[UUID | None, int]
    texts: Sequence[OpenText] = ()
    by_id: dict[UUID, Section] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_id = {row.id: row for row in self.rows}

    @property
    def is_writing(self) -> bool:
        return bool(self.work.runs)

    @property
    def awaited_from(self) -> Document | None:
        """The document whose run is going to write this one, too."""
        return self.document.parent if getattr(self.document, "is_awaited", False) else None

    @property
    def is_asking(self) -> bool:
        """Somebody is to answer first: what they type must not be taken from under their hands."""
        return any(run["question"] for run in self.runs)

    @cached_property
    def sections(self) -> list[dict[str, Any]]:
        """All that show, in reading order."""
        below: defaultdict[UUID | None, list[Section]] = defaultdict(list)
        for row in self.rows:
            below[row.parent_id].append(row)
        numbers = {row.id: n for siblings in below.values() for n, row in enumerate(siblings, 1)}
        drawn = [self.section(row, numbers[row.id], below[row.id]) for row in self.rows]
        close_chapters(drawn)
        return drawn

    def section(self, row: Section, number: int, held: Sequence[Section]) -> dict[str, Any]:
        picture = document_pictures.draw(row, self.work, self.proposals, self.stale)
        own, writer = self.makings.get(row.key), self.writer_of(row)
        if row.fallback and picture["state"] == "queued" and writer and writer.finished_at:
            picture["state"] = "fallback"  # its lesson was tried: nobody comes to it again
        drawn = {
            **picture,
            "template": f"{self.document.kind}/{row.type}.html",
            "number": number,
            "depth": self.depth(row),
            "holds": bool(held),
            "label": telling.TYPES.get(row.type, ""),
            "heading": row.fields.get("title") or row.fields.get("topic") or "",
            "locked": row.locked,
            "is_locked": self.is_locked(row),
            "shown": self.shown(picture, own),
            "threads": self.threads.get(row.id, 0),
            "written": facts(writer) if writer else None,
            "sum": self.sum_of(row, held),
            "words": words_of(row),
            "retry_key": f"{row.id}.{own.run_id if own else ''}",
            "live": self.live(own),
            "coming": coming(row, self.document, self.work.runs) if picture["state"] == "queued" else None,
            "notice": self.notice(row, picture["state"], own, stands=bool(held or row.fields.get(row.shape.body))),
            "drawing": self.makings.get(f"{row.key}/diagram"),
        }
        drawn["stamp"] = stamp(drawn)
        for live in drawn["live"]:
            live["text"] = self.open_texts.get(live["key"])
        return drawn

    def depth(self, row: Section) -> int:
        above = self.by_id.get(row.parent_id) if row.parent_id else None
        return 1 + self.depth(above) if above else 0

    def is_locked(self, row: Section) -> bool:
        above = self.by_id.get(row.parent_id) if row.parent_id else None
        return row.locked or (above is not None and self.is_locked(above))

    def writer_of(self, row: Section) -> Making | None:
        """The step that wrote its text: its own, or that of what it stands in."""
        if own := self.makings.get(row.key):
            return own
        above = self.by_id.get(row.parent_id) if row.parent_id and row.shape.body else None
        return self.makings.get(above.key) if above else None

    def is_open(self, making: Making | None) -> bool:
        return making is not None and making.is_open and making.run_id in {run.id for run in self.work.runs}

    def live(self, own: Making | None) -> list[dict[str, Any]]:
        """Where its text appears while it is written."""
        if own is None or not self.is_open(own):
            return []
        return [{"key": own.key, "run": own.run_id, "attempt": own.attempt}]

    def shown(self, picture: Mapping[str, Any], own: Making | None) -> str:
        """The state as its mark says it: a step between two tries is tried again."""
        return "retrying" if own and self.is_open(own) and own.is_retrying else str(picture["state"])

    def sum_of(self, row: Section, held: Sequence[Section]) -> dict[str, Any] | None:
        """Words and cost of what holds others; nothing for the rest."""
        steps = [self.makings[step.key] for step in self.work.steps.get(row.key, ()) if step.key in self.makings]
        if not held or not row.parent_id:
            return None
        costs = [step.cost for step in steps if step.cost is not None]
        words = sum(words_of(each) for each in held)
        return {"words": words, "cost": sum(costs) if costs and all(step.is_cost_known for step in steps) else None}

    def notice(self, row: Section, state: str, own: Making | None, *, stands: bool) -> dict[str, Any] | None:
        """What went wrong, and the one thing to do."""
        above = self.by_id.get(row.parent_id) if row.parent_id else None
        if state == "stale" and (redrawn := self.drawn_before(row)):
            return redrawn
        if state == "stale":
            named = [(basis.source_path, self.name_of(basis)) for basis in self.stale.get(row.id, ())]
            return {"state": "stale", "text": telling.changed_since(named), "again": ""}
        if state not in ("fallback", "failed") or (above and above.fallback):
            return None  # what is around it says so already
        what, again = telling.could_not(row.type)
        why = row.fallback or (own.error if own else None)
        asked = telling.tries([call["model"] for call in own.calls]) if own else ""
        can_retry = any(self.work.steps.get(row.key, ()))
        return {
            "state": state,
            "title": what,
            "text": telling.cause(why),
            "tries": asked,
            "again": again if can_retry else "",
            "stands": stands and state == "fallback",
        }

    def drawn_before(self, row: Section) -> dict[str, Any] | None:
        """Where only the diagram is older than its text: the one is to be drawn again, not the other read."""
        drawing = self.makings.get(f"{row.key}/diagram")
        if drawing is None or any(basis.path != "diagram" for basis in self.stale.get(row.id, ())):
            return None
        return {"state": "stale", **telling.drawn_before(), "step": drawing.key, "run": drawing.run_id}

    def name_of(self, basis: Basis) -> str:
        source = self.by_id.get(basis.source_id)
        return str(source.fields.get("title") or source.fields.get("topic") or "") if source else self.document.title

    # --- work

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        return [self.run(run) for run in self.work.runs]

    def run(self, run: Run) -> dict[str, Any]:
        own = [making for making in self.makings.values() if making.run_id == run.id]
        costs = [making.cost for making in own if making.cost is not None]
        return {
            "id": run.id,
            "state": run.claim.state,
            "reason": run.claim.reason,
            "last_seq": run.claim.last_seq,
            "progress": int(run.progress),
            "says": telling.writing([making.label for making in own if making.is_open] or [run.label]),
            "left": saying.duration(left) if (left := pictures.time_left(run)) else "",
            "cost": sum(costs) if costs else None,
            "question": run.question if run.claim.reason == "person" else None,
        }

    @cached_property
    def loose(self) -> list[dict[str, Any]]:
        """What is being written that is no section's own: an outline, mostly."""
        keys = {row.key for row in self.rows}
        found = [making for making in self.makings.values() if self.is_open(making) and making.calls]
        return [
            {
                "key": making.key,
                "run": making.run_id,
                "attempt": making.attempt,
                "says": telling.made(making.label),
                "text": self.open_texts.get(making.key),
            }
            for making in found
            if making.key not in keys and "/" not in making.key
        ]

    @cached_property
    def open_texts(self) -> dict[str, dict[str, Any]]:
        """The text of open steps by their names: its closed blocks as HTML, the open one as text."""
        return {
            text.step: {"reasoning": text.reasoning[-LONGEST_REASONING:], "cut": cut(text.content)}
            for text in self.texts
            if text.content or text.reasoning
        }

    @cached_property
    def models(self) -> list[str]:
        """Who answered."""
        named = [call for making in self.makings.values() for call in making.calls if call["provider"] != DEMO]
        return list(dict.fromkeys(call["model"] for call in named))

    @property
    def is_demo(self) -> bool:
        return any(call["provider"] == DEMO for making in self.makings.values() for call in making.calls)

    @property
    def own_threads(self) -> int:
        """How many are open about the document itself."""
        return self.threads.get(None, 0)

    @property
    def written(self) -> str:
        """How many parts are written, of how many."""
        bodies = [row for row in self.rows if row.shape.body]
        done = sum(row.shape.body in row.fields for row in bodies)
        return telling.parts_written(done, len(bodies))

    @cached_property
    def ended(self) -> dict[str, Any] | None:
        """How the latest run ended, when none is open: how long it took, what it cost."""
        run = self.document.run
        if run is None or self.is_writing or not run.finished_at or not run.started_at:
            return None
        own = [making for making in self.makings.values() if making.run_id == run.id]
        costs = [making.cost for making in own if making.cost is not None]
        seconds = (run.finished_at - run.started_at).total_seconds()
        return {"id": run.id, "state": run.claim.state, "seconds": seconds, "cost": sum(costs) if costs else None}

    @cached_property
    def closing(self) -> dict[str, Any] | None:
        """What the latest run left undone, and the one thing to do about all of it."""
        run = self.document.run
        if run is None or self.is_writing or run.claim.state in (RunState.DONE, *OPEN_STATES):
            return None
        if self.body:
            failed = (making.error for making in self.makings.values() if making.run_id == run.id and making.error)
            why = telling.cause(run.error or next(failed, None))
            return {"run": run, "state": run.claim.state, "count": 0, "text": why}
        short = [each for each in self.sections if each["state"] in ("fallback", "failed", "missing")]
        broken = [each for each in short if each["notice"] or each["state"] == "missing"]
        is_lost = run.claim.state == RunState.FAILED and (not self.rows or run.action != Run.WRITE)
        if not broken and not is_lost and not (run.claim.state == RunState.CANCELLED and not self.rows):
            return None
        if run.claim.state == RunState.PARTIAL and len(broken) < 2:
            return None  # it says so itself
        return {"run": run, "state": run.claim.state, "count": len(broken), "text": telling.cause(run.error)}

    @property
    def actions(self) -> Sequence[Any]:
        """What can be done to it now: nothing while all of it is being written."""
        recipe = RECIPES.get(self.document.kind)
        is_busy = any(run.action == Run.WRITE and not run.again for run in self.work.runs)
        return recipe.actions if recipe and not is_busy and self.document.present else ()

    @property
    def formats(self) -> dict[str, str]:
        """What it can be exported as, and what that is called."""
        recipe = RECIPES.get(self.document.kind)
        return telling.FORMATS | (telling.SHEETS if recipe and recipe.has_tables else {})

    @cached_property
    def issues(self) -> list[dict[str, Any]]:
        """What was found in it and is still open."""
        return issues.shown(self.document) if getattr(self.document, "has_issues", False) else []

    @cached_property
    def body(self) -> Body | None:
        """Of a document that is made of fields, what stands on it beside its sections."""
        if not self.document.shape.body:
            return None
        live = {}
        for making in self.makings.values():
            name = making.key.partition("/")[2]
            if name and self.is_open(making):
                place = {"key": making.key, "run": making.run_id, "attempt": making.attempt}
                live[name] = {**place, "text": self.open_texts.get(making.key)}
        tools = [making for making in self.makings.values() if "/tool-" in making.key]
        return Body(self.document, live, self.stale.get(self.document.id, ()), tools)

    # --- how much of it one page shows

    def from_section(self, first: UUID | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """The sections that fit on a page, from this one on, and the one that the next begins with."""
        begin = next((n for n, each in enumerate(self.sections) if each["id"] == first), 0)
        size = 0
        for n in range(begin, len(self.sections)):
            size += FRAME_BYTES + weight(self.sections[n])
            if size > FIRST_BYTES and n > begin:
                return warmed(self.sections[begin:n]), self.sections[n]
        return warmed(self.sections[begin:]), None
