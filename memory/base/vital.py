"""Without these tasks and threads a process only pretends to live: when one fails or stands still it ends, and is
started again."""

import asyncio
import faulthandler
import os
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

log = structlog.get_logger()


def vital(work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
    """A task that may be cancelled or end, but not fail: a failure is logged and ends the process in good order."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(end_process_if_failed)
    return task


def end_process_if_failed(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        end_process(task.get_name(), error)


@contextmanager
def vital_thread(name: str) -> Iterator[None]:
    """What a thread does from its beginning to its end: it may end, but not fail."""
    try:
        yield
    except BaseException as error:
        end_process(name, error)
        raise


def end_process(name: str, error: BaseException) -> None:
    log.critical("vital_task_died", task=name, exc_info=error)
    os.kill(os.getpid(), signal.SIGTERM)


def end_stuck_process(name: str) -> None:
    """For a process that cannot end in good order any more: where each of its threads stands is told before."""
    log.critical("process_stuck", at=name)
    faulthandler.dump_traceback()
    os.kill(os.getpid(), signal.SIGKILL)
