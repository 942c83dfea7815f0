"""Documents as files, made in threads of their own: while one is made, no connection waits and nobody else's thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from uuid import UUID

from generation import document_pictures, exports
from generation.exports import Export
from memory.base.database import db
from memory.models import User

AT_ONCE = 2  # each is a child process of up to 1.5 GB; the others wait their turn


@cache
def presses() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="press")


async def make(user: User, document_id: UUID, format: str, *, answers: bool) -> Export:
    """The document as a file of this format. Raises `not_found.document` and what `exports.export` raises."""
    manuscript = await db(document_pictures.manuscript, user, document_id)
    work = partial(exports.export, manuscript, format, answers=answers)
    return await asyncio.get_running_loop().run_in_executor(presses(), work)
