"""The lives of a document: what people, tools and machines may do to it, beside the model of what comes of it.

Where a verb is refused by the model, it is refused by the house and leaves nothing. What is always true of a document
is said last.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from copy import deepcopy
from functools import partial
from operator import itemgetter
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from generation import documents, sections
from generation.fields import Kind, SectionType
from generation.models import Document, Run, Section
from generation.recipes.course.schema import COURSE, PartFields
from generation.scribe import Scribe
from memory import history
from memory.base.errors import ScriptoriumError
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change, Editable, Proposal, Snapshot
from tests.generation.history_model import (
    MADE,
    NOTATIONS,
    QUESTIONS,
    TEXTS,
    WITHIN,
    Model,
    Refused,
    Row,
    State,
    bare,
    tidy,
)
from tests.people import People

STEPS = 12

Strategy = st.SearchStrategy[Any]

PICK = st.integers(0, 30)
TEXT = st.sampled_from(["one", "two", " three ", "caf\u00e9", "cafe\u0301", "", "x\x00y", None])
STATUS = st.sampled_from(["draft", "ready", "approved", None])
IDS = st.sampled_from("abcde")
ANSWER: Strategy = st.fixed_dictionaries({"id": IDS, "text": TEXT, "is_correct": st.booleans()})
ANSWERS: Strategy = st.lists(ANSWER, max_size=3, unique_by=itemgetter("id"))
RIGHT: Strategy = st.lists(ANSWER, min_size=2, max_size=3, unique_by=itemgetter("id")).map(
    lambda answers: [{**answers[0], "is_correct": True}, *answers[1:]]
)
QUESTION: Strategy = st.fixed_dictionaries({"id": IDS, "text": TEXT}, optional={"answers": RIGHT | RIGHT | ANSWERS})
NICE: Strategy = st.sampled_from([{}, {"difficulty": "hard"}, {"content": "new"}])
ERROR = {"error_code": "model.timeout", "params": {"seconds": 5}}
DRAWING: dict[str, Strategy] = {
    "diagram_type": st.sampled_from([*NOTATIONS, None]),
    "diagram_error": st.sampled_from([ERROR, None]),
}

# A course whose branches hold branches: its own types can never be put under themselves.
BRANCHY = Kind("course", COURSE.fields, {**COURSE.sections, "branch": SectionType(PartFields, within=WITHIN["branch"])})


# A change as a row of the model, in its order.
ROW = ("id", "object_id", "version", "path", "place", "before", "after", "author", "group", "undoes_id")


def row_of(change: Change) -> Row:
    return Row(*(getattr(change, name) for name in ROW))


class Histories(RuleBasedStateMachine):
    people: ClassVar[People]
    document: Document
    born: Model

    def __init__(self) -> None:
        super().__init__()
        self.life = ExitStack()
        self.begin()
        self.model = deepcopy(self.born)
        self.turn = new_id()

    def begin(self) -> None:
        """All lives begin with the same document, and leave it as it was."""
        self.life.enter_context(transaction.atomic())
        self.life.callback(transaction.set_rollback, True)

    def teardown(self) -> None:
        self.life.close()

    # Who and what

    def by(self, kind: str) -> By:
        return By(AuthorKind(kind), self.people.owner, new_id() if kind == "recipe" else None)

    def thing(self, pick: int, *types: str) -> UUID:
        found = [each for each, thing in self.model.things.items() if not types or thing.type in types]
        return found[pick % len(found)]

    def row(self, thing: UUID) -> Editable:
        obj = Document if thing == self.document.id else Section
        found: Editable = obj.whole().get(id=thing)
        return found

    def section(self, thing: UUID) -> Section:
        return Section.whole().get(id=thing)

    def attempt(self, verb: Callable[[], Any], refused: bool) -> Any:
        """The verb does what the model would do, or is refused as in the model, with a type."""
        if not refused:
            return verb()
        with pytest.raises(ScriptoriumError):
            verb()
        return None

    def carry_out(
        self,
        predicted: Callable[[], Any],
        verb: Callable[[], list[Change]],
        leave: Callable[[], None] = lambda: None,
    ) -> list[Change] | None:
        """What the model makes of it, the verb, and what else it leaves. None when it is refused."""
        try:
            outcome = predicted()
        except Refused:
            self.attempt(verb, refused=True)
            return None
        states, versions = outcome if isinstance(outcome, tuple) else (outcome, None)
        changes = self.attempt(verb, refused=False)
        self.model.write(states, [row_of(change) for change in changes], versions)
        leave()
        return list(changes)

    def values(self, thing: UUID, data: st.DataObject) -> State:
        return {path: data.draw(strategy) for path, strategy in self.some_paths(thing, data)}

    def some_paths(self, thing: UUID, data: st.DataObject) -> list[tuple[str, Strategy]]:
        paths = self.paths(thing)
        wanted = data.draw(st.lists(st.sampled_from(sorted(paths)), min_size=1, max_size=3, unique=True))
        return [(path, paths[path]) for path in wanted]

    def paths(self, thing: UUID) -> dict[str, Strategy]:
        there = self.model.things[thing]
        paths: dict[str, Strategy] = {**dict.fromkeys(TEXTS[there.type], TEXT), "status": STATUS}
        if there.type == "document":
            paths["title"] = TEXT
        if there.type == "part":
            paths |= DRAWING
        if there.type == "evaluation":
            paths["time_limit"] = st.sampled_from([10, 60, 120, 5, None])
        if there.type in QUESTIONS:
            paths["questions"] = st.lists(QUESTION, max_size=6, unique_by=itemgetter("id")) | st.none()
            for item in there.state.get("questions", [])[:3]:
                paths |= self.paths_of_item(item)
            if "questions" in there.state:
                paths["questions/new"] = QUESTION | st.none()
        return paths

    def paths_of_item(self, item: State) -> dict[str, Strategy]:
        at = f"questions/{item['id']}"
        paths: dict[str, Strategy] = {at: QUESTION | st.none(), f"{at}/text": TEXT}
        for each in item.get("answers", [])[:2]:
            one = f"{at}/answers/{each['id']}"
            paths |= {one: ANSWER | st.none(), f"{one}/text": TEXT, f"{one}/is_correct": st.booleans()}
        return paths

    # What is done

    @rule()
    def a_new_turn(self) -> None:
        self.turn = new_id()

    @rule(pick=PICK, kind=st.sampled_from(["person", "tool"]), back=st.integers(-1, 6) | st.none(), data=st.data())
    def edit(self, pick: int, kind: str, back: int | None, data: st.DataObject) -> None:
        thing = self.thing(pick)
        expected = None if back is None else self.model.things[thing].version - back
        group = self.turn if data.draw(st.booleans()) else None
        self.edit_thing(thing, self.values(thing, data), kind, expected, group)

    def edit_thing(
        self, thing: UUID, values: State, kind: str, expected: int | None = None, group: UUID | None = None
    ) -> None:
        obj = self.row(thing)
        self.carry_out(
            lambda: self.model.edited(thing, values, kind, expected),
            lambda: history.edit(obj, values, self.by(kind), group=group, expected_version=expected),
        )

    @rule(pick=PICK, data=st.data())
    def edit_items(self, pick: int, data: st.DataObject) -> None:
        thing = self.thing(pick, *QUESTIONS)
        self.edit_thing(thing, self.values(thing, data), "person", group=self.turn)

    @rule(pick=PICK, type=st.sampled_from(sorted(WITHIN)), data=st.data(), kind=st.sampled_from(["person", "tool"]))
    def add(self, pick: int, type: str, data: st.DataObject, kind: str) -> None:
        parent = self.thing(pick) if WITHIN[type] else None
        parent = None if parent == self.document.id else parent
        fields = {name: data.draw(TEXT) for name in TEXTS[type] if name not in MADE}
        after = self.sibling(parent, data)
        fits = parent is not None and self.model.things[parent].type in WITHIN[type] and self.model.shows(parent)
        locked = kind == "tool" and self.model.is_locked(parent)
        section = self.attempt(
            lambda: sections.add(
                self.document,
                type,
                fields,
                self.by(kind),
                parent=self.section(parent) if parent else None,
                after=self.section(after) if after else None,
            ),
            refused=bool(WITHIN[type]) and not fits or locked,
        )
        if section is not None:
            self.check_rank(section.id, parent, after, section.rank)
            self.bear(section, fields, kind)

    def bear(self, section: Section, values: State, author: str) -> None:
        """The model learns of a new section, and holds it to what was asked for."""
        place = {"rank": section.rank, "present": section.present}
        place |= {"parent": str(section.parent_id)} if section.parent_id else {}
        rows = Change.objects.filter(group__in=Change.objects.filter(object_id=section.id).values("group"))
        known = {row.id for row in self.model.log}
        new = [row_of(each) for each in rows.order_by("version", "id") if each.id not in known]
        state = tidy(section.type, {**bare(values), **place})
        self.model.bear(section.id, section.type, state, new, key=section.key, author=author)

    def sibling(self, parent: UUID | None, data: st.DataObject) -> UUID | None:
        return data.draw(st.sampled_from([None, *self.model.within(parent)]))

    def check_rank(self, thing: UUID, parent: UUID | None, after: UUID | None, rank: str) -> None:
        """Right after the one, before the next, and where nobody else stands."""
        beside = {each: self.model.things[each].state["rank"] for each in self.model.within(parent) if each != thing}
        assert rank not in beside.values()
        low = beside.get(after, "") if after and after != thing else ""
        if after != thing:
            assert not [other for other in beside.values() if low < other < rank]
            assert rank > low

    @rule(pick=PICK, to=PICK, data=st.data(), kind=st.sampled_from(["person", "tool"]))
    def move(self, pick: int, to: int, data: st.DataObject, kind: str) -> None:
        thing = self.thing(pick, *WITHIN)
        home = self.model.things[thing].state.get("parent")
        parent: UUID | None = self.thing(to)
        if parent == self.document.id or data.draw(st.booleans()):
            parent = UUID(home) if home else None
        after = self.sibling(parent, data)
        moved: list[str] = []

        def predicted() -> dict[UUID, State]:
            if not self.model.shows(parent) or (kind == "tool" and self.model.is_locked(parent)):
                raise Refused
            rank = moved[0] if moved else "x"
            return self.model.edited(thing, {"parent": str(parent) if parent else None, "rank": rank}, kind)

        def verb() -> list[Change]:
            return sections.move(
                self.section(thing),
                self.by(kind),
                parent=self.section(parent) if parent else None,
                after=self.section(after) if after else None,
            )

        try:
            predicted()
        except Refused:
            self.attempt(verb, refused=True)
            return
        changes = self.attempt(verb, refused=False)
        moved.append(self.section(thing).rank)
        states = predicted()
        self.check_rank(thing, parent, after, moved[0])
        self.model.write(states, [row_of(change) for change in changes])

    @rule(
        pick=PICK, kind=st.sampled_from(["person", "tool"]), how=st.sampled_from(["lock", "unlock", "remove", "turn"])
    )
    def treat_whole(self, pick: int, kind: str, how: str) -> None:
        self.treat(self.thing(pick, *(QUESTIONS if how == "turn" else WITHIN)), kind, how)

    def treat(self, thing: UUID, kind: str, how: str) -> None:
        """Lock or unlock it, remove it, or turn the order of its questions round."""
        by = self.by(kind)
        turned = self.model.things[thing].state.get("questions", [])[::-1]
        ways: dict[str, tuple[State, Callable[[Section], list[Change]]]] = {
            "lock": ({"locked": True}, partial(sections.lock, by=by)),
            "unlock": ({"locked": False}, partial(sections.lock, by=by, locked=False)),
            "remove": ({"present": False}, partial(sections.remove, by=by)),
            "turn": ({"questions": turned}, partial(sections.edit, values={"questions": turned}, by=by)),
        }
        values, verb = ways[how]
        self.carry_out(lambda: self.model.edited(thing, values, kind), lambda: verb(self.section(thing)))

    @rule(pick=PICK, nth=st.integers(0, 7), data=st.data())
    def edit_nonsense(self, pick: int, nth: int, data: st.DataObject) -> None:
        thing = self.thing(pick)
        obj = self.row(thing)
        nonsense: list[State] = [
            {"unknown": "x"},
            {"title": "x" * 5_000},
            {"questions/none/text": "x"},
            {"status": "finished"},
            {"rank": "x" * 101},
            {"parent": str(thing)},
            {"questions": [{}] * 41},
            {"status": "ready", "status/x": "y"},
        ]
        self.attempt(
            lambda: history.edit(obj, {**nonsense[nth], **data.draw(NICE)}, self.by("person")),
            refused=True,
        )

    # What is taken back

    @precondition(lambda self: self.lived())
    @rule(pick=st.integers(0, 15))
    def undo(self, pick: int) -> None:
        """One of the changes of this life, the newest most often."""
        self.undo_row(self.lived()[-1 - pick % len(self.lived())])

    def lived(self) -> list[Row]:
        return self.model.log[len(self.born.log) :]

    @rule(pick=st.integers(0, 10_000))
    def undo_any(self, pick: int) -> None:
        self.undo_row(self.model.log[pick % len(self.model.log)])

    @precondition(lambda self: any(row.undoes for row in self.model.log))
    @rule(pick=PICK)
    def redo(self, pick: int) -> None:
        undos = [row for row in self.model.log if row.undoes]
        self.undo_row(undos[-1 - pick % len(undos)])

    def undo_row(self, row: Row) -> None:
        change = Change.objects.get(id=row.id)
        done = self.carry_out(
            lambda: self.model.undone(self.model.going_along(row)), lambda: history.undo(change, self.people.teammate)
        )
        if done:
            self.again(lambda: history.undo(change, self.people.owner))

    @rule(pick=st.integers(0, 8))
    def undo_group(self, pick: int) -> None:
        groups = list(dict.fromkeys(row.group for row in reversed(self.model.log)))
        self.undo_all_of(groups[pick % len(groups)])

    def undo_all_of(self, group: UUID) -> None:
        done = self.carry_out(
            lambda: self.model.undone([row for row in self.model.log if row.group == group]),
            lambda: history.undo_group(group, self.people.teammate),
        )
        if done:
            self.again(lambda: history.undo_group(group, self.people.owner))

    def again(self, verb: Callable[[], list[Change]]) -> None:
        """Undone twice is undone once."""
        assert verb() == []

    @precondition(lambda self: self.model.snapshots)
    @rule(pick=PICK)
    def restore(self, pick: int) -> None:
        saved = list(self.model.snapshots)
        thing, group = saved[-1 - pick % len(saved)]
        state = self.model.snapshots[thing, group]
        snapshot = Snapshot.objects.get(object_id=thing, group=group)
        self.carry_out(
            lambda: self.model.followed(self.model.placed({thing: deepcopy(state)}), "person"),
            lambda: history.restore(snapshot, self.people.teammate),
        )

    @precondition(lambda self: self.model.proposals)
    @rule(pick=PICK, accepted=st.booleans())
    def decide(self, pick: int, accepted: bool) -> None:
        waiting = list(self.model.proposals)
        self.decide_on(waiting[-1 - pick % len(waiting)], accepted)

    def decide_on(self, proposal_id: UUID, accepted: bool) -> None:
        proposal = Proposal.objects.get(id=proposal_id)

        def predicted() -> dict[UUID, State]:
            thing, values, state = self.model.proposals[proposal_id]
            if state != "open":
                raise Refused
            return self.model.edited(thing, values, "person") if accepted else {}

        def verb() -> list[Change]:
            if accepted:
                return history.accept(proposal, self.people.teammate)
            history.reject(proposal, self.people.teammate)
            return []

        def leave() -> None:
            thing, values, _ = self.model.proposals[proposal_id]
            self.model.proposals[proposal_id] = (thing, values, "accepted" if accepted else "rejected")

        self.carry_out(predicted, verb, leave)

    # What is always true

    @invariant()
    def rows_are_what_was_done(self) -> None:
        """No more, no fewer: a refused verb left none."""
        rows = [Row(*facts) for facts in Change.objects.filter(root_id=self.document.id).values_list(*ROW)]
        assert len(rows) == len(self.model.log)
        assert {row.id: row for row in rows} == {row.id: row for row in self.model.log}

    @invariant()
    def objects_stand_as_in_the_model(self) -> None:
        objects = [Document.whole().get(id=self.document.id), *Section.objects.filter(document=self.document)]
        assert {obj.pk for obj in objects} == set(self.model.things)
        for obj in objects:
            there = self.model.things[obj.pk]
            assert obj.state() == there.state
            assert obj.version == there.version

    @invariant()
    def snapshots_and_proposals_are_what_was_kept(self) -> None:
        saved = Snapshot.objects.filter(root_id=self.document.id)
        assert {(each.object_id, each.group): each.state for each in saved} == self.model.snapshots
        proposals = Proposal.objects.filter(root_id=self.document.id)
        assert {each.id: (each.object_id, each.values, each.state) for each in proposals} == self.model.proposals


def a_course(people: People) -> Document:
    """One chapter that people made, one that a machine did, with a lesson it wrote and exercises it could not write."""
    by = By.person(people.owner)
    document = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    first = sections.add(document, "chapter", {"title": "For"}, by)
    answers = [{"id": "x", "text": "That", "is_correct": True}, {"id": "y"}, {"id": "z", "is_correct": True}]
    questions = [{"id": "a", "text": "What?", "answers": answers}, {"id": "b"}]
    sections.add(document, "evaluation", {"questions": questions}, by, parent=first)
    one, _ = (sections.add(document, "branch", {}, by, parent=first) for _ in range(2))
    sections.add(document, "branch", {}, by, parent=one)
    run = Run(workspace=people.workspace, user=people.owner, document=document, kind="course")
    scribe, stand_in = Scribe(run, "lesson", {}), Scribe(run, "exercises", {}, ERROR)
    second = scribe.plan_section("second", "chapter", {"title": "While"})
    lesson = scribe.write_section("second/lesson", {}, "lesson", second)
    scribe.write_section("second/lesson/part-1", {"title": "Why", "content": "Because."}, "part", lesson)
    exercises = stand_in.write_section("second/exercises", {}, "exercises", second)
    block = {"questions": questions}
    stand_in.write_section("second/exercises/block-1", block, "exercise_block", exercises)
    return document


def model_of(document: Document) -> Model:
    model = Model()
    for obj in [document, *Section.objects.filter(document=document).order_by("id")]:
        kind, key = (obj.type, obj.key) if isinstance(obj, Section) else ("document", "")
        rows = [row_of(change) for change in Change.objects.filter(object_id=obj.pk).order_by("version", "id")]
        model.bear(obj.pk, kind, obj.state(), rows, key=key, author=rows[0].author)
    return model


def live(lives: type[Histories], examples: int, **facts: Any) -> None:
    """So many lives, begun with these facts; without HISTORY_EXAMPLES the same ones every time."""
    run_state_machine_as_test(
        type("Lives", (lives,), facts),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize="HISTORY_EXAMPLES" not in os.environ,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
