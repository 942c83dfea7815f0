"""What each prompt might be given: values that are invented, to see what its text would say.

They lie beside the texts, in the `sample.json` of their folder: those of all its prompts under `every`, and under the
name of one what is other for it.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext as _

from generation import prompts
from generation.models import Prompt

FILE = "sample.json"
EVERY = "every"


def of(prompt: Prompt) -> dict[str, Any]:
    """A value for each variable of the prompt; an empty text where nobody has written one."""
    written = samples().get(prompt.slot, {})
    return {name: written.get(name, "") for name in prompt.variables}


def said() -> str:
    """What a person might say to a prompt that is instructions alone."""
    return _("How long should a note be, and why?")


@cache
def samples() -> dict[str, dict[str, Any]]:
    """By slot."""
    return {prompts.slot_of(path): beside(path) for path in prompts.paths()}


def beside(path: Path) -> dict[str, Any]:
    file = path.with_name(FILE)
    written = orjson.loads(file.read_bytes()) if file.exists() else {}
    return {**written.get(EVERY, {}), **written.get(path.stem, {})}
