"""An answer as an instance of a pydantic model: asked for by schema, read leniently, repaired once.

Of lists with too many items the first are kept, and titles that are too long are shortened: that is no reason to pay
for the whole answer again. What was left out is told; a text is never shortened.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from operator import getitem
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generation.llm import schemas
from generation.llm.journal import Cut, Journal
from generation.llm.router import Router
from generation.llm.values import Answer, Message, ModelRef, ModelRequest
from memory.base.errors import ModelBadOutput

M = TypeVar("M", bound=BaseModel)

FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
MAX_PROBLEMS = 20
LINE = 300  # characters: what may be no longer than that is a title or a caption, not a text
MENDINGS = 4  # what is mended may have hidden something else


# What is said to a model of an answer that has these problems.
Objection = Callable[[Sequence[str]], Awaitable[Sequence[Message]]]


async def answer_as(
    router: Router,
    chain: Sequence[ModelRef],
    request: ModelRequest,
    schema: type[M],
    journal: Journal,
    object_to: Objection,
) -> tuple[Answer, M]:
    """An answer and the valid instance read from it.

    What does not fit goes back once, with its problems, to the model that wrote it; then `model.not_as_asked`. The
    journal is told what was left out of an answer that said too much.
    """
    asked = replace(request, schema=schemas.of(schema), schema_name=NO_NAME.sub("_", schema.__name__))
    answer = await router.answer(chain, asked, journal)
    try:
        value, cuts = parse(answer.content, schema)
    except ModelBadOutput as error:
        objection = await object_to(error.params["problems"])
        again = replace(asked, messages=(*asked.messages, _repeated(answer), *objection))
        answer = await router.answer([answer.model], again, journal, reason="repair", because=error)
        value, cuts = parse(answer.content, schema)
    if cuts:
        journal.trimmed(cuts)
    return answer, value


def parse(text: str, schema: type[M]) -> tuple[M, list[Cut]]:
    """The instance in a text that may wrap its JSON in prose or a code fence, and what was left out of it; raises
    `model.not_as_asked`."""
    # Halves of a character that arrived apart are joined; pydantic refuses text with a half alone.
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    problems = ["no JSON object"]
    for data in _candidates(whole):
        try:
            return _validate(data, schema)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
    raise ModelBadOutput("not_as_asked", problems=problems[:MAX_PROBLEMS], schema=schema.__name__)


def _candidates(text: str) -> Iterator[Any]:
    """JSON values in the text, the likeliest first: all of it, a fenced block, what the outer braces hold."""
    fenced = [match[1] for match in FENCE.finditer(text)]
    braced = text[text.find("{") : text.rfind("}") + 1]
    for candidate in (text, *fenced, braced):
        try:
            yield json.loads(candidate, strict=False)  # Models do write raw line ends into strings.
        except (ValueError, RecursionError):
            continue


def _validate(data: Any, schema: type[M]) -> tuple[M, list[Cut]]:
    cuts: list[Cut] = []
    for _ in range(MENDINGS):
        try:
            return schema.model_validate(data), cuts
        except ValidationError as error:
            trimmed = _trim(data, error)
            cuts += trimmed
            if not _flatten(data, error) and not trimmed:
                raise
    return schema.model_validate(data), cuts


def _trim(data: Any, error: ValidationError) -> list[Cut]:
    """Lists and titles that are too long are brought to their length; which, how much of them was kept, and of what."""
    cuts = []
    for item in error.errors(include_url=False):
        most, value = item.get("ctx", {}).get("max_length", 0), item["input"]
        is_list = item["type"] == "too_long" and isinstance(value, list)
        is_title = item["type"] == "string_too_long" and most <= LINE
        if item["loc"] and (is_list or is_title):
            with suppress(LookupError, TypeError):  # pydantic puts the names of a union's members into the path
                kept = value[:most] if is_list else shortened(value, most)
                reduce(getitem, item["loc"][:-1], data)[item["loc"][-1]] = kept
                cuts.append(Cut(".".join(map(str, item["loc"])), len(kept), len(value)))
    return cuts


def shortened(text: str, most: int) -> str:
    """Its first words, and … for the rest."""
    whole = text[:most]
    words = whole[: whole.rfind(" ")] if whole.rfind(" ") > most // 2 else whole[:-1]
    return words.rstrip(" ,;:.–—-") + "…"


def _flatten(data: Any, error: ValidationError) -> bool:
    """Items of a list of texts that came as `{"anything": "text"}` become their text; whether there were any."""
    found = False
    for item in error.errors(include_url=False):
        loc, value = item["loc"], item["input"]
        alone = isinstance(value, dict) and len(value) == 1
        if item["type"] == "string_type" and loc and isinstance(loc[-1], int) and alone:
            with suppress(LookupError, TypeError):  # pydantic puts the names of a union's members into the path
                reduce(getitem, loc[:-1], data)[loc[-1]] = next(iter(value.values()))
                found = True
    return found


def _repeated(answer: Answer) -> Message:
    """The answer, as it may be sent back: half a character alone would not do."""
    return Message("assistant", answer.content.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
