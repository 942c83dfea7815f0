"""What can be done to a document that is there: the actions of its recipe, and making parts of it again."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from generation import runs
from generation.models import OPEN_STATES, Document, Run, Section
from generation.orders import Order
from generation.recipes.base import Action, Recipe
from generation.registry import RECIPES, recipe_of
from memory import history, workspaces
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
    check_present(document)
    order = Order(
        document.brief or document.title or document.kind,
        document.title,
        dict(options),
        files_given(document),
        language=document.language,
    )
    with transaction.atomic():
        history.lock_roots([document.id])
        run, is_new = runs.start(
            recipe.doing(action),
            order,
            user=user,
            workspace=document.workspace,
            key=key,
            document=document,
            action=action,
        )
        if is_new and (busy := first_writing(document)):
            raise Conflict("being_written", run=str(busy.id))
    return run, is_new


def check_present(document: Document) -> None:
    """`conflict.binned` for what lies in the bin."""
    if not document.present:
        raise Conflict("binned")


def files_given(document: Document) -> list[UUID]:
    """What was given with the brief when the document was begun."""
    first = Run.objects.filter(document=document).order_by("id").first()
    return [UUID(file) for file in first.files] if first else []


def first_writing(document: Document) -> Run | None:
    """An open run that writes the whole document."""
    return open_runs(document).filter(action=Run.WRITE, again=[]).first()


def open_runs(document: Document) -> QuerySet[Run]:
    return Run.objects.filter(document=document, claim__state__in=OPEN_STATES)


def action_of(recipe: Recipe, name: str) -> Action:
    for action in recipe.actions:
        if action.name == name:
            return action
    raise NotFound("action", action=name[:100], allowed=[action.name for action in recipe.actions])


def retry(run: Run, by: User, steps: Iterable[str] = (), key: str | None = None) -> tuple[Run, bool]:
    """A new run that makes again what went wrong, or the named steps with all that rests on them.

    Raises what `runs.retry` raises, `run.still_open` also while another run makes some of the same, `conflict.binned`.
    """
    workspaces.require(by, run.workspace, Role.EDITOR)
    named = list(steps)
    recipe = RECIPES.get(run.kind)
    if named and recipe:
        named = recipe.resting_on(named, run.steps.values_list("key", flat=True))
    if run.document is None:
        return runs.retry(run, by, named, key)
    check_present(run.document)
    with transaction.atomic():
        history.lock_roots([run.document.id])
        new, is_new = runs.retry(run, by, named, key)
        if is_new:
            check_alone(new)
        return new, is_new


def check_alone(new: Run) -> None:
    """`run.still_open` while another run of the document makes some of the same."""
    for other in open_runs(new.document).exclude(id=new.id) if new.document else ():
        whole = other.action == Run.WRITE and not other.again
        if whole or not new.again or any(meet(one, two) for one in new.again for two in other.again):
            raise RunError("still_open", run=str(other.id))


def meet(one: str, other: str) -> bool:
    """Whether two steps are one, or one lies in the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def retry_section(section: Section, by: User, steps: Iterable[str] = (), key: str | None = None) -> tuple[Run, bool]:
    """A new run that makes this section, with all that it holds, or the named steps of it, again.

    Everything else that was recorded is kept as it is and costs nothing; what its run never came to, because it was
    stopped, is made. Raises `run.never_written` for a section that no run has written, `run.still_open` while one is
    writing it, `not_found.step`, `permission.role`, `conflict.key_reused`, `conflict.binned`.
    """
    workspaces.require(by, section.home, Role.EDITOR)
    named = list(steps)
    if before := asked_before(section, by, named, key):
        return before, False
    own = Q(key=section.key) | Q(key__startswith=f"{section.key}/")
    runs_of = Run.objects.filter(document=section.document).select_related("document", "workspace")
    for run in runs_of.order_by(F("id").desc()):
        known = list(run.steps.filter(own).values_list("key", flat=True))
        if known:
            wanted = named or known
            if strange := [step for step in wanted if step not in known]:
                raise NotFound("step", steps=strange)
            return retry(run, by, wanted, key)
    raise RunError("never_written", section=section.key)


def asked_before(section: Section, by: User, steps: list[str], key: str | None) -> Run | None:
    """The run that this key began for the same; the newest run may have copied its steps since, and is no guide."""
    known = Run.objects.filter(user=by, key=key).first() if key else None
    if known is None:
        return None
    is_of_section = all(f"{step}/".startswith(f"{section.key}/") for step in known.again)
    if known.document_id != section.document_id or not set(steps) <= set(known.again) or not is_of_section:
        raise Conflict("key_reused", run=str(known.id))
    return known
