"""What can be done to a document that is there: the actions of its recipe, and making parts of it again."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, Q

from generation import runs
from generation.models import Document, Run, Section
from generation.orders import Order
from generation.recipes.base import Action, Recipe
from generation.registry import recipe_of
from memory import workspaces
from memory.base.errors import Conflict, NotFound, RunError
from memory.models import Role, User


def act(
    document: Document, name: str, options: Mapping[str, Any], *, user: User, key: str | None = None
) -> tuple[Run, bool]:
    """A new run that does this to the document; the same key gives the same run and False.

    Raises `not_found.action`, `validation.options`, `permission.role`, `conflict.key_reused`, `limit.runs_open`.
    """
    workspaces.require(user, document.workspace, Role.EDITOR)
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
    no run has written, `run.still_open` while one is writing it, `not_found.step`, `permission.role`,
    `conflict.key_reused`.
    """
    workspaces.require(by, section.home, Role.EDITOR)
    named = list(steps)
    if before := asked_before(section, by, named, key):
        return before, False
    own = Q(key=section.key) | Q(key__startswith=f"{section.key}/")
    runs_of = Run.objects.filter(document=section.document).order_by(F("id").desc())
    for run in runs_of:
        known = list(run.steps.filter(own).values_list("key", flat=True))
        if known:
            wanted = named or known
            if strange := [step for step in wanted if step not in known]:
                raise NotFound("step", steps=strange)
            return runs.retry(run, by, wanted, key)
    raise RunError("never_written", section=section.key)


def asked_before(section: Section, by: User, steps: list[str], key: str | None) -> Run | None:
    """The run that this key began for the same; the newest run may have copied its steps since, and is no guide."""
    known = Run.objects.filter(user=by, key=key).first() if key else None
    if known is None:
        return None
    is_of_section = all(f"{step}/".startswith(f"{section.key}/") for step in known.again)
    if known.document_id != section.document_id or known.again != (steps or known.again) or not is_of_section:
        raise Conflict("key_reused", run=str(known.id))
    return known
