"""A document that is made of fields, as its page shows it: each field, which of them is being written, what is computed
from them, and what has changed beneath it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generation import field_pictures, telling
from generation.field_pictures import FieldPicture
from generation.makings import Making
from generation.models import Document
from generation.recipes.base import Picture
from generation.registry import RECIPES
from memory.models import Basis


@dataclass
class Body:
    """`live`: by field the step that writes it now; `resting`: what it rests on and what has changed since;
    `tools`: what models have asked tools for."""

    document: Document
    live: Mapping[str, Mapping[str, Any]]
    resting: Sequence[Basis]
    tools: Sequence[Making] = ()

    @cached_property
    def fields(self) -> list[FieldPicture]:
        again = self.document.shape.body if self.remakes else ()
        return field_pictures.of(self.document, self.live, again)

    @cached_property
    def lookups(self) -> list[dict[str, Any]]:
        """What was looked up for its newest text, in order; what went wrong with it, in the reader's words."""
        newest = max((each.run_id for each in self.tools), default=None)
        return [lookup(each) for each in self.tools if each.run_id == newest]

    @property
    def remakes(self) -> str:
        """The action that makes fields of it again."""
        recipe = RECIPES.get(self.document.kind)
        return recipe.remakes if recipe and self.document.present else ""

    @cached_property
    def picture(self) -> Picture | None:
        """What its kind computes and shows around the fields."""
        recipe = RECIPES.get(self.document.kind)
        return recipe.picture(self.document) if recipe and recipe.picture else None

    @cached_property
    def changed_since(self) -> str:
        """Which documents it rests on have changed since it was written, in words; nothing when none has."""
        if not self.resting:
            return ""
        sources = Document.objects.filter(
            workspace=self.document.workspace_id, id__in=[each.source_id for each in self.resting]
        )
        titles = dict(sources.values_list("id", "title"))
        return telling.changed_since((each.source_path, titles.get(each.source_id, "")) for each in self.resting)


def lookup(tool: Making) -> dict[str, Any]:
    refusal = telling.cause({"error_code": tool.refusal["error"], "params": tool.refusal}) if tool.refusal else ""
    said = str(tool.label.get("title", "")) if refusal else telling.looked_up(tool.label)
    return {"said": said, "is_open": tool.is_open, "refusal": refusal}
