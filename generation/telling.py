"""What a page says of work in the reader’s language: states, what is being written, what went wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generation.conditions import Condition
from generation.models import RunState, Standing
from memory.sentences import say

STATES: dict[str, Promise] = {
    "queued": _("Waiting"),
    "generating": _("Being written"),
    "waiting": _("Waits for an answer"),
    "retrying": _("Tried again"),
    "fallback": _("Stand-in"),
    "failed": _("Failed"),
    "missing": _("Not written"),
    "stale": _("To read again"),
    "ready": _("Written"),
    "approved": _("Approved"),
    "archived": _("Archived"),
}
TYPES: dict[str, Promise] = {
    "lesson": _("Lesson"),
    "exercises": _("Exercises"),
    "evaluation": _("Evaluation"),
}
# What a step makes, by the code of its label, when it is named beside others.
MADE: dict[str, Promise] = {
    "outline": _("the outline"),
    "lesson": _("“{title}”"),
    "section": _("“{title}”"),
    "exercises": _("exercises of “{title}”"),
    "exercise": _("an exercise: “{part}”"),
    "evaluation": _("the evaluation of “{title}”"),
    "diagram": _("a diagram: “{part}”"),
    "enrich": _("what is known"),
    "research": _("what the web says"),
    "web_search": _("what the web says"),
    "web_extract": _("what the web says"),
    "cases": _("the list of use cases"),
    "matrix": _("the axes"),
    "case": _("“{title}”"),
    "scores": _("the scores of “{title}”"),
    "summary": _("the summary"),
}
LOOKED_UP: dict[str, Promise] = {
    "web_search": _("Searched the web for {query}"),
    "web_extract": _("Read {title} on the web"),
}
NOT_WRITTEN: dict[str, tuple[Promise, Promise]] = {
    "lesson": (_("This lesson could not be written."), _("Write this lesson again")),
    "exercises": (_("These exercises could not be written."), _("Write these exercises again")),
    "exercise_block": (_("This exercise could not be written."), _("Write this exercise again")),
    "evaluation": (_("This evaluation could not be written."), _("Write this evaluation again")),
    "": (_("This part could not be written."), _("Write this part again")),
}
MOST_NAMED = 3


def state(name: str) -> str:
    return str(STATES.get(name, ""))


def made(label: Mapping[str, Any]) -> str:
    """What a step makes; nothing for one that only prepares."""
    words = MADE.get(str(label.get("code")))
    return str(words).format(title=label.get("title", ""), part=label.get("part", "")) if words else ""


def looked_up(label: Mapping[str, Any]) -> str:
    """What a tool of the web did."""
    words, what = LOOKED_UP.get(str(label.get("code"))), label.get("title", "")
    return str(words).format(query=gettext("“{title}”").format(title=what), title=what) if words else str(what)


def writing(labels: Iterable[Mapping[str, Any]]) -> str:
    """What is being written now, in one sentence."""
    names = list(dict.fromkeys(name for label in labels if (name := made(label))))
    if not names:
        return gettext("The writing is being prepared")
    named = ", ".join(names[:MOST_NAMED])
    others = len(names) - MOST_NAMED
    if others > 0:
        more = ngettext("{n} more", "{n} more", others).format(n=others)
        return gettext("Being written: {named} and {more}").format(named=named, more=more)
    return gettext("Being written: {named}").format(named=named)


def error(data: Mapping[str, Any] | None) -> str:
    """The sentence of a recorded error: of what a step failed by, not that it failed."""
    while data and data.get("error_code") == "run.step_failed" and data.get("params", {}).get("error"):
        data = data["params"]["error"]
    return say(data["error_code"], data.get("params", {})) if data else ""


def cause(data: Mapping[str, Any] | None) -> str:
    """What happened, without what is kept and what to do: those the page says itself."""
    return error(data).split(". ")[0].rstrip(".") + "." if data else ""


def drawn_before() -> dict[str, str]:
    """That a diagram is older than its text, and the button that has it drawn again."""
    return {"text": gettext("Its diagram shows what stood here before."), "again": gettext("Draw this diagram again")}


def could_not(type: str) -> tuple[str, str]:
    """That a section of this type could not be written, and the button that has it written again."""
    what, again = NOT_WRITTEN.get(type, NOT_WRITTEN[""])
    return str(what), str(again)


def tries(models: Sequence[str]) -> str:
    """How often which models were asked."""
    asked = ngettext("{n} request", "{n} requests", len(models)).format(n=len(models))
    return f"{asked}, {', '.join(dict.fromkeys(models))}" if models else ""


def parts_written(done: int, of: int) -> str:
    return ngettext("{done} of {n} part", "{done} of {n} parts", of).format(done=done, n=of) if of else ""


FORMATS = {"md": "Markdown", "html": "HTML", "json": "JSON", "docx": "Word", "epub": "EPUB", "pdf": "PDF"}
SHEETS = {"xlsx": "Excel", "csv": "CSV"}

# What a section was made from, as a basis names it.
SOURCES: dict[str, Promise] = {
    "title": _("the title of “{name}”"),
    "description": _("the description of “{name}”"),
    "content": _("the text of “{name}”"),
    "schema_description": _("what the diagram of “{name}” shows"),
}


def changed_since(sources: Iterable[tuple[str, str]]) -> str:
    """`sources`: path and name of each."""
    named = [str(SOURCES.get(path, _("“{name}”"))).format(name=name) for path, name in sources]
    return gettext("Changed since this was written: {sources}.").format(sources=", ".join(dict.fromkeys(named)))


def condition(state: str) -> str:
    """The state of a document; one that is simply there needs no word."""
    words = {
        Condition.QUEUED: gettext("In the queue"),
        Condition.GENERATING: gettext("Being written"),
        Condition.WAITING: gettext("Waits for an answer"),
        Condition.FAILED: gettext("Failed"),
        Condition.PARTIAL: gettext("Not all is written"),
        Condition.STALE: gettext("To read again"),
        RunState.CANCELLED: gettext("Stopped"),
        Standing.APPROVED: gettext("Approved"),
        Standing.ARCHIVED: gettext("Archived"),
    }
    return {str(key): value for key, value in words.items()}.get(state, "")
