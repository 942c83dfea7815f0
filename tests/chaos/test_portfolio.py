"""A portfolio of 25 use cases whose processes die while they are written: each case once and whole, one summary."""

from random import Random
from signal import SIGKILL
from typing import Any
from uuid import UUID

from tests.chaos.invariants import Sql, check, check_documents, states, until_settled
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack, kill

COUNT = 25
DONE = """
SELECT count(*) FROM generation_step
WHERE run_id = %s AND state = 'done' AND (key LIKE '%%/texts' OR key LIKE '%%/scores')
"""
CASES = """
SELECT d.id::text, d.title, d.fields ?& ARRAY['description', 'value_scores', 'complexity_scores', 'risks']
FROM generation_document d JOIN generation_run r ON r.document_id = d.parent_id
WHERE r.id = %s AND d.kind = 'use_case' ORDER BY d.id
"""
ORDER = (
    "SELECT d.fields->'cases' FROM generation_document d JOIN generation_run r ON r.document_id = d.id WHERE r.id = %s"
)
SUMMARIES = """
SELECT count(*) FROM generation_document d JOIN generation_run r ON r.document_id = d.parent_id
WHERE r.id = %s AND d.kind = 'executive_summary'
"""
TWICE = """
SELECT c.object_id, c.path FROM memory_change c JOIN generation_document d ON d.id = c.root_id
JOIN generation_run r ON r.document_id = d.parent_id
WHERE r.id = %s GROUP BY c.object_id, c.path HAVING count(*) > 1
"""


def first(sql: Sql, query: str, run: UUID) -> Any:
    row = sql.execute(query, [run]).fetchone()
    assert row
    return row[0]


def test_a_portfolio_survives_a_kill_in_the_middle(stack: Stack) -> None:
    stack.model(first_token_ms=100, tokens_per_second=300)
    run = stack.begin(kind="use_case_list", brief="Use cases for a dairy.", requested_count=COUNT)
    chance = Random(1)
    with stack.sql() as sql:
        for done, whole_machine in ((5, False), (20, True)):
            wait_until(lambda least=done: first(sql, DONE, run) >= least, f"{done} parts of cases")  # type: ignore[misc]
            struck = stack.one_horse(chance)
            assert struck
            horse, worker = struck
            if whole_machine:
                worker.send(SIGKILL)
            kill(horse)
        until_settled(sql, [run])
        assert states(sql, [run]) == {"done": 1}
        assert check(sql, [run], stack.stats()["log"]) == []
        assert check_documents(sql, [run]) == []
        assert first(sql, DONE, run) == 2 * COUNT
        cases = sql.execute(CASES, [run]).fetchall()
        assert len(cases) == len({title for _, title, _ in cases}) == COUNT
        assert all(is_whole for *_, is_whole in cases)
        assert sorted(first(sql, ORDER, run)) == [key for key, *_ in cases]
        assert first(sql, SUMMARIES, run) == 1
        assert sql.execute(TWICE, [run]).fetchall() == []
