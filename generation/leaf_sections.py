"""The sections of a document's page, one by one: who wrote each, which chapter it closes, its stamp, its weight."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from generation import completions
from generation.llm.retries import RetryPolicy
from generation.makings import Making
from generation.models import Document, Run, RunState, Section
from generation.registry import RECIPES
from memory.base import rendered

DEMO = "demo"
UNREADABLE = ("queued", "generating", "retrying", "missing", "failed")  # nothing stands there


def facts(making: Making) -> dict[str, Any]:
    """Who answered, how long it took, what it cost."""
    calls = making.calls
    last, first = (calls[-1], calls[0]) if calls else ({}, {})
    return {
        "model": last.get("model", ""),
        "is_demo": last.get("provider") == DEMO,
        "instead_of": first["model"] if calls and first["model"] != last["model"] else "",
        "seconds": making.seconds,
        "cost": making.cost if making.is_cost_known else None,
        "failures": making.failures,
        "attempt": making.tries + 1 if making.is_retrying else making.tries,
        "attempts": RetryPolicy().attempts,
        "is_fallback": making.state == "fallback",
    }


def coming(row: Section, document: Document, runs: Sequence[Run]) -> dict[str, str]:
    """Of a section that waits: what will stand there, and when."""
    recipe = RECIPES.get(document.kind)
    what = recipe.coming(row.type, document.fields) if recipe and recipe.coming else ""
    states = {(run.claim.state, run.claim.reason) for run in runs}
    if (RunState.WAITING, "person") in states:
        when = gettext("once its outline is agreed")
    elif all(state == RunState.QUEUED for state, _ in states):
        when = gettext("when its turn has come")
    else:
        when = gettext("as soon as a model is free")
    return {"what": what, "when": when}


def close_chapters(drawn: Sequence[dict[str, Any]]) -> None:
    """The last section in each chapter knows which one it closes: there a reader says that they have finished it.

    Of a chapter in which nothing stands yet nobody says so.
    """
    chapter, is_readable = None, False
    for n, each in enumerate(drawn, 1):
        if each["depth"] == 0:
            chapter, is_readable = (each if each["type"] == completions.TYPE else None), False
        is_readable = is_readable or (each["depth"] > 0 and each["shown"] not in UNREADABLE)
        if chapter and is_readable and (n == len(drawn) or drawn[n]["depth"] == 0):
            each["closes"] = chapter
            each["stamp"] += "-last"


def words_of(row: Section) -> int:
    return len(str(row.fields.get(row.shape.body, "")).split()) if row.shape.body == "content" else 0


# As every drawing says it at its beginning.
SIZE = """
SELECT digest, substring(left(svg, 2000) FROM 'viewBox="([^"]*)"') FROM generation_drawing
WHERE workspace_id = %s AND digest = ANY(%s)
"""


def size_drawings(document: Document, sections: Iterable[dict[str, Any]]) -> None:
    """Pictures are given their room before they come, so that nothing moves when they do."""
    holders = {each["fields"]["diagram"]: each for each in sections if each["fields"].get("diagram")}
    if not holders:
        return
    with connection.cursor() as sql:
        sql.execute(SIZE, [document.workspace_id, list(holders)])
        for digest, box in sql.fetchall():
            numbers = (box or "").replace(",", " ").split()
            if len(numbers) == 4:
                holders[digest]["drawn"] = {"width": round(float(numbers[2])), "height": round(float(numbers[3]))}


def warmed(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rendered.warm(text for each in sections if (text := each["fields"].get("content")))
    return sections


def weight(section: Mapping[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str) else 40 for value in section["fields"].values())


def stamp(drawn: Mapping[str, Any]) -> str:
    """One short word for all that its fragment shows: another word, another fragment."""
    left_out = ("proposals", "drawing", "template")
    seen = [(name, str(value)) for name, value in drawn.items() if name not in (*left_out, "fields", "retry_key")]
    proposals = [str(each["id"]) for each in drawn["proposals"]]
    drawing = drawn["drawing"].state if drawn["drawing"] else ""
    return f"{zlib.crc32(repr((seen, proposals, drawing)).encode()):x}"
