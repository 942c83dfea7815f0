"""Prompts as versions: a slot has numbered texts and one production pointer, read at each call.

A text is a Django template in an engine of its own, cut by `[system]` and `[user]` lines before it is rendered, so that
nothing a brief contains can open a part. Only declared variables exist; a missing one fails by name.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import structlog
from django.conf import settings
from django.db import transaction
from django.template import Context, Engine, Template, TemplateSyntaxError, VariableDoesNotExist

from generation.llm.values import Message, Role
from generation.models import Decision, Deed, Prompt, PromptVersion
from memory.base.errors import InvalidInput, NotFound

log = structlog.get_logger()

PART = re.compile(r"^\[(system|user)\][ \t]*$", re.MULTILINE)


class PromptEngine(Engine):
    """Django's engine with nothing but our tags: no files are read, nothing is escaped, unknown names fail."""

    default_builtins = ["generation.prompt_tags"]


class Gap(str):
    """What Django would print where a variable has no value; a prompt has no gaps, so printing it fails."""

    def __mod__(self, variable: object) -> str:
        raise VariableDoesNotExist("%s", (variable,))


class Variables(Context):
    """Remembers which names were asked for in vain: `if` and `for` pass over them in silence."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.missing: set[str] = set()
        super().__init__(dict(variables), autoescape=False)

    def __getitem__(self, name: Any) -> Any:
        try:
            return super().__getitem__(name)
        except KeyError:
            self.missing.add(name)
            raise


engine = PromptEngine(dirs=[], libraries={}, autoescape=False, string_if_invalid=Gap("%s"))


@dataclass(frozen=True)
class PromptFile:
    """A default prompt as it lies in the tree: front matter (description, agent, variables), then the text.

    `ends_with` names a file beside it that several share; each version holds the whole text.
    """

    slot: str
    agent: str
    description: str
    variables: tuple[str, ...]
    text: str

    @classmethod
    def read(cls, path: Path) -> "PromptFile":
        _, head, text = path.read_text(encoding="utf-8").split("---\n", 2)
        facts = dict(line.split(":", 1) for line in head.splitlines() if line.strip())
        if shared := facts.get("ends_with", "").strip():
            text = f"{text.strip()}\n\n{(path.parent / shared).read_text(encoding='utf-8')}"
        return cls(
            slot=slot_of(path),
            agent=facts["agent"].strip(),
            description=facts["description"].strip(),
            variables=tuple(name.strip() for name in facts.get("variables", "").split(",") if name.strip()),
            text=text.strip() + "\n",
        )


@dataclass(frozen=True)
class Rendered:
    """What a call sends, and which version it is."""

    version: PromptVersion
    messages: tuple[Message, ...]


def paths() -> Iterator[Path]:
    """The default prompts in the tree."""
    for pattern in settings.PROMPT_FILES:
        yield from sorted(Path(settings.BASE_DIR).glob(pattern))


def slot_of(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.stem}"


def files() -> list[PromptFile]:
    return [PromptFile.read(path) for path in paths()]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def sync() -> list[str]:
    """Make a version of each file whose text is new; returns their slots.

    Production follows a file only while it stands on the newest file version: what staff chose stays chosen.
    """
    return [file.slot for file in files() if sync_file(file)]


def sync_file(file: PromptFile) -> bool:
    prompt, _ = Prompt.objects.select_for_update().get_or_create(slot=file.slot, defaults={"agent": file.agent})
    Prompt.objects.filter(slot=file.slot).update(
        description=file.description, agent=file.agent, variables=list(file.variables)
    )
    newest = prompt.versions.filter(from_file=True).first()
    if newest and newest.digest == digest(file.text):
        return False
    version = add_version(prompt, file.text, from_file=True, message="from file")
    if prompt.production_id is None:
        Prompt.objects.filter(slot=file.slot).update(production=version)
    elif newest and prompt.production_id == newest.id:
        Prompt.objects.filter(slot=file.slot).update(production=version)
        facts: dict[str, Any] = {"before": {"production": newest.number}, "after": {"production": version.number}}
        Decision.objects.create(deed=Deed.PROMOTE, prompt=prompt, reason="from file", **facts)
    return True


@transaction.atomic
def add_version(prompt: Prompt, text: str, **facts: Any) -> PromptVersion:
    Prompt.objects.select_for_update().get(pk=prompt.pk)  # two at once get two numbers
    number = next_number(prompt)
    return PromptVersion.objects.create(prompt=prompt, number=number, text=text, digest=digest(text), **facts)


def next_number(prompt: Prompt) -> int:
    return (prompt.versions.values_list("number", flat=True).first() or 0) + 1


def unsynced() -> list[str]:
    """Slots whose file differs from the newest version made from it."""
    known = dict(
        PromptVersion.objects.filter(from_file=True).order_by("prompt_id", "number").values_list("prompt_id", "digest")
    )
    return [file.slot for file in files() if known.get(file.slot) != digest(file.text)]


def override_name(slot: str) -> str:
    return "PROMPT_VERSION_" + re.sub(r"[^A-Z0-9]", "_", slot.upper())


def override_of(slot: str) -> str:
    """The number of the version that the environment puts above production; empty without one."""
    return os.environ.get(override_name(slot), "").strip()


def current(slot: str) -> PromptVersion:
    """The version in force now: the environment's override, else production. `not_found.prompt` without one."""
    number = override_of(slot)
    wanted: dict[str, Any] = {"pk__in": Prompt.objects.filter(slot=slot).values("production_id")}
    if number:
        wanted = {"number": number if number.isdecimal() else None}
    version = PromptVersion.objects.select_related("prompt").filter(prompt_id=slot, **wanted).first()
    if version is None:
        raise NotFound("prompt", slot=slot, version=number or "production")
    return version


def render(version: PromptVersion, variables: Mapping[str, Any]) -> Rendered:
    """The messages of a call.

    Raises `validation.prompt_variables` naming what is missing or not declared, `validation.prompt_template` for a
    text the engine cannot read.
    """
    declared = set(version.prompt.variables)
    if declared != set(variables):
        raise InvalidInput(
            "prompt_variables",
            slot=version.prompt_id,
            missing=sorted(declared - set(variables)),
            unknown=sorted(set(variables) - declared),
        )
    messages = tuple(
        Message(role=role, content=fill(template, variables, version)) for role, template in parts(version.text)
    )
    return Rendered(version, messages)


def fill(template: Template, variables: Mapping[str, Any], version: PromptVersion) -> str:
    known, text = Variables(variables), ""
    try:
        text = template.render(known)
    except VariableDoesNotExist as error:
        known.missing = known.missing or {str(error.params[0])}
    except (TemplateSyntaxError, TypeError, ValueError) as error:  # seen only with values, as `for a, b in titles`
        raise InvalidInput("prompt_template", problem=str(error)) from None
    if known.missing:
        raise InvalidInput("prompt_variables", slot=version.prompt_id, missing=sorted(known.missing), unknown=[])
    return text.strip()


@lru_cache(maxsize=512)
def parts(text: str) -> tuple[tuple[Role, Template], ...]:
    """Roles and compiled templates of a prompt's text, cached by the text itself."""
    pieces = PART.split(text)
    cut = list(zip(pieces[1::2], pieces[2::2], strict=True))
    if not cut or pieces[0].strip():
        raise InvalidInput("prompt_template", problem="a prompt begins with [system] or [user]")
    try:
        return tuple((cast(Role, role), Template(body, engine=engine)) for role, body in cut)
    except TemplateSyntaxError as error:
        raise InvalidInput("prompt_template", problem=str(error)) from None
