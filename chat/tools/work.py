"""Long work begun from a conversation: it goes on by itself, and the reply shows how far it is."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chat import sessions
from chat.models import Link
from chat.tools.base import Done
from chat.tools.documents import SectionId
from chat.tools.hand import Hand
from chat.tools.objects import about
from generation import actions, runs
from generation.models import Run
from generation.orders import Order
from generation.registry import RECIPES, recipe_of
from memory.base.errors import ToolFailed

ACTIONS = sorted({action.name for recipe in RECIPES.values() for action in recipe.actions})
MOST_BEGUN = 3  # runs by one answer


def start_run(
    hand: Hand,
    kind: Annotated[str, Field(description="What is to be written", json_schema_extra={"enum": sorted(RECIPES)})],
    brief: Annotated[str, Field(description="All that was said of what is wanted, in the words of the person")],
    title: Annotated[str, Field(description="Its title, if one was given")] = "",
    options: Annotated[
        dict[str, Any], Field(description="Such as companies (ids), requested_count, or portfolio (an id)")
    ] = {},  # noqa: B006 never changed
) -> Done:
    """Have a new document written, such as a note or a course. It takes minutes and goes on by itself; it is given the
    files of the message."""
    check_begun(hand)
    recipe = recipe_of(kind)
    files = [UUID(file) for file in hand.run.files]
    order = Order(brief, title, options, files)
    run, _ = runs.start(recipe, order, user=hand.user, workspace=hand.session.workspace, key=hand.key)
    if run.document is not None:
        sessions.link(hand.session, run.document, Link.By.TURN)
    return begun(run, {"kind": kind})


def run_action(
    hand: Hand,
    object: Annotated[UUID, Field(description="The id of the document")],
    action: Annotated[str, Field(description="What is to be done", json_schema_extra={"enum": ACTIONS})],
    options: Annotated[dict[str, Any], Field(description="Of the action, such as fields, count or instruction")] = {},  # noqa: B006 never changed
) -> Done:
    """Have something done to a document by the machine that wrote it: enrich a company, some of its fields or all; add
    cases to a portfolio, as many as count, on what the instruction says; rewrite or rate a use case; rewrite a summary.
    It takes a while and goes on by itself."""
    check_begun(hand)
    document = hand.document(object)
    run, _ = actions.act(document, action, options, user=hand.user, key=hand.key)
    return begun(run, about(document))


def retry_section(hand: Hand, section: SectionId) -> Done:
    """Have a section written again by the machine that wrote it, with all that stands in it."""
    check_begun(hand)
    found = hand.section(section)
    run, _ = actions.retry_section(found, hand.user, key=hand.key)
    return begun(run, about(found))


def check_begun(hand: Hand) -> None:
    """Raises `tool.too_many_runs` once one answer has begun MOST_BEGUN: more is for people to decide."""
    begun = Run.objects.filter(user=hand.user, key__startswith=hand.keys)
    if begun.exclude(key=hand.key).count() >= MOST_BEGUN:
        raise ToolFailed("too_many_runs", limit=MOST_BEGUN)


def begun(run: Run, named: dict[str, Any]) -> Done:
    document = str(run.document_id) if run.document_id else None
    told = {"run": str(run.id), "document": document, "state": "queued"}
    return Done(told, {**named, "document": document}, run=run.id)
