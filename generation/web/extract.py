"""One page of the web as text: fetched behind the guard, read in a child process, kept for its workspace."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from uuid import UUID

import orjson
from pydantic import BaseModel, TypeAdapter

from generation.web import addresses, fetching
from generation.web import cache as kept
from generation.web.fetching import Fetched
from generation.web.network import of_settings
from memory.base import children
from memory.base.errors import ToolFailed

SECONDS, MEGABYTES = 10, 512
AT_ONCE = 2  # children of one process: each may take a core and MEGABYTES


class Page(BaseModel):
    """`url` is where the page was found in the end. `is_cut`: it says more than the text."""

    url: str
    title: str
    text: str
    is_cut: bool = False


PAGE = TypeAdapter(Page)


@cache
def readers() -> ThreadPoolExecutor:
    """Threads that wait for children; not the loop's own, for which a process would wait before it ends."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page")


os.register_at_fork(after_in_child=readers.cache_clear)  # threads do not come along


async def extract(workspace: UUID, url: str) -> Page:
    """What this page of the public web says, in Markdown; what the workspace has read within the hour is not fetched
    again. No connection to the database is needed.

    Raises what `fetching.fetch` raises, and `tool.web_unreadable` for a page in which nobody finds a text.
    """
    question = str(addresses.parse(url))
    page = await kept.known(workspace, "page", question, PAGE)
    if page is None:
        fetched = await fetching.fetch(question, of_settings())
        page = await asyncio.get_running_loop().run_in_executor(readers(), read, fetched)
        await kept.keep(workspace, "page", question, page, PAGE)
    return page


def read(fetched: Fetched) -> Page:
    """Blocks while a child reads. Whatever goes wrong in it is the page's fault."""
    arguments = (fetched.type, fetched.charset)
    try:
        answer = children.run(
            "generation.web.article", fetched.content, *arguments, seconds=SECONDS, megabytes=MEGABYTES
        )
    except ToolFailed as failure:
        raise ToolFailed("web_unreadable", url=fetched.url) from failure
    return Page(url=fetched.url, **orjson.loads(answer))
