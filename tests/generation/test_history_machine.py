"""Whatever people, tools and machines do to a document, in whatever order: the history is true, and can be undone.

`HISTORY_EXAMPLES` says how many documents are lived through (`make chaos`: 2 000). Without it every run lives the same
ones.
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
from generation.kinds import KINDS
from generation.models import Document, Section
from generation.recipes.course.schema import COURSE, PartFields
from memory import history
from memory.base.errors import ScriptoriumError
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change, Editable, Proposal, Snapshot
from tests.generation.history_model import LABELS, QUESTIONS, TEXTS, WITHIN, Model, Refused, Row, State, tidy
from tests.people import People

EXAMPLES = int(os.environ.get("HISTORY_EXAMPLES", "200"))
AT_ONCE = 200  # a test of its own for each so many: pytest ends one that takes longer than it may
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

# A course whose branches hold branches: its own types can never be put under themselves.
BRANCHY = Kind("course", COURSE.fields, {**COURSE.sections, "branch": SectionType(PartFields, within=WITHIN["branch"])})


def row_of(change: Change) -> Row:
    return Row(
        change.id,
        change.object_id,
        change.version,
        change.path,
        change.place,
        change.before,
        change.after,
        str(change.author),
        change.group,
        change.undoes_id,
    )


class Histories(RuleBasedStateMachine):
    people: ClassVar[People]
    document: ClassVar[Document]
    born: ClassVar[Model]

    def __init__(self) -> None:
        super().__init__()
        self.life = ExitStack()
        self.life.enter_context(transaction.atomic())
        self.life.callback(transaction.set_rollback, True)
        self.model = deepcopy(self.born)
        self.turn = new_id()

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

    def carry_out(self, predicted: Callable[[], Any], verb: Callable[[], list[Change]]) -> list[Change] | None:
        try:
            outcome = predicted()
        except Refused:
            self.attempt(verb, refused=True)
            return None
        states, versions = outcome if isinstance(outcome, tuple) else (outcome, None)
        changes = self.attempt(verb, refused=False)
        self.model.write(states, [row_of(change) for change in changes], versions)
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
        values, obj = self.values(thing, data), self.row(thing)
        expected = None if back is None else self.model.things[thing].version - back
        group = self.turn if data.draw(st.booleans()) else None
        self.carry_out(
            lambda: self.model.edited(thing, values, kind, expected),
            lambda: history.edit(obj, values, self.by(kind), group=group, expected_version=expected),
        )

    @rule(pick=PICK, data=st.data())
    def edit_items(self, pick: int, data: st.DataObject) -> None:
        thing = self.thing(pick, *QUESTIONS)
        values, obj = self.values(thing, data), self.row(thing)
        self.carry_out(
            lambda: self.model.edited(thing, values, "person"),
            lambda: history.edit(obj, values, self.by("person"), group=self.turn),
        )

    @rule(pick=PICK, data=st.data(), back=st.integers(0, 6), labelled=st.sampled_from([None, ERROR, "removed"]))
    def write_by_machine(self, pick: int, data: st.DataObject, back: int, labelled: Any) -> None:
        thing = self.thing(pick)
        values = self.values(thing, data)
        if thing != self.document.id:
            labels = {"fallback": labelled, "status": "draft" if labelled else "ready"}
            values = {"present": False} if labelled == "removed" else {**values, **labels}
        read = max(0, self.model.things[thing].version - back)
        written: list[history.Written] = []

        def predicted() -> dict[UUID, State]:
            free, _ = self.model.split(thing, values, read)
            return self.model.edited(thing, free, "recipe")

        def verb() -> list[Change]:
            by = self.by("recipe")
            written.append(history.write_as_recipe(self.row(thing), values, by, read_version=read, group=self.turn))
            return written[0].changes

        _, held = self.model.split(thing, values, read)
        theirs = {path: self.what_stands(thing, path, read) for path in values}
        if self.carry_out(predicted, verb) is not None:
            proposal = written[0].proposal
            assert (proposal.values if proposal else {}) == held
            if proposal:
                self.model.propose(proposal.id, thing, held)
            for path, stood in theirs.items():
                assert stood is None or self.what_stands(thing, path, 0) == stood, "a machine wrote over a person"

    def what_stands(self, thing: UUID, path: str, since: int) -> Any:
        """What people left at the path after this version; None when they did not touch it, or took it away."""
        rows = Change.objects.filter(object_id=thing, version__gt=since, path=path).exclude(author=AuthorKind.RECIPE)
        stands = rows.exists() and path not in LABELS
        return deepcopy(self.model.things[thing].state.get(path)) if stands else None

    @rule(pick=PICK, type=st.sampled_from(sorted(WITHIN)), data=st.data(), kind=st.sampled_from(["person", "tool"]))
    def add(self, pick: int, type: str, data: st.DataObject, kind: str) -> None:
        parent = self.thing(pick) if WITHIN[type] else None
        parent = None if parent == self.document.id else parent
        fields = {name: data.draw(TEXT) for name in TEXTS[type]}
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
            place = {"rank": section.rank, "present": True, **({"parent": str(parent)} if parent else {})}
            self.check_rank(section.id, parent, after, section.rank)
            state = tidy(type, {**{k: v.replace("\x00", "") for k, v in fields.items() if v is not None}, **place})
            self.model.bear(section.id, type, state, [row_of(change) for change in changes_of(section.id)])
            group = Change.objects.filter(object_id=section.id).values("group")[:1]
            rows = [row_of(each) for each in Change.objects.filter(group=group).exclude(object_id=section.id)]
            self.model.write(self.model.unlabelled(section.id, kind), rows)

    def sibling(self, parent: UUID | None, data: st.DataObject) -> UUID | None:
        beside = [
            each
            for each, thing in self.model.things.items()
            if thing.type != "document" and thing.state.get("parent") == (str(parent) if parent else None)
        ]
        return data.draw(st.sampled_from([None, *beside]))

    def check_rank(self, thing: UUID, parent: UUID | None, after: UUID | None, rank: str) -> None:
        """Right after the one, before the next, and where nobody else stands."""
        home = str(parent) if parent else None
        beside = {
            each: other.state["rank"]
            for each, other in self.model.things.items()
            if each != thing and other.type != "document" and other.state.get("parent") == home
        }
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
        """Lock or unlock it, remove it, or turn the order of its questions round."""
        thing = self.thing(pick, *(QUESTIONS if how == "turn" else WITHIN))
        by = self.by(kind)
        turned = self.model.things[thing].state.get("questions", [])[::-1]
        ways: dict[str, tuple[State, Callable[[Section], list[Change]]]] = {
            "lock": ({"locked": True}, partial(sections.lock, by=by)),
            "unlock": ({"locked": False}, partial(sections.lock, by=by, locked=False)),
            "remove": ({"present": False}, partial(sections.remove, by=by)),
            "turn": ({"questions": turned}, partial(sections.edit, values={"questions": turned}, by=by)),
        }
        values, verb = ways[how]

        def predicted() -> dict[UUID, State]:
            states = self.model.edited(thing, values, kind)
            is_written = how == "turn" and states[thing] != self.model.things[thing].state
            return {**states, **(self.model.unlabelled(thing, kind) if is_written else {})}

        self.carry_out(predicted, lambda: verb(self.section(thing)))

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
        group = groups[pick % len(groups)]
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
            lambda: self.model.placed({thing: deepcopy(state)}),
            lambda: history.restore(snapshot, self.people.teammate),
        )

    @precondition(lambda self: self.model.proposals)
    @rule(pick=PICK, accepted=st.booleans())
    def decide(self, pick: int, accepted: bool) -> None:
        waiting = list(self.model.proposals)
        proposal_id = waiting[-1 - pick % len(waiting)]
        thing, values, state = self.model.proposals[proposal_id]
        proposal = Proposal.objects.get(id=proposal_id)

        def predicted() -> dict[UUID, State]:
            if state != "open":
                raise Refused
            return self.model.edited(thing, values, "person") if accepted else {}

        def verb() -> list[Change]:
            if accepted:
                return history.accept(proposal, self.people.teammate)
            history.reject(proposal, self.people.teammate)
            return []

        if self.carry_out(predicted, verb) is not None:
            self.model.proposals[proposal_id] = (thing, values, "accepted" if accepted else "rejected")

    # What is always true

    @invariant()
    def rows_are_what_was_done(self) -> None:
        """No more, no fewer: a refused verb left none."""
        rows = {change.id: row_of(change) for change in Change.objects.filter(root_id=self.document.id)}
        assert rows == {row.id: row for row in self.model.log}

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


def changes_of(thing: UUID) -> list[Change]:
    return list(Change.objects.filter(object_id=thing).order_by("version", "id"))


def a_course(people: People) -> Document:
    by = By.person(people.owner)
    document = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    first, second = (sections.add(document, "chapter", {"title": title}, by) for title in ("For", "While"))
    lesson = sections.add(document, "lesson", {}, by, parent=first)
    sections.add(document, "part", {"title": "Why", "content": "Because."}, by, parent=lesson)
    answers = [{"id": "x", "text": "That", "is_correct": True}, {"id": "y"}, {"id": "z", "is_correct": True}]
    questions = [{"id": "a", "text": "What?", "answers": answers}, {"id": "b"}]
    exercises = sections.add(document, "exercises", {}, by, parent=first)
    sections.add(document, "exercise_block", {"questions": questions}, by, parent=exercises)
    sections.add(document, "evaluation", {"questions": questions}, by, parent=second)
    one, _ = (sections.add(document, "branch", {}, by, parent=first) for _ in range(2))
    sections.add(document, "branch", {}, by, parent=one)
    return document


def model_of(document: Document) -> Model:
    model = Model()
    for obj in [document, *Section.objects.filter(document=document)]:
        kind = obj.type if isinstance(obj, Section) else "document"
        model.bear(obj.pk, kind, obj.state(), [row_of(change) for change in changes_of(obj.pk)])
    return model


@pytest.mark.parametrize("begun", range(0, EXAMPLES, AT_ONCE))
def test_the_history_is_true_whatever_is_done(begun: int, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "course", BRANCHY)
    document = a_course(people)

    class Lives(Histories):
        pass

    Lives.people, Lives.document, Lives.born = people, Document.whole().get(id=document.id), model_of(document)
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=min(AT_ONCE, EXAMPLES - begun),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="HISTORY_EXAMPLES" not in os.environ,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
