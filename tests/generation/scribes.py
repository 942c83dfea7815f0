"""The lives of a document in which runs write while others change it.

What people changed since a run read it, and what is locked, its scribe only proposes; the rest it writes.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import rule

from generation.models import Run
from generation.scribe import Scribe, versions
from memory.models import Change, Proposal
from tests.generation.histories import DRAWING, ERROR, PICK, QUESTION, TEXT, Histories, Strategy
from tests.generation.history_model import LABELS, PEOPLE, QUESTIONS, TEXTS, WITHIN, Refused, State, bare, lies_in, tidy

HOLDS: dict[str, list[str]] = {
    "document": ["chapter"],
    "chapter": ["lesson", "exercises", "evaluation"],
    "lesson": ["part"],
    "exercises": ["exercise_block"],
}
AT_WORK = 3  # runs, the newest; what others wrote stays
TITLES: Strategy = st.fixed_dictionaries({}, optional={"title": TEXT, **dict.fromkeys(TEXTS["document"], TEXT)})


def texts_of(type: str) -> Strategy:
    """What a step has to say in a section of this type, whole."""
    texts: dict[str, Strategy] = dict.fromkeys(TEXTS[type], TEXT)
    if type == "part":
        texts |= DRAWING
    if type in QUESTIONS:
        texts["questions"] = st.lists(QUESTION, max_size=2, unique_by=itemgetter("id")) | st.none()
    return st.fixed_dictionaries({}, optional=texts)


@dataclass
class Hand:
    """A run's, at work on one step: what it read in a recorded step as it began, and whether it can only stand in."""

    run: Run
    read: dict[str, int]
    is_stand_in: bool = False
    scribe: Scribe | None = None

    def take_up(self) -> Scribe:
        return self.scribe or Scribe(self.run, "step", self.read, ERROR if self.is_stand_in else None)

    def labels(self) -> State:
        return {"fallback": ERROR if self.is_stand_in else None, "status": "draft" if self.is_stand_in else "ready"}


class Written(Histories):
    def __init__(self) -> None:
        """One run has been at work from the beginning."""
        super().__init__()
        self.hands = [Hand(self.run_again([]), {})]

    def run_again(self, again: list[str]) -> Run:
        home, user = self.people.workspace, self.people.owner
        return Run(kind="course", again=again, workspace=home, user=user, document=self.document)

    # What runs do

    @rule(is_first=st.booleans(), data=st.data())
    def a_run_begins(self, is_first: bool, data: st.DataObject) -> None:
        """One that writes all of the course, or one that makes some of it again: it reads what is there."""
        keys = [thing.key for thing in self.model.things.values() if thing.key]
        again = [] if is_first else data.draw(st.lists(st.sampled_from(keys), max_size=3, unique=True))
        run = self.run_again(again)
        read = {} if is_first else json.loads(json.dumps(versions(run, self.document)))
        assert read == ({} if is_first else self.model.read_by(again))
        self.hands = [*self.hands, Hand(run, read)][-AT_WORK:]

    @rule(pick=PICK, is_stand_in=st.booleans(), writes=st.integers(1, 3), data=st.data())
    def a_step_is_recorded(self, pick: int, is_stand_in: bool, writes: int, data: st.DataObject) -> None:
        def write(hand: Hand) -> None:
            for _ in range(writes):
                self.write_something(hand, data)

        self.record(pick, is_stand_in, write)

    @rule(at=PICK, pick=PICK, is_stand_in=st.booleans(), data=st.data())
    def a_step_is_recorded_where_somebody_was(self, at: int, pick: int, is_stand_in: bool, data: st.DataObject) -> None:
        """What is changed while a step is made is just what it then writes."""
        thing = self.thing(at, *WITHIN)
        kind = data.draw(st.sampled_from(["person", "tool"]))
        deeds: list[Callable[[], None]] = [
            lambda: self.edit_thing(thing, self.values(thing, data), kind),
            lambda: self.edit_thing(thing, self.values(thing, data), kind),
            *(partial(self.treat, thing, kind, how) for how in ("lock", "remove")),
            lambda: self.undo_row(self.model.rows_of(thing)[-1]),
        ]
        data.draw(st.sampled_from(deeds))()
        self.record(pick, is_stand_in, lambda hand: self.write_section(hand, thing, data))

    def record(self, pick: int, is_stand_in: bool, write: Callable[[Hand], None]) -> None:
        """All that the step writes, or nothing: what is refused takes the rest back."""
        known = self.hands[pick % len(self.hands)]
        hand = Hand(known.run, known.read, is_stand_in)
        hand.scribe = hand.take_up()
        before = deepcopy(self.model)
        try:
            with transaction.atomic():
                write(hand)
                self.check_told(hand.scribe)
        except Refused:
            self.model = before

    def write_something(self, hand: Hand, data: st.DataObject) -> None:
        home = self.thing(data.draw(PICK), *HOLDS)
        kind = data.draw(st.sampled_from(["section", "section", "section", "document", "keep_only"]))
        if kind == "section":
            self.write_within(hand, home, data)
        elif kind == "document":
            self.write_document(hand, data.draw(TITLES))
        else:
            self.keep_only(hand, home, data)

    def write_within(self, hand: Hand, home: UUID, data: st.DataObject) -> None:
        """A section of some type by its key, wherever it stands by now, or a new one."""
        kind = data.draw(st.sampled_from(HOLDS[self.model.things[home].type]))
        holder = self.model.things[home].key
        known = [thing.key for thing in self.model.things.values() if thing.type == kind]
        key = data.draw(st.sampled_from([*known, *(f"{holder}/{kind}-{n}" for n in (1, 2))]))
        if thing := self.model.at(key):
            self.write_section(hand, thing, data)
        else:
            self.make_section(hand, home, key, kind, data)

    # Each way to write

    def write_document(self, hand: Hand, values: State) -> None:
        self.let_write(hand, {self.document.id: values}, lambda scribe: scribe.write_document(values))

    def write_section(self, hand: Hand, thing: UUID, data: st.DataObject) -> None:
        """One that is there: its text, what is planned of it, or some fields that another step answers for."""
        there = self.model.things[thing]
        how = data.draw(st.sampled_from(["write_section", "write_section", "plan_section", "write_fields"]))
        if how == "write_fields":
            fields = self.values(thing, data)
            self.let_write(hand, {thing: fields}, lambda scribe: scribe.write_fields(there.key, fields))
            return
        named = data.draw(st.sampled_from([there.type, ""])) if how == "write_section" else there.type
        values = data.draw(texts_of(there.type))
        wish = {**values, **(hand.labels() if how == "write_section" else {}), **({"present": True} if named else {})}
        is_idle = how == "write_section" and hand.is_stand_in and self.model.is_written(thing)
        self.let_write(
            hand,
            {} if is_idle else {thing: wish},
            lambda scribe: getattr(scribe, how)(there.key, values=values, type=named),
        )

    def make_section(self, hand: Hand, home: UUID, key: str, type: str, data: st.DataObject) -> None:
        """Behind all others in its place; in what is locked it waits unseen until somebody lets it in."""
        scribe = hand.take_up()
        how = data.draw(st.sampled_from(["write_section", "plan_section"]))
        values = data.draw(texts_of(type))
        parent = None if home == self.document.id else home
        is_closed = self.model.is_locked(parent)
        proposed = len(scribe.proposals)
        holder = scribe.sections[self.model.things[home].key] if parent else None
        verb = lambda: getattr(scribe, how)(key, values=values, type=type, parent=holder)  # noqa: E731
        wish = {**values, **(hand.labels() if how == "write_section" else {}), "present": not is_closed}
        try:
            tidy(type, {**bare(wish), "rank": "x"})
        except Refused:
            self.attempt(verb, refused=True)
            raise
        section = verb()
        beside = [self.model.things[each].state["rank"] for each in self.model.within(parent)]
        assert section.rank > max(beside, default="")
        assert section.rank not in [row.after for row in self.model.log if row.path == "rank"]
        self.bear(section, wish, "recipe")
        is_proposed = is_closed and not hand.is_stand_in
        self.check_proposals(scribe.proposals[proposed:], {section.id: {"present": True}} if is_proposed else {})

    def keep_only(self, hand: Hand, home: UUID, data: st.DataObject) -> None:
        scribe = hand.take_up()
        parent = None if home == self.document.id else home
        inside = {self.model.things[each].key: each for each in self.model.within(parent)}
        kept = data.draw(st.lists(st.sampled_from(sorted(inside)), unique=True)) if inside else []
        gone = [each for key, each in inside.items() if key not in kept and self.model.things[each].state["present"]]
        holder = scribe.sections[self.model.things[home].key] if parent else None
        wishes = {} if hand.is_stand_in else {each: {"present": False} for each in gone}
        self.let_write(hand, wishes, lambda scribe: scribe.keep_only(holder, kept))

    def let_write(self, hand: Hand, wishes: dict[UUID, State], write: Callable[[Scribe], Any]) -> None:
        """The scribe is to give these things these values, as far as it may. Raises Refused within a step."""
        since = {thing: hand.read.get(self.model.things[thing].key, 1) for thing in wishes}
        held: dict[UUID, State] = {}
        written: list[Change] = []
        proposed: list[Proposal] = []

        def predicted() -> dict[UUID, State]:
            states: dict[UUID, State] = {}
            held.clear()
            for thing, values in wishes.items():
                free, kept = self.model.split(thing, values, since[thing])
                states |= self.model.edited(thing, free, "recipe")
                held.update({thing: kept} if kept and not hand.is_stand_in else {})
            return states

        def verb() -> list[Change]:
            scribe = hand.take_up()
            made, waiting = len(scribe.changes), len(scribe.proposals)
            write(scribe)
            written[:], proposed[:] = scribe.changes[made:], scribe.proposals[waiting:]
            return written

        def leave() -> None:
            self.check_proposals(proposed, held)
            self.check_people(written, since)

        if self.carry_out(predicted, verb, leave) is None and hand.scribe:
            raise Refused

    # What is true of what they did

    def check_proposals(self, proposed: list[Proposal], held: dict[UUID, State]) -> None:
        assert {proposal.object_id: proposal.values for proposal in proposed} == held
        for proposal in proposed:
            self.model.propose(proposal.id, proposal.object_id, held[proposal.object_id])

    def check_people(self, written: list[Change], since: dict[UUID, int]) -> None:
        """Said apart from how it is decided: nothing people did since it was read is written over, nothing is written
        in what is locked; labels follow their texts."""
        for change in written:
            assert not self.model.is_locked(change.object_id)
            if change.path in LABELS:
                continue
            later = self.model.rows_of(change.object_id, since[change.object_id])
            theirs = [row.path for row in later if row.version < change.version and row.author in PEOPLE]
            assert not any(lies_in(path, change.path) for path in theirs), change.path

    def check_told(self, scribe: Scribe) -> None:
        """Followers hear of each object that changed, as it stands now, and of all that waits for a person."""
        told = [json.loads(draft.data) for draft in scribe.drafts()]
        waiting = sorted(each["proposal"] for each in told if "proposal" in each)
        assert waiting == sorted(str(proposal.pk) for proposal in scribe.proposals)
        stands = {change.object_id for change in scribe.changes}
        changed = {UUID(each["id"]): each["version"] for each in told if "version" in each}
        assert changed == {thing: self.model.things[thing].version for thing in stands}
