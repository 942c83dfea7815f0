"""The kinds of text this house can write, and the errands its runs do besides: one line each."""

from generation.recipes.base import Errand, Recipe
from generation.recipes.company.recipe import RECIPE as COMPANY
from generation.recipes.course.grading import RECIPE as GRADING
from generation.recipes.course.recipe import RECIPE as COURSE
from generation.recipes.critique import RECIPE as CRITIQUE
from generation.recipes.executive_summary.recipe import RECIPE as EXECUTIVE_SUMMARY
from generation.recipes.note.recipe import RECIPE as NOTE
from generation.recipes.use_case.recipe import RECIPE as USE_CASE
from generation.recipes.use_case_list.recipe import RECIPE as USE_CASE_LIST
from memory.base.errors import InvalidInput

RECIPES: dict[str, Recipe] = {
    recipe.kind: recipe for recipe in (NOTE, COURSE, COMPANY, USE_CASE_LIST, USE_CASE, EXECUTIVE_SUMMARY)
}

ERRANDS = {recipe.kind: recipe.errand for recipe in (GRADING, CRITIQUE)}


def errand_of(kind: str) -> Errand | None:
    """What runs of this kind do that write no document; None when they write one."""
    return ERRANDS.get(kind)


def recipe_of(kind: str) -> Recipe:
    """The recipe of a kind; `validation.kind` names those there are."""
    if kind not in RECIPES:
        raise InvalidInput("kind", kind=kind[:100], allowed=sorted(RECIPES))
    return RECIPES[kind]
