"""A rollback holds at once in every process: what begins after the click is asked with the old version."""

import asyncio
from collections import Counter
from uuid import UUID

from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack

SLOT = "note/section"
RUNS = 50
WITHIN_SECONDS = 1.0

OWNERS = "SELECT count(DISTINCT owner) FROM generation_claim WHERE state = 'running' AND run_id = ANY(%s)"
ASKED = """
SELECT count(*) FROM generation_call c JOIN generation_promptversion v ON v.id = c.prompt_version_id
WHERE v.prompt_id = %s AND v.number = %s AND c.run_id = ANY(%s)
"""
SINCE = """
SELECT v.number, c.reason, extract(epoch FROM c.created_at) > %s
FROM generation_call c JOIN generation_promptversion v ON v.id = c.prompt_version_id
WHERE v.prompt_id = %s AND c.run_id = ANY(%s)
"""


async def test_every_call_that_starts_after_the_click_uses_the_old_version(stack: Stack) -> None:
    await asyncio.to_thread(roll_back_amid, stack)


def roll_back_amid(stack: Stack) -> None:
    """With faults, so that many a question is asked again after the click that was first asked before it."""
    newer = stack.ask("rewrite", slot=SLOT, words="Be brief.")
    stack.ask("promote", slot=SLOT, number=newer)
    stack.model(first_token_ms=700, tokens_per_second=150, fault_rate=0.3, faults=["cut", "clean_cut", "error_event"])
    runs = [stack.begin(queue) for _ in range(RUNS // 2) for queue in ("web", "default")]
    wait_until(lambda: stack.number(ASKED, SLOT, newer, runs) >= RUNS, "sections to be asked for")
    assert stack.number(OWNERS, runs) >= 3, "three processes are to be at work"
    in_flight = stack.open_runs(runs)
    clicked = stack.ask("promote", slot=SLOT, number=1)
    stack.model(fault_rate=0)
    wait_until(lambda: stack.open_runs(runs) == 0, "all to end")
    used = calls_since(stack, clicked + WITHIN_SECONDS, runs)
    print(f"{in_flight} of {RUNS} in flight at the click; calls by version, reason and whether after it: {dict(used)}")
    assert in_flight >= RUNS // 2
    assert {number for number, _reason, _is_after in used} == {1, newer}
    assert {number for number, _reason, is_after in used if is_after} == {1}
    assert sum(count for (_number, reason, is_after), count in used.items() if is_after) >= RUNS // 2


def calls_since(stack: Stack, moment: float, runs: list[UUID]) -> Counter[tuple[int, str, bool]]:
    with stack.sql() as sql:
        return Counter(sql.execute(SINCE, [moment, SLOT, runs]).fetchall())
