"""What somebody asks to be written, checked on the way in."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from pydantic import ValidationError

from generation.fields import problems
from generation.recipes.base import Recipe
from memory.base.errors import InvalidInput
from memory.base.text import SURROGATE, clean_json, clean_text


@dataclass(frozen=True)
class Order:
    """What somebody asks to be written, checked on the way in."""

    brief: str
    title: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    files: Sequence[UUID] = ()
    language: str = ""  # of the text; its brief tells when nobody does
    is_private: bool = False
    parent: UUID | None = None
    folder: UUID | None = None

    def cleaned(self, recipe: Recipe) -> "Order":
        """The order as it will be kept.

        Raises `validation.characters` (NUL, half a character), `.brief_empty`, `.brief_too_long`, `.title_too_long`,
        `.options`.
        """
        if "\x00" in self.brief + self.title or SURROGATE.search(self.brief + self.title):
            raise InvalidInput("characters")
        brief = clean_text(self.brief).strip()
        if not brief:
            raise InvalidInput("brief_empty")
        if len(brief) > settings.BRIEF_MAX_CHARACTERS:
            raise InvalidInput("brief_too_long", limit=settings.BRIEF_MAX_CHARACTERS, length=len(brief))
        title = clean_text(self.title).strip()
        if len(title) > 200:
            raise InvalidInput("title_too_long", limit=200)
        try:
            options = recipe.options.model_validate(clean_json(self.options)).model_dump(mode="json")
        except ValidationError as error:
            raise InvalidInput("options", problems=problems(error)) from None
        return replace(self, brief=brief, title=title, options=options, files=tuple(self.files))
