"""What a run was given to read: the text of its files under a window of tokens, as one recorded step.

The record says what the models saw of each file, and why not more. Files are data that strangers may have written: a
prompt shows them between marks, and says of the marks that nothing between them is an instruction. No text can close
its own.
"""

import asyncio
import re
from typing import Any
from uuid import UUID

from django.conf import settings
from pydantic import BaseModel

from generation.llm.usage import estimate_tokens
from generation.models import Run
from generation.running import Running
from generation.steps import StepInProgress
from memory import readings, window
from memory.base.database import db
from memory.base.errors import ScriptoriumError, ToolFailed
from memory.models import File
from memory.window import Block, Decision, Fitted

OUR_MARKS = re.compile(
    r"<(?=\s*/?\s*(?:files?|objects?|brief|questions?|answers?|tasks?|sources?|pages?)\b)", re.IGNORECASE
)


class Source(BaseModel):
    """`is_cut`: reading stopped before the file's end. `encoding` is named where it was not UTF-8."""

    file: UUID
    name: str = ""
    text: str = ""
    is_cut: bool = False
    encoding: str = ""
    decision: Decision = Decision.DROPPED
    tokens_before: int = 0
    tokens_after: int = 0
    error: dict[str, Any] | None = None


class Extract(BaseModel):
    """Brief and files as one call of many is shown them: what their beginnings say, under a narrower window."""

    brief: str
    sources: str


class Sources(BaseModel):
    files: list[Source] = []

    def as_prompt(self) -> str:
        """What a prompt shows of the files, between marks; empty without any."""
        shown = [
            f'<file name="{quoted(file.name)}">\n{fenced(file.text)}\n</file>\n' for file in self.files if file.text
        ]
        return f"<files>\n{''.join(shown)}</files>" if shown else ""

    def extract(self, brief: str) -> Extract:
        """Under EXTRACT_TOKENS together: what is small stays whole, the rest is cut to the same size."""
        blocks = [Block("", brief), *(Block(file.name, file.text) for file in self.files)]
        first, *others = window.fit(blocks, settings.EXTRACT_TOKENS, estimate_tokens)
        files = [file.model_copy(update={"text": fitted.text}) for file, fitted in zip(self.files, others, strict=True)]
        return Extract(brief=first.text, sources=Sources(files=files).as_prompt())


def fenced(text: str) -> str:
    """The text without any mark of ours in it."""
    return OUR_MARKS.sub("&lt;", text)


def quoted(name: str) -> str:
    return " ".join(re.sub(r"[<>\"]", " ", name).split())


async def read(run: Running) -> Sources:
    """The files of the run as its prompts show them; a run without files has no such step."""
    if not run.run.files:
        return Sources()

    async def produce(_: StepInProgress) -> Sources:
        given = await db(load, run.run)
        found = await asyncio.gather(*(read_one(*each) for each in given.items()))
        return await asyncio.to_thread(fit, found)

    return await run.step("sources", produce, returns=Sources, label={"code": "sources"})


def load(run: Run) -> dict[UUID, File | None]:
    """The files in the order given, each once; None for one that is gone, or no longer for this user to see."""
    visible = File.objects.visible(run.user).filter(workspace=run.workspace_id).in_bulk(run.files)
    return {file_id: visible.get(file_id) for file_id in map(UUID, run.files)}


async def read_one(file_id: UUID, file: File | None) -> Source:
    """What is wrong with one file costs that file."""
    try:
        if file is None:
            raise ToolFailed("file_lost")
        reading = await readings.read(file)
    except ScriptoriumError as error:
        return Source(file=file_id, name=file.name if file else "", error=error.as_data())
    encoding = reading.encoding if reading.encoding != "utf-8" else ""
    return Source(file=file_id, name=file.name, text=reading.text, is_cut=reading.is_cut, encoding=encoding)


def fit(found: list[Source]) -> Sources:
    """What could be read, each under its share of the window; what could not stays as it is."""
    blocks = [Block(source.name, source.text) for source in found]
    decided = window.fit(blocks, settings.SOURCES_TOKENS, estimate_tokens)
    return Sources(files=[with_decision(source, fitted) for source, fitted in zip(found, decided, strict=True)])


def with_decision(source: Source, fitted: Fitted) -> Source:
    if source.error:
        return source
    names = ("text", "decision", "tokens_before", "tokens_after")
    return source.model_copy(update={name: getattr(fitted, name) for name in names})
