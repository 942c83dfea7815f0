"""How work is shared out over steps, runs, horses and processes: no more at once than may be, and nothing twice."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import django_rq
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from generation import claims
from generation.carrier import Carrier
from generation.jobs import carry_runs
from generation.models import Call, Claim, Event, Queue, Run, RunState, Step
from generation.nudges import CARRY
from memory.base.database import db as in_database
from tests.generation.conftest import Demo, Start, ended, state_of
from tests.generation.workers import broken_rules, working


@pytest.fixture(autouse=True)
def empty_queues() -> None:
    django_rq.get_queue(Queue.LOW).empty()


async def carried(*runs: Run) -> None:
    """What a worker does when it is nudged for these, in this process."""
    for run in runs:
        await carry_runs(Queue.LOW, run.id)


def nudged() -> list[Run]:
    """For what the workers have been nudged; on a slow machine the sweep repeats it."""
    return [Run.objects.get(id=job.args[1]) for job in django_rq.get_queue(Queue.LOW).jobs]


async def work_off_by_two(**environment: str) -> None:
    """Two workers at once, until the queue is empty."""

    def work() -> None:
        # However busy the machine is, nobody loses a lease here.
        own = {"LEASE_SECONDS": "120", **environment}
        with working(Queue.LOW, **own) as one, working(Queue.LOW, **own) as other:
            one.wait()
            other.wait()

    await asyncio.to_thread(work)


async def results(runs: Sequence[Run]) -> dict[str, Any]:
    """By run and step."""
    steps = await in_database(lambda: list(Step.objects.filter(run__in=runs)))
    return {f"{step.run_id}/{step.key}": step.result for step in steps}


async def all_done(runs: Sequence[Run]) -> bool:
    states = await in_database(lambda: list(Claim.objects.filter(run__in=runs).values_list("state", flat=True)))
    return states == [RunState.DONE] * len(runs)


async def test_a_horse_whose_time_is_over_claims_no_more_and_lets_go_what_another_finishes_without_paying_again(
    start: Start, demo: Demo, settings: Settings
) -> None:
    settings.CARRY_SECONDS = 0.5
    run = await start("tests.work.outstaying", queue=Queue.LOW)
    await carried(run)
    assert (await state_of(run)).state == RunState.QUEUED
    nudges = await in_database(nudged)
    (other,) = {*nudges} - {run}
    assert nudges.count(run) >= 2, "nobody was told of what was let go"
    settings.CARRY_SECONDS = 300
    await carried(other, run)
    assert await all_done([run, other])
    steps = await in_database(lambda: {step.key: step for step in Step.objects.filter(run=run)})
    assert steps["paid"].result == 0, "the other run was claimed by who was leaving"
    assert {key: step.attempts for key, step in steps.items()} == {"paid": 1, "beside": 1, "last": 1}
    assert demo.stats()["requests"] == 3
    told = Event.objects.filter(run=run, type="status", data__state="queued").values_list("data__reason", flat=True)
    assert await in_database(lambda: list(told.order_by("seq"))) == [None, "let_go"]
    assert await in_database(broken_rules, [run, other]) == []


async def test_a_worker_carries_no_more_runs_at_once_than_it_may(start: Start, settings: Settings) -> None:
    settings.RUNS_PER_WORKER = 2
    runs = [await start("tests.work.crowd", queue=Queue.LOW, options={"at_once": 2}) for _ in range(3)]
    await carried(*runs)
    assert await all_done(runs)
    assert max((await results(runs)).values()) == 2


async def test_a_run_makes_no_more_steps_at_once_than_it_may(
    carrier: Carrier, start: Start, settings: Settings
) -> None:
    settings.RUN_PARALLEL = 3
    run = await start("tests.work.abreast", options={"parts": 9, "at_once": 3})
    assert (await ended(run)).state == RunState.DONE
    seen = await results([run])
    assert (len(seen), max(seen.values())) == (9, 3)


def most_at_once(log: Sequence[dict[str, Any]]) -> int:
    """By what the provider itself saw begin and end."""
    moments = [(one["started"], 1) for one in log] + [(one["ended"], -1) for one in log]
    inside = most = 0
    for _, change in sorted(moments):
        inside += change
        most = max(most, inside)
    return most


async def test_all_processes_together_ask_a_provider_no_more_at_once_than_they_may(start: Start, demo: Demo) -> None:
    demo.set(first_token_ms=300)
    runs = [await start("tests.work.asking_models", queue=Queue.LOW) for _ in range(2)]
    await work_off_by_two(RUNS_PER_WORKER="1", PROVIDER_PARALLEL="2", DEMO_BASE_URL=demo.url)
    assert await all_done(runs)
    log = demo.stats()["log"]
    assert len(log) >= 8
    assert most_at_once(log) == 2


async def test_jobs_delivered_twice_to_two_workers_at_once_make_every_run_once(start: Start, demo: Demo) -> None:
    runs = [await start("tests.jobs.one_stream", queue=Queue.LOW) for _ in range(3)]
    nudges = [str(run.id) for run in runs]
    random.Random(1).shuffle(nudges)
    for run in nudges:
        django_rq.get_queue(Queue.LOW).enqueue(CARRY, Queue.LOW, run, job_timeout=-1)
    await work_off_by_two(DEMO_BASE_URL=demo.url)
    assert await all_done(runs)
    claims = await in_database(lambda: list(Claim.objects.filter(run__in=runs).values_list("epoch", flat=True)))
    assert claims == [1] * 3
    assert (await in_database(Call.objects.count), demo.stats()["requests"]) == (3, 3)
    assert await in_database(broken_rules, runs) == []


async def test_a_claim_takes_no_more_than_it_may_however_the_database_plans_it(start: Start) -> None:
    """It is planned for a house with one claim: row by row of the claims, where a limit within would count anew."""

    async def wait() -> None:
        await start("tests.work.crowd", queue=Queue.LOW, options={"at_once": 1})

    def look() -> None:
        with connection.cursor() as sql:
            sql.execute("VACUUM ANALYZE generation_claim")

    await wait()
    await in_database(look)
    for _ in range(3):
        await wait()
    assert len(await in_database(claims.take_waiting, "somebody", [Queue.LOW], 1, 0)) == 1
    assert await in_database(Claim.objects.filter(state=RunState.RUNNING).count) == 1
