"""The one seam between the two colours: async code reaches the database through `db(fn)` and nowhere else.

`fn` is a plain function that does one transaction. It runs in a thread of a bounded executor, on a connection of that
thread which is checked before and handed back after. A cancelled caller still waits for its write: what was begun is
known to have ended when the cancellation goes on.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")


@cache
def executor() -> ThreadPoolExecutor:
    """The process's threads for the database, made on first use."""
    return ThreadPoolExecutor(settings.DB_THREADS, thread_name_prefix="db")


def forget_executor() -> None:
    """For a forked child: the parent's threads did not come along."""
    executor.cache_clear()


async def db(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `fn` in a database thread and return what it returns or raise what it raises.

    What it logs bears the run, step, user and request of the caller.
    """

    def work() -> T:
        close_old_connections()
        try:
            return fn(*args, **kwargs)
        finally:
            close_old_connections()

    return await finished(asyncio.get_running_loop().run_in_executor(executor(), copy_context().run, work))


async def finished(future: "asyncio.Future[T]") -> T:
    """Await the future to its end even when the caller is cancelled; then the cancellation goes on."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):  # however often
                await asyncio.wait([future])
        if not future.cancelled():
            future.exception()  # retrieved, so that asyncio does not report it as lost
        raise
