"""What files say: read once per content, in a child process, and kept. So is what kept a content from being read."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache

import orjson
from django.utils import timezone

from memory import files
from memory.base import children
from memory.base.database import db
from memory.base.errors import ScriptoriumError, ToolFailed
from memory.models import File, Reading

SECONDS, MEGABYTES = 10, 512
AT_ONCE = 2  # children of one process: each may take a core and MEGABYTES
AGAIN_AFTER = timedelta(hours=1)  # a limit of time or memory may have been reached because the machine was busy
LIMITS = ["tool.child_timeout", "tool.child_died"]

REFUSALS = {
    "encrypted": (ToolFailed, "file_encrypted"),
    "scanned": (ToolFailed, "file_scanned"),
    "blank": (ToolFailed, "file_blank"),
    "broken": (ToolFailed, "file_broken"),
}


@cache
def readers() -> ThreadPoolExecutor:
    """Threads that wait for children; not the loop's own, for which a process would wait before it ends."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reader")


os.register_at_fork(after_in_child=readers.cache_clear)  # threads do not come along


async def read(file: File) -> Reading:
    """What the file says.

    Raises `tool.file_encrypted`, `.file_scanned`, `.file_blank`, `.file_broken`, `.file_lost` (its bytes are gone) and
    the errors of `children.run`. No connection is held while the child works.
    """
    reading = await db(known, file)
    if reading is None:
        reading = await asyncio.get_running_loop().run_in_executor(readers(), parse, file)
        await db(remember, reading)
    if reading.error:
        raise ToolFailed(reading.error["error_code"].removeprefix("tool."), **reading.error["params"])
    return reading


def known(file: File) -> Reading | None:
    """The reading of this content, unless it is to be tried again."""
    kept = Reading.objects.filter(sha256=file.sha256, kind=file.kind)
    stale = {"error__error_code__in": LIMITS, "read_at__lt": timezone.now() - AGAIN_AFTER}
    return kept.exclude(**stale).first()


def parse(file: File) -> Reading:
    """What a child made of the bytes, or its failure; not saved. Raises `tool.file_lost`, `tool.child_died`."""
    try:
        content = files.path_of(file.sha256).read_bytes()
    except OSError:
        raise ToolFailed("file_lost") from None
    reading = Reading(sha256=file.sha256, kind=file.kind, read_at=timezone.now())
    try:
        answer = orjson.loads(children.run("memory.parsers", content, file.kind, seconds=SECONDS, megabytes=MEGABYTES))
    except ToolFailed as failure:
        reading.error = reason(failure).as_data()
        return reading
    except OSError as failure:  # no process or no room to be had: the file is not to blame, and nothing is kept
        raise ToolFailed("child_died", status=failure.errno, work="memory.parsers") from failure
    reading.text, reading.is_cut, reading.encoding = answer["text"], answer["is_cut"], answer["encoding"]
    reading.characters = len(reading.text)
    return reading


def reason(failure: ToolFailed) -> ScriptoriumError:
    """What the parsers mean by the word they refused with."""
    family, word = REFUSALS.get(failure.params.get("because", ""), (None, ""))
    return family(word) if family else failure


def remember(reading: Reading) -> None:
    """Whoever comes last wins: two readings of the same bytes differ by a limit at most."""
    kept = ["text", "characters", "is_cut", "encoding", "error", "read_at"]
    Reading.objects.bulk_create([reading], update_conflicts=True, unique_fields=["sha256", "kind"], update_fields=kept)
