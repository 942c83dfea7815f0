"""What can be done to a document that is there: the actions of its recipe, and making parts of it again."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Q

from generation import runs
from generation.models import Document, Run, Section
from generation.orders import Order
from generation.recipes.base import Action, Recipe
from generation.registry import recipe_of
from memory.base.errors import NotFound, RunError
from memory.models import User


def act(
    document: Document, name: str, options: Mapping[str, Any], *, user: User, key: str | None = None
) -> tuple[Run, bool]:
    """A new run that does this to the document; the same key gives the same run and False.

    Raises `not_found.action`, `validation.options`, `permission.role`, `conflict.key_reused`, `limit.runs_open`.
    """
    recipe = recipe_of(document.kind)
    action = action_of(recipe, name)
    order = Order(
        document.brief or document.title or document.kind, document.title, dict(options), language=document.language
    )
    return runs.start(
        recipe.doing(action), order, user=user, workspace=document.workspace, key=key, document=document, action=action
    )


def action_of(recipe: Recipe, name: str) -> Action:
    for action in recipe.actions:
        if action.name == name:
            return action
    raise NotFound("action", action=name[:100], allowed=[action.name for action in recipe.actions])


def retry_section(section: Section, by: User, steps: Iterable[str] = (), key: str | None = None) -> tuple[Run, bool]:
    """A new run that makes this section, with all that it holds, or the named steps of it, again.

    Everything else of the document is kept as it is and costs nothing. Raises `run.never_written` for a section that
    no run has written, `run.still_open` while one is writing it, `not_found.step`, `permission.role`.
    """
    own = Q(key=section.key) | Q(key__startswith=f"{section.key}/")
    runs_of = Run.objects.filter(document=section.document).order_by(F("id").desc())
    for run in runs_of:
        known = list(run.steps.filter(own).values_list("key", flat=True))
        if known:
            wanted = list(steps) or known
            if strange := [step for step in wanted if step not in known]:
                raise NotFound("step", steps=strange)
            return runs.retry(run, by, wanted, key)
    raise RunError("never_written", section=section.key)
