"""Fail points: named places of the engine at which a process of a house under test kills itself, told by a file.

The product knows nothing of them: this app wraps its functions in processes whose environment has CHAOS_FAULT. The file
holds `point side n`; the process that passes the point for the n-th time takes the file away and dies.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from generation.events import Draft

Function = Callable[..., Any]

ARMED = Path(os.environ.get("CHAOS_FAULT", "/nonexistent"))
passed: Counter[str] = Counter()


class FaultPoints(AppConfig):
    name = "tests.chaos"
    label = "fault_points"

    def ready(self) -> None:
        install()


def arm(file: Path, point: str, side: str, n: int = 1) -> None:
    """From the test: the next process that passes there dies. Each arming counts from the beginning."""
    making = file.with_suffix(".making")
    making.write_text(f"{point} {side} {n} {os.urandom(4).hex()}")
    making.rename(file)


def reach(point: str, side: str) -> None:
    try:
        wanted = ARMED.read_text()
    except FileNotFoundError:
        return
    if wanted.split()[:2] != [point, side]:
        return
    passed[wanted] += 1
    if passed[wanted] < int(wanted.split()[2]):
        return
    try:
        ARMED.unlink()  # one process only
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def points_of(drafts: Iterable[Draft]) -> set[str]:
    """The boundaries at which an owner stands, by what it tells: one transaction may be several of them."""
    return {point_of(draft) for draft in drafts}


def point_of(draft: Draft) -> str:
    if draft.type == "step":
        return "begin" if '"state":"running"' in draft.data else "step"
    if draft.type == "status":
        return "start" if '"running"' in draft.data else "let_go"
    return {"model": "call", "done": "end"}.get(draft.type, draft.type)


def around(inner: Function, point: str) -> Function:
    """The function, with the point before and after each call."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        reach(point, "before")
        result = inner(*args, **kwargs)
        if result:  # claimed something, released something
            reach(point, "after")
        return result

    return wrapped


def replace(inner: Function, wrapped: Function) -> None:
    """Wherever a module of the engine calls the function by a name of its own."""
    for module in [module for name, module in sys.modules.items() if name.startswith("generation.")]:
        for name in [name for name, value in vars(module).items() if value is inner]:
            setattr(module, name, wrapped)


def install() -> None:
    # Models exist only once all apps are ready.
    from generation import carrier, claims, events, flush, sweep  # noqa: PLC0415

    append, record = events.append, events.record

    def append_and_reach(cursor: Any, batch: Any, changes: Any) -> None:
        append(cursor, batch, changes)
        for point in points_of(batch.drafts):
            reach(point, "before")  # everything is written, nothing is committed

    def record_and_reach(cursor: Any, drafts: Sequence[Draft], *args: Any, **kwargs: Any) -> Any:
        batch, written = record(cursor, drafts, *args, **kwargs)
        for point in points_of(batch.drafts):
            reach(point, "after")  # committed, and nobody has been told
        return batch, written

    assert carrier  # imported for what it imports: all that records
    replace(append, append_and_reach)
    replace(record, record_and_reach)
    replace(flush.flush, around(flush.flush, "flush"))
    replace(claims._take, around(claims._take, "claim"))
    replace(sweep.release, around(sweep.release, "release"))
