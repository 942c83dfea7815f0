"""Tasks without which a process only pretends to live: when one dies, the process ends, and is started again."""

import asyncio
import os
import signal
from collections.abc import Coroutine
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
        log.critical("vital_task_died", task=task.get_name(), exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)
