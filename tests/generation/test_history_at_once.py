"""Two verbs at once, again and again: what comes of them is what one after the other would have made, in one order.

Lives as in `test_history_machine`, but committed, so that threads see them; a tenth as many.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from generation.kinds import KINDS
from generation.models import Document
from memory.base.errors import ScriptoriumError
from memory.history.ground import lock_roots
from memory.models import Change
from tests.generation.histories import BRANCHY, PICK, a_course, live, model_of
from tests.generation.history_model import QUESTIONS, WITHIN, Refused
from tests.generation.scribes import TITLES, Hand, Written
from tests.patience import PATIENCE_SECONDS
from tests.people import People

EXAMPLES = max(8, int(os.environ.get("HISTORY_EXAMPLES", "0")) // 10)
AT_ONCE = 100  # as there, in a test of their own each
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND wait_event_type = 'Lock'
"""

Verb = Callable[[], list[Change]]
Deed = tuple[Callable[[], Any], Verb, Callable[[], None]]  # what the model makes of it, the verb, what else it leaves


class Together(Written):
    """Rules of one life are called for the deeds they would do; two of them are then done at once."""

    gathered: list[Deed] | None = None

    def begin(self) -> None:
        self.document = Document.whole().get(id=a_course(self.people).id)
        self.born = model_of(self.document)

    def carry_out(self, predicted: Callable[[], Any], verb: Verb, leave: Callable[[], None] = lambda: None) -> Any:
        if self.gathered is None:
            return super().carry_out(predicted, verb, leave)
        self.gathered.append((predicted, verb, leave))
        return None

    def at_once(self, *rules: Callable[[], None]) -> None:
        self.gathered = []
        for each in rules:
            each()
        deeds, self.gathered = self.gathered, None
        outcomes = self.race([verb for _, verb, _ in deeds])
        before, why = self.model, []
        for order in (range(len(deeds)), reversed(range(len(deeds)))):
            self.model = deepcopy(before)
            try:
                for n in order:
                    self.follow(deeds[n], outcomes[n])
                self.check_all()
            except (AssertionError, Refused, ScriptoriumError, pytest.fail.Exception) as error:
                why.append(error)
            else:
                return
        raise AssertionError(
            f"no order explains {[outcome.exception() or outcome.result() for outcome in outcomes]}", why
        )

    def follow(self, deed: Deed, outcome: "Future[list[Change]]") -> None:
        predicted, _, leave = deed
        super().carry_out(predicted, outcome.result, leave)

    def check_all(self) -> None:
        self.rows_are_what_was_done()
        self.objects_stand_as_in_the_model()
        self.snapshots_and_proposals_are_what_was_kept()

    def race(self, verbs: list[Verb]) -> "list[Future[list[Change]]]":
        """All have begun, and stand before the document's lock, before the first may go on."""
        outcomes: list[Future[list[Change]]] = [Future() for _ in verbs]
        threads = [threading.Thread(target=settle, args=each) for each in zip(outcomes, verbs, strict=True)]
        with transaction.atomic(), connection.cursor() as sql:
            lock_roots([self.document.id])
            for n, thread in enumerate(threads, 1):  # one after the other: the first to come is the first to go on
                thread.start()
                until = time.monotonic() + PATIENCE_SECONDS
                while waiting(sql) + sum(outcome.done() for outcome in outcomes) < n:
                    assert time.monotonic() < until, "neither done nor waiting"
                    time.sleep(0.001)
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        return outcomes

    # What is done at once

    def any_edit(self, data: st.DataObject, thing: UUID) -> None:
        kind = data.draw(st.sampled_from(["person", "tool"]))
        back = data.draw(st.sampled_from([None, None, 0, 1]))
        expected = None if back is None else self.model.things[thing].version - back
        self.edit_thing(thing, self.values(thing, data), kind, expected, self.turn)

    def a_run(self, data: st.DataObject, thing: UUID) -> None:
        """It began some versions of this thing ago."""
        there = self.model.things[thing]
        read = {there.key: max(0, there.version - data.draw(st.integers(0, 3)))}
        hand = Hand(self.run_again([]), read, data.draw(st.booleans()))
        if there.type == "document":
            self.write_document(hand, data.draw(TITLES))
        else:
            self.write_section(hand, thing, data)

    def any_deed(self, data: st.DataObject, thing: UUID) -> None:
        """Something that may be done to this thing, or to what was done to it."""
        rows = self.model.rows_of(thing)
        pick = data.draw(st.integers(0, 3))
        deeds: list[Callable[[], None]] = [
            lambda: self.any_edit(data, thing),
            lambda: self.a_run(data, thing),
            lambda: self.undo_row(rows[-1 - pick % len(rows)]),
            lambda: self.undo_all_of(rows[-1 - pick % len(rows)].group),
        ]
        if self.model.things[thing].type in WITHIN:
            kind = data.draw(st.sampled_from(["person", "tool"]))
            how = data.draw(st.sampled_from(["lock", "unlock", "remove"]))
            deeds.append(lambda: self.treat(thing, kind, how))
        data.draw(st.sampled_from(deeds))()

    @rule(pick=PICK, data=st.data())
    def two_deeds_on_one_thing(self, pick: int, data: st.DataObject) -> None:
        thing = self.thing(pick)
        self.at_once(lambda: self.any_deed(data, thing), lambda: self.any_deed(data, thing))

    @rule(one=PICK, other=PICK, data=st.data())
    def two_deeds(self, one: int, other: int, data: st.DataObject) -> None:
        things = self.thing(one), self.thing(other)
        self.at_once(*(lambda thing=thing: self.any_deed(data, thing) for thing in things))

    @rule(pick=PICK, data=st.data())
    def two_edits_of_items(self, pick: int, data: st.DataObject) -> None:
        thing = self.thing(pick, *QUESTIONS)
        self.at_once(lambda: self.any_edit(data, thing), lambda: self.any_edit(data, thing))

    @rule(pick=st.integers(0, 8))
    def the_same_undo_twice(self, pick: int) -> None:
        row = self.model.log[-1 - pick % len(self.model.log)]
        self.at_once(lambda: self.undo_row(row), lambda: self.undo_row(row))

    @precondition(lambda self: self.model.proposals)
    @rule(pick=PICK, one=st.booleans(), other=st.booleans())
    def two_decisions(self, pick: int, one: bool, other: bool) -> None:
        proposal = list(self.model.proposals)[-1 - pick % len(self.model.proposals)]
        self.at_once(lambda: self.decide_on(proposal, one), lambda: self.decide_on(proposal, other))


def waiting(sql: Any) -> int:
    sql.execute("SELECT pg_stat_clear_snapshot()")
    sql.execute(WAITING)
    return int(sql.fetchone()[0])


def settle(outcome: "Future[list[Change]]", verb: Verb) -> None:
    """Let the verb do it; a refusal is an outcome."""
    try:
        changes = verb()
    except BaseException as error:  # noqa: BLE001 it is raised where the outcome is looked at
        connection.close()
        outcome.set_exception(error)
    else:
        connection.close()
        outcome.set_result(changes)


@pytest.mark.uncounted
@pytest.mark.parametrize("begun", range(0, EXAMPLES, AT_ONCE))
def test_two_at_once_are_as_two_in_some_order(
    begun: int, people_committed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "course", BRANCHY)
    live(Together, min(AT_ONCE, EXAMPLES - begun), people=people_committed)
