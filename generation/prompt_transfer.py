"""A slot with all its versions as one JSON document: out of one house, into another.

What comes in is only added: a text that is there already is not made twice, and what is in production stays.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generation import prompt_checks, prompts
from generation.fields import problems
from generation.models import Prompt, PromptVersion
from memory.base.errors import InvalidInput, NotFound
from memory.base.text import clean_text
from memory.models import User

FORMAT = 1
MOST_VERSIONS = 1_000


class VersionIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    number: int = Field(ge=0, le=2_147_483_647)
    text: str
    message: str = Field("", max_length=200)


class SlotIn(BaseModel):
    """`format` counts up when its shape changes."""

    model_config = ConfigDict(extra="ignore")

    format: int = Field(ge=1, le=FORMAT)
    slot: str
    versions: list[VersionIn] = Field(max_length=MOST_VERSIONS)


def export(prompt: Prompt) -> dict[str, Any]:
    """The slot, its variables, and its versions from the oldest on; `production` is the number of the one in force."""
    versions = prompt.versions.select_related("author").order_by("number")
    return {
        "format": FORMAT,
        "slot": prompt.slot,
        "description": prompt.description,
        "agent": prompt.agent,
        "variables": prompt.variables,
        "production": prompt.production.number if prompt.production else None,
        "versions": [drawn(version) for version in versions],
    }


def drawn(version: PromptVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "text": version.text,
        "message": version.message,
        "author": version.author.username if version.author else None,
        "from_file": version.from_file,
        "created_at": version.created_at.isoformat(),
    }


@transaction.atomic
def take_in(data: Mapping[str, Any], by: User) -> list[PromptVersion]:
    """Make versions of the texts that the slot does not have yet, in their order; returns those.

    Raises `validation.prompt_transfer` for another shape, `not_found.prompt` for a slot that this house does not ask
    for, `validation.prompt_version` naming the first version that could not be rendered here. Then nothing is made.
    """
    try:
        given = SlotIn.model_validate(data)
    except ValidationError as error:
        raise InvalidInput("prompt_transfer", problems=problems(error)) from None
    prompt = Prompt.objects.select_for_update().filter(slot=given.slot).first()
    if prompt is None:
        raise NotFound("prompt", slot=given.slot[:100], version="production")
    known = set(prompt.versions.values_list("digest", flat=True))
    made = []
    for version in sorted(given.versions, key=lambda each: each.number):
        text = clean_text(version.text.replace("\r\n", "\n"))
        if prompts.digest(text) in known:
            continue
        prompt_checks.demand(text, prompt, version.number)
        known.add(prompts.digest(text))
        made.append(prompts.add_version(prompt, text, author=by, message=clean_text(version.message)))
    return made
