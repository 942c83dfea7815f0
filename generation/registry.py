"""The kinds of text this house can write: one line each."""

from generation.recipes.base import Recipe
from generation.recipes.course.recipe import RECIPE as COURSE
from generation.recipes.note.recipe import RECIPE as NOTE
from memory.base.errors import InvalidInput

RECIPES: dict[str, Recipe] = {recipe.kind: recipe for recipe in (NOTE, COURSE)}


def recipe_of(kind: str) -> Recipe:
    """The recipe of a kind; `validation.kind` names those there are."""
    if kind not in RECIPES:
        raise InvalidInput("kind", kind=kind[:100], allowed=sorted(RECIPES))
    return RECIPES[kind]
