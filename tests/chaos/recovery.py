"""How long it takes: from a blow until a run is carried on, from a cancel until the provider sends nothing more."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack, freeze, kill, wake

CARRIED = """
SELECT run_id, min(at) FROM generation_event
WHERE run_id = ANY(%s) AND at > %s AND type = 'status' AND data->>'state' = 'running' GROUP BY run_id
"""
DELTAS = "SELECT run_id FROM generation_event WHERE run_id = ANY(%s) AND type = 'content_delta' GROUP BY run_id"


def streaming_notes(stack: Stack, count: int, queue: str = "default") -> list[UUID]:
    """Notes that stream text, each in its first step."""
    runs = [stack.begin(queue) for _ in range(count)]
    with stack.sql() as sql:
        wait_until(lambda: len(sql.execute(DELTAS, [runs]).fetchall()) == count, f"{count} notes to stream")
    return runs


def seconds_until_carried(stack: Stack, runs: list[UUID], since: datetime) -> list[float]:
    """For each run, from then until its next owner tells that it runs."""
    with stack.sql() as sql:
        wait_until(lambda: len(sql.execute(CARRIED, [runs, since]).fetchall()) == len(runs), "new owners")
        return [(at - since).total_seconds() for _, at in sql.execute(CARRIED, [runs, since]).fetchall()]


def after(stack: Stack, count: int, queue: str, blow: Callable[[], object]) -> list[float]:
    runs = streaming_notes(stack, count, queue)
    struck_at = datetime.now(UTC)
    blow()
    taken = seconds_until_carried(stack, runs, struck_at)
    for run in runs:
        stack.ask("cancel", run=str(run))
    wait_until(lambda: not stack.open_runs(runs), "the runs to end")
    return taken


def horse_killed(stack: Stack, count: int = 1) -> list[float]:
    return after(stack, count, "default", lambda: kill(*stack.horses()))


def horse_stopped(stack: Stack, count: int = 1) -> list[float]:
    return after(stack, count, "default", lambda: kill(*stack.horses(), number=signal.SIGTERM))


def worker_stopped(stack: Stack, count: int = 1) -> list[float]:
    """As a deploy does it: the parent that has a horse is told to end."""
    return after(
        stack, count, "default", lambda: [keeper.send(signal.SIGTERM) for keeper in set(stack.horses().values())]
    )


def machine_lost(stack: Stack, count: int = 1) -> list[float]:
    def blow() -> None:
        horses = stack.horses()
        for keeper in set(horses.values()):
            keeper.send(signal.SIGKILL)
        kill(*horses)

    return after(stack, count, "default", blow)


def web_killed(stack: Stack, count: int = 1) -> list[float]:
    return after(stack, count, "web", lambda: stack.keepers["web"].send(signal.SIGKILL))


def web_stopped(stack: Stack, count: int = 1) -> list[float]:
    return after(stack, count, "web", lambda: stack.keepers["web"].send(signal.SIGTERM))


def nudge_flushed(stack: Stack) -> list[float]:
    """A run waits in Redis while all workers are away, Redis forgets it, the workers come back."""
    parents = [keeper.pid for keeper in stack.workers()]
    for pid in parents:
        freeze(pid)
    try:
        run = stack.begin()
        stack.flush_redis()
    finally:
        flushed_at = datetime.now(UTC)
        for pid in parents:
            wake(pid)
    taken = seconds_until_carried(stack, [run], flushed_at)
    stack.ask("cancel", run=str(run))
    wait_until(lambda: not stack.open_runs([run]), "the run to end")
    return taken


def cancelled(stack: Stack, queue: str = "default") -> list[float]:
    """From the click until the provider has nobody to send to."""
    (run,) = streaming_notes(stack, 1, queue)
    asked_at = time.time()
    stack.ask("cancel", run=str(run))
    wait_until(lambda: stack.stats(log=False)["in_flight"] == 0, "the provider to be left alone")
    wait_until(lambda: not stack.open_runs([run]), "the run to end")
    return [max(served["ended"] for served in stack.stats()["log"]) - asked_at]
