"""What the history promises, said a second time in plain Python: states, a log, and what may be undone.

Nothing of `memory.history` or `memory.base.paths` is used here. Where rows are facts (which changes a write made), the
model takes them as they are and holds them to the truth: what was before, what is after, in which version.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

State = dict[str, Any]

PEOPLE = ("person", "tool", "undo")
LABELS = {"status", "fallback"}
DRAWN = {"diagram_type", "diagram_code", "diagram", "diagram_error"}  # of one diagram: they go one way together
MADE = ("diagram", "diagram_error")  # from the other two: they go when people change one of those
NOTATIONS = ("mermaid", "graphviz")
WITHIN: dict[str, tuple[str, ...]] = {
    "chapter": (),
    "lesson": ("chapter",),
    "part": ("lesson",),
    "branch": ("chapter", "branch"),
    "exercises": ("chapter",),
    "exercise_block": ("exercises",),
    "evaluation": ("chapter",),
}
TEXTS: dict[str, dict[str, int]] = {
    "document": {"description": 2_000, "difficulty": 100},
    "chapter": {"title": 100, "description": 1_000},
    "lesson": {},
    "exercises": {},
    "part": {"title": 200, "content": 200_000, "diagram_code": 20_000, "diagram": 64},
    "branch": {"title": 200, "content": 200_000},
    "exercise_block": {"topic": 200},
    "evaluation": {},
}
QUESTIONS = {"exercise_block": 5, "evaluation": 40}
HOLDERS = ("lesson", "exercises")
BODIES = {"part": "content", "exercise_block": "questions", "evaluation": "questions"}
COLUMNS = {
    True: {"title", "language", "folder", "status", "present"},
    False: {"parent", "rank", "status", "present", "locked", "fallback"},
}
DEFAULTS: dict[bool, State] = {
    True: {"title": "", "language": "en", "status": "draft", "present": False},
    False: {"status": "draft", "present": False, "locked": False},
}


class Refused(Exception):
    """The model would not do that."""


@dataclass(frozen=True)
class Row:
    """A change, as the database holds it."""

    id: UUID
    thing: UUID
    version: int
    path: str
    place: int | None
    before: Any
    after: Any
    author: str
    group: UUID
    undoes: UUID | None


@dataclass
class Thing:
    type: str
    state: State
    key: str = ""
    version: int = 0
    replayed: State = field(default_factory=dict)


@dataclass
class Model:
    things: dict[UUID, Thing] = field(default_factory=dict)
    log: list[Row] = field(default_factory=list)
    snapshots: dict[tuple[UUID, UUID], State] = field(default_factory=dict)
    proposals: dict[UUID, tuple[UUID, State, str]] = field(default_factory=dict)

    # What is asked of it

    def rows_of(self, thing: UUID, since: int = 0) -> list[Row]:
        return [row for row in self.log if row.thing == thing and row.version > since]

    def is_locked(self, thing: UUID | str | None) -> bool:
        while thing is not None:
            state = self.things[UUID(str(thing))].state
            if state.get("locked"):
                return True
            thing = state.get("parent")
        return False

    def shows(self, thing: UUID | str | None) -> bool:
        while thing is not None:
            state = self.things[UUID(str(thing))].state
            if not state["present"]:
                return False
            thing = state.get("parent")
        return True

    def within(self, thing: UUID | None) -> list[UUID]:
        """What stands right in it; without one, in the document."""
        held = str(thing) if thing else None
        own = [(each, other) for each, other in self.things.items() if other.type != "document"]
        return [each for each, other in own if other.state.get("parent") == held]

    def below(self, thing: UUID) -> list[UUID]:
        return [found for each in self.within(thing) for found in (each, *self.below(each))]

    def at(self, key: str) -> UUID | None:
        return next((each for each, thing in self.things.items() if thing.key == key), None)

    def is_text(self, thing: UUID) -> bool:
        return is_text(self.things[thing].type, self.things[thing].state)

    def is_written(self, thing: UUID) -> bool:
        """Whether it holds a text, a machine's or a person's, and no stand-in for one."""
        there = self.things[thing]
        if there.state.get("fallback"):
            return False
        if there.type in HOLDERS and any(self.is_text(each) for each in self.within(thing)):
            return True
        return there.state["status"] != "draft" or BODIES.get(there.type, "") in there.state

    def is_undone(self, row: UUID) -> bool:
        return any(not self.is_undone(each.id) for each in self.log if each.undoes == row)

    # What is done to it

    def edited(
        self, thing: UUID, values: Mapping[str, Any], author: str, expected: int | None = None
    ) -> dict[UUID, State]:
        there = self.things[thing]
        if author == "tool" and self.is_locked(thing):
            raise Refused
        is_removed = values.get("present") is False
        if author == "tool" and is_removed and any(self.things[each].state.get("locked") for each in self.below(thing)):
            raise Refused
        if expected is not None:
            if not 0 <= expected <= there.version:
                raise Refused
            if any(lies_in(row.path, path) for row in self.rows_of(thing, expected) for path in values):
                raise Refused
        names = list(values)
        if any(lies_in(one, other) for n, one in enumerate(names) for other in names[:n]):
            raise Refused
        values = self.implied(there, {path: bare(value) for path, value in values.items()}, author)
        state = deepcopy(there.state)
        for path, value in values.items():
            put(state, path, value)
        return self.followed(self.placed({thing: tidy(there.type, state)}), author)

    def implied(self, there: Thing, values: State, author: str) -> State:
        """With what goes along when these are written."""
        if there.state.get("fallback") and any(path.split("/")[0] not in COLUMNS[False] for path in values):
            values = {"fallback": None, "status": "ready", **values}
        if there.type == "part" and author != "recipe":
            changed = any(path in values and values[path] != there.state.get(path) for path in DRAWN - {*MADE})
            values = {**(dict.fromkeys(MADE) if changed else {}), **values}
        return values

    def followed(self, states: dict[UUID, State], author: str) -> dict[UUID, State]:
        """With what becomes of a stand-in that only holds others when a text comes to stand in it."""
        after = dict(states)
        for thing, state in states.items():
            there = self.things[thing]
            holder = state.get("parent")
            above = self.things[UUID(holder)] if holder else None
            if above is None or above.type not in HOLDERS or not above.state.get("fallback") or author == "undo":
                continue
            if is_text(there.type, state) and is_arrival(there.state, state):
                kept = {name: value for name, value in above.state.items() if name != "fallback"}
                after[UUID(str(holder))] = {**kept, "status": "ready"}
        return after

    def placed(self, states: dict[UUID, State]) -> dict[UUID, State]:
        """Each stands where it may, among all the others as they then are."""
        all_states = {each: states.get(each, other.state) for each, other in self.things.items()}
        for thing in states:
            kind, passed, above = self.things[thing].type, {thing}, all_states[thing].get("parent")
            if kind == "document":
                continue
            if (above is None) != (WITHIN[kind] == ()) or not all_states[thing].get("rank"):
                raise Refused
            if above is not None:
                parent = self.things.get(UUID(above))
                if parent is None or parent.type not in WITHIN[kind]:
                    raise Refused
            while above is not None:
                if UUID(above) in passed:
                    raise Refused
                passed.add(UUID(above))
                above = all_states[UUID(above)].get("parent")
        return states

    def undone(self, rows: Iterable[Row]) -> tuple[dict[UUID, State], dict[UUID, int]]:
        """The states after these are taken back, and how many versions that makes of each."""
        states: dict[UUID, State] = {}
        versions: dict[UUID, int] = {}
        rows = list(rows)
        for thing in {row.thing for row in rows}:
            own = [row for row in rows if row.thing == thing and not self.is_undone(row.id)]
            if created := [row for row in rows if (row.thing, row.path, row.version) == (thing, "present", 1)]:
                if created[0] in own and replay(own) != self.things[thing].state:
                    raise Refused
                own = [row for row in created if row in own]
            states[thing], versions[thing] = self.taken_back(thing, own)
        return self.placed(states), versions

    def taken_back(self, thing: UUID, rows: list[Row]) -> tuple[State, int]:
        state, made = deepcopy(self.things[thing].state), 0
        layers = sorted({row.version for row in rows}, reverse=True)
        for layer in layers:
            was = deepcopy(state)
            for row in sorted((row for row in rows if row.version == layer), key=lambda row: row.id, reverse=True):
                if look(state, row.path) != row.after:
                    raise Refused
                put(state, row.path, row.before, row.place)
            if layer == layers[-1]:
                state = tidy(self.things[thing].type, state)
            made += state != was
        return state, made

    def going_along(self, row: Row) -> list[Row]:
        beside = [each for each in self.log if (each.thing, each.version) == (row.thing, row.version) and each != row]
        if row.path in ("parent", "rank"):
            return [row, *[each for each in beside if each.path in ("parent", "rank")]]
        if row.path == "present" and row.version == 1:
            return [each for each in self.log if (each.thing, each.group) == (row.thing, row.group)]
        labels = LABELS if self.things[row.thing].type != "document" else set()
        texts = [each for each in beside if each.path not in labels]
        if row.path in labels or not all(self.is_undone(each.id) for each in texts):
            return [row]
        state = self.things[row.thing].state
        return [row, *[each for each in beside if each.path in labels and look(state, each.path) == each.after]]

    def read_by(self, again: Iterable[str]) -> dict[str, int]:
        """The versions that a run reads: of what it makes again the newest, of the rest the newest by a machine."""
        read = {}
        for thing, there in self.things.items():
            by_machine = [row.version for row in self.rows_of(thing) if row.author == "recipe"]
            asked = not there.key or any(lies_in_or_is(there.key, step) for step in again)
            read[there.key] = there.version if asked else max(by_machine, default=1)
        return read

    def split(self, thing: UUID, values: State, read: int) -> tuple[State, State]:
        """What of a machine's write is written, and what is proposed."""
        there = self.things[thing]
        labels = LABELS if there.type != "document" else set()
        theirs = [row for row in self.rows_of(thing, read) if row.author in PEOPLE]
        held = {path for path in values if self.is_locked(thing) or any(lies_in(row.path, path) for row in theirs)}
        below = [row for row in self.log if row.thing in self.below(thing) and row.author in PEOPLE]
        made = [row for row in self.rows_of(thing, 0) if row.version == 1 and row.author in PEOPLE]
        if values.get("present") is False and (theirs or below or made):
            held.add("present")
        if any(lies_in(path, row.path) for row in theirs for path in DRAWN):
            held |= DRAWN & set(values)
        if held and not set(values) - held - labels:
            held |= labels & set(values)
        values = {path: bare(value) for path, value in values.items()}
        proposed = {path: values[path] for path in held - labels if look(there.state, path) != values[path]}
        return {path: value for path, value in values.items() if path not in held}, proposed

    def propose(self, proposal: UUID, thing: UUID, values: State) -> None:
        """It says newer what older open ones say of nothing but the same."""
        for older, (about, said, state) in self.proposals.items():
            if about == thing and state == "open" and set(said) <= set(values):
                self.proposals[older] = (about, said, "superseded")
        self.proposals[proposal] = (thing, values, "open")

    def bear(
        self, thing: UUID, type: str, state: State, rows: list[Row], *, key: str = "", author: str = "person"
    ) -> None:
        """A new object, with the rows that claim to have made it. Before it there was nothing to keep."""
        self.things[thing] = Thing(type, {}, key)
        self.write(self.followed({thing: state}, author), rows)
        self.snapshots = {kept: saved for kept, saved in self.snapshots.items() if saved}

    def write(self, states: dict[UUID, State], rows: list[Row], versions: dict[UUID, int] | None = None) -> None:
        """Take over new states, and the rows that claim to have led there."""
        for thing, state in states.items():
            there = self.things[thing]
            own = [row for row in rows if row.thing == thing]
            steps = (versions or {}).get(thing, 1) if state != there.state else 0
            assert sorted({row.version for row in own}) == list(range(there.version + 1, there.version + 1 + steps))
            for row in own:
                if row.group not in {each.group for each in self.log if each.thing == thing}:
                    self.snapshots.setdefault((thing, row.group), deepcopy(there.state))
                assert look(there.replayed, row.path) == row.before, row
                put(there.replayed, row.path, row.after, row.place)
                assert look(there.replayed, row.path) == row.after, row
            there.state, there.version = state, there.version + steps
            assert there.replayed == there.state
        assert {row.thing for row in rows} <= set(states)
        self.log += rows


def lies_in(one: str, other: str) -> bool:
    return (one + "/").startswith(other + "/") or (other + "/").startswith(one + "/")


def lies_in_or_is(key: str, step: str) -> bool:
    return f"{key}/".startswith(f"{step}/")


def is_text(type: str, state: State) -> bool:
    """It shows, and holds a text of its own, no stand-in for one."""
    return state["present"] and not state.get("fallback") and BODIES.get(type, "") in state


def is_arrival(before: State, after: State) -> bool:
    """Something was written, or came to stand here."""
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return bool(changed & {"present", "parent", "fallback"} or changed - COLUMNS[False])


def look(value: Any, path: str) -> Any:
    for part in path.split("/"):
        if isinstance(value, list):
            value = next((item for item in value if item["id"] == part), None)
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def put(state: State, path: str, value: Any, place: int | None = None) -> None:
    way, _, last = path.rpartition("/")
    holder = look(state, way) if way else state
    if isinstance(holder, dict):
        holder[last] = deepcopy(value)
        if value is None:
            del holder[last]
    elif isinstance(holder, list):
        places = [n for n, item in enumerate(holder) if item["id"] == last]
        if value is not None and not isinstance(value, dict):
            raise Refused
        new = [] if value is None else [{**deepcopy(value), "id": last}]
        at = places[0] if places else (len(holder) if place is None else place)
        holder[at : at + len(places)] = new
    elif value is not None:
        raise Refused


def replay(rows: list[Row]) -> State:
    state: State = {}
    for row in rows:
        put(state, row.path, row.after, row.place)
    return state


def bare(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {key: bare(below) for key, below in value.items() if below is not None}
    return [bare(below) for below in value if below is not None] if isinstance(value, list) else value


def tidy(type: str, state: State) -> State:
    is_document = type == "document"
    tidied = dict(DEFAULTS[is_document])
    for name, value in state.items():
        kept = value if name in COLUMNS[is_document] else tidy_field(type, name, value)
        if kept is not None:
            tidied[name] = kept
    tidied |= {"title": tidied["title"].strip()} if is_document else {}
    if tidied["status"] not in ("draft", "ready", "approved", "archived") or len(tidied.get("title", "")) > 200:
        raise Refused
    if not is_document and not 0 < len(tidied.get("rank", "")) <= 100:
        raise Refused
    return tidied


def tidy_field(type: str, name: str, value: Any) -> Any:
    if name == "questions" and type in QUESTIONS:
        return some([question(each) for each in value], QUESTIONS[type])
    if type == "part" and name == "diagram_error":
        return value
    if type == "part" and name == "diagram_type" and value not in NOTATIONS:
        raise Refused
    if name == "diagram_type":
        return value
    if name == "time_limit" and type == "evaluation":
        if not 10 <= value <= 120:
            raise Refused
        return value
    return text(value, TEXTS[type].get(name, -1))


def text(value: Any, most: int) -> str | None:
    if not isinstance(value, str) or len(value.strip()) > most:
        raise Refused
    return value.strip() or None


def question(value: State) -> State:
    tidied = {"id": value["id"]}
    if "text" in value and (kept := text(value["text"], 1_000)):
        tidied["text"] = kept
    if "answers" in value:
        answers = some([answer(each) for each in value["answers"]], 5)
        if answers and (len(answers) < 2 or not any(each["is_correct"] for each in answers)):
            raise Refused
        tidied["answers"] = answers
    return tidied


def answer(value: State) -> State:
    kept = text(value.get("text", ""), 1_000)
    return {"id": value["id"], **({"text": kept} if kept else {}), "is_correct": value.get("is_correct", False)}


def some(items: list[State], most: int) -> list[State]:
    if len(items) > most:
        raise Refused
    return items
