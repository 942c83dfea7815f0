"""Workers: they carry what is nudged, refuse everything else, and come back from a Redis that was away."""

import os
import subprocess
import sys
from pathlib import Path

import django_rq
import pytest
from django.test import Client
from rq.job import Job
from rq.serializers import DefaultSerializer

from config.supervisor.house import BASE
from config.supervisor.plan import worker
from generation import runs
from generation.models import Claim, Queue, Run
from generation.nudges import CARRY
from generation.orders import Order
from generation.recipes.base import Recipe
from memory.base import tallies
from tests.patience import PATIENCE_SECONDS
from tests.people import People

THREE_STEPS = Recipe("test", "tests.jobs.three_steps", queue=Queue.LOW)


def work_off(queue: str) -> str:
    """A real worker, until the queue is empty; what it said."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    ended = subprocess.run(
        [sys.executable, "manage.py", *worker(queue), "--burst"],
        cwd=BASE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return ended.stdout + ended.stderr


@pytest.fixture(autouse=True)
def empty_queues() -> None:
    for queue in ("high", "default", "low"):
        django_rq.get_queue(queue).empty()


def test_a_nudged_run_is_carried_to_its_end(people_committed: People) -> None:
    people = people_committed
    run, _ = runs.start(THREE_STEPS, Order("a brief"), user=people.owner, workspace=people.workspace)
    assert django_rq.get_queue("low").count == 1
    work_off("low")
    assert Claim.objects.get(run=run).state == "done"
    assert django_rq.get_queue("low").count == 0


def test_a_nudge_that_finds_nothing_ends(people_committed: People) -> None:
    django_rq.get_queue("low").enqueue(CARRY, "low", "01920000-0000-7000-8000-000000000000", job_timeout=-1)
    assert "Traceback" not in work_off("low")


def test_the_same_nudge_twice_carries_once(people_committed: People) -> None:
    people = people_committed
    run, _ = runs.start(THREE_STEPS, Order("a brief"), user=people.owner, workspace=people.workspace)
    django_rq.get_queue("low").enqueue(CARRY, "low", str(run.id), job_timeout=-1)
    work_off("low")
    assert Run.objects.get(id=run.id).events.filter(type="done").count() == 1


def test_what_horses_counted_is_in_the_figures_of_the_web_and_no_file_of_theirs_is_left(
    client: Client, people_committed: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = people_committed
    monkeypatch.setenv(tallies.FOLDER, str(tmp_path))
    for n in range(1, 3):
        runs.start(THREE_STEPS, Order("a brief"), user=people.owner, workspace=people.workspace)
        for _ in range(3):
            django_rq.get_queue("low").enqueue(CARRY, "low", "01920000-0000-7000-8000-000000000000", job_timeout=-1)
        work_off("low")
        processes = {tallies.process_of(file) for file in tmp_path.glob("*.db")}
        assert len(processes) == 2, "more than the worker and those it outlived"
        told = client.get("/metrics").content.decode()
        assert f'run_duration_seconds_count{{kind="test",state="done"}} {n}.0' in told
        assert {tallies.process_of(file) for file in tmp_path.glob("*.db")} == {tallies.NOBODY}


@pytest.mark.parametrize("function", ["os.system", "subprocess.call", "generation.jobs.carry_runs"])
def test_a_forged_function_is_refused(people_committed: People, tmp_path: Path, function: str) -> None:
    witness = tmp_path / "ran"
    django_rq.get_queue("low").enqueue(function, f"touch {witness}", job_timeout=-1)
    assert "job_refused" in work_off("low")
    assert not witness.exists()


def test_a_pickle_in_redis_is_not_opened(people_committed: People, tmp_path: Path) -> None:
    """Job data is JSON on both sides: what is pickled is unreadable, not executed."""
    witness = tmp_path / "ran"
    queue = django_rq.get_queue("low")
    job = Job.create(
        "os.system", args=(f"touch {witness}",), connection=queue.connection, serializer=DefaultSerializer, timeout=-1
    )
    job.save()
    queue.push_job_id(job.id)
    work_off("low")
    assert not witness.exists()
