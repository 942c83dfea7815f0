"""Whatever is killed while text streams, nothing is lost, nothing told twice and nothing paid twice."""

import os

import pytest

from tests.chaos.followers import following
from tests.chaos.invariants import check, check_documents, recorded_texts, states, until_settled
from tests.chaos.stack import Stack
from tests.chaos.storm import Storm

KILLS = int(os.environ.get("CHAOS_KILLS", "50"))
COURSE_KILLS = int(os.environ.get("CHAOS_COURSE_KILLS", "8"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
ROUND = 50  # blows; each round has a seed of its own and is judged alone


@pytest.mark.parametrize("seed", range(SEED, SEED + -(-KILLS // ROUND)))
async def test_nothing_is_lost_whatever_is_killed(stack: Stack, seed: int) -> None:
    await weather(stack, "note", seed, min(ROUND, KILLS))


@pytest.mark.parametrize("seed", range(SEED, SEED + -(-COURSE_KILLS // ROUND)))
async def test_nothing_of_a_course_is_lost_whatever_is_killed(stack: Stack, seed: int) -> None:
    await weather(stack, "course", seed, min(ROUND, COURSE_KILLS))


async def weather(stack: Stack, kind: str, seed: int, blows: int) -> None:
    stack.model(tokens_per_second=400)
    async with following(stack.url) as followers:
        storm = Storm(stack, followers, seed, kind)
        await storm.blow(blows)
        await followers.until_all_ended()
    with stack.sql() as sql:
        until_settled(sql, storm.runs)
        ended = states(sql, storm.runs)
        print(f"seed {seed}: {dict(storm.blows)}; {len(storm.runs)} {kind}s: {dict(ended)}")
        assert check(sql, storm.runs, stack.stats()["log"]) == []
        assert check_documents(sql, storm.runs) == []
        recorded = recorded_texts(sql, storm.runs)
    assert followers.violations(recorded) == []
    # A run that was hit three times before it got one step done is taken for the cause; never another (invariants).
    assert set(ended) <= {"done", "failed run.crashed"}
    assert ended["done"]
    # A course has steps of many seconds, between which a storm like this strikes three times now and then.
    assert kind != "note" or ended["failed run.crashed"] <= max(1, 0.2 * len(storm.runs))
