"""The form that asks for a text: its fields come from the options of the recipe, its mistakes stand beside them.

What was typed is never lost: the form is drawn again from what it was sent. The same form sent twice is one order: the
key is the form's own together with what it holds, so that a form that was changed is another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, get_args
from uuid import UUID, uuid4

from django.conf import settings
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from generation import documents
from generation.orders import Order
from generation.recipes.base import Options, Recipe
from memory import sentences
from memory.base.errors import ScriptoriumError
from memory.history import digest
from memory.models import File, User, Workspace

RECIPES_FOLDER = Path(__file__).parent / "recipes"
MOST_CHOICES = 50
BESIDE_BRIEF = {"brief_empty", "brief_too_long", "characters"}


@dataclass
class Choice:
    value: str
    word: str
    help: str = ""


@dataclass
class OptionField:
    """One option as a form shows it. `kind`: choice, number, check, text, or documents (`most` 1: one of them)."""

    name: str
    title: str
    help: str
    kind: str
    value: str
    choices: Sequence[Choice] = ()
    least: int | None = None
    most: int | None = None
    error: str = ""

    @property
    def chosen(self) -> list[str]:
        return self.value.split(",")


@dataclass
class Asking:
    """`workspace`: where it will be written, and whose documents can be chosen from."""

    recipe: Recipe
    user: User
    typed: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    errors: dict[str, str] = field(default_factory=dict)
    refused: Sequence[tuple[str, str]] = ()  # names of files that were not taken, and why
    workspace: UUID | None = None

    @classmethod
    def sent(cls, recipe: Recipe, user: User, workspace: Workspace, post: QueryDict) -> "Asking":
        files = File.objects.visible(user).filter(workspace=workspace, id__in=uuids(post.getlist("files")))
        typed = {name: ",".join(post.getlist(name)) if kind_of(recipe, name) else str(post[name]) for name in post}
        return cls(recipe, user, typed, list(files.order_by("id")), workspace=workspace.pk)

    @property
    def brief(self) -> str:
        return self.typed.get("brief", "").replace("\r\n", "\n")

    @property
    def form_key(self) -> str:
        return self.typed.get("key") or str(uuid4())

    @property
    def language(self) -> str:
        return self.typed.get("language", "")

    @property
    def languages(self) -> list[Choice]:
        as_brief = Choice("", gettext("That of the brief"))
        return [as_brief, *(Choice(code, name) for code, name in settings.LANGUAGES)]

    @property
    def limit(self) -> int:
        return settings.BRIEF_MAX_CHARACTERS

    @property
    def limit_shown(self) -> str:
        return number_format(self.limit, 0, force_grouping=True)

    @property
    def options(self) -> list[OptionField]:
        found = [
            option(name, info, self.value_of(name), self.errors.get(name, ""))
            for name, info in self.recipe.options.model_fields.items()
        ]
        for each in found:
            if kind := kind_of(self.recipe, each.name):
                each.kind, each.choices = "documents", self.documents(kind)
        return found

    def documents(self, kind: str) -> list[Choice]:
        """Those of this kind that can be chosen, the newest first."""
        listed = (
            documents.listing(self.user, workspace=self.workspace, kind=kind)[:MOST_CHOICES] if self.workspace else ()
        )
        return [Choice(str(each.id), str(each)) for each in listed]

    def value_of(self, name: str) -> str:
        """As it was typed; before anything was, how the reader studies is known."""
        if name == "difficulty" and "brief" not in self.typed:
            return self.user.study_level
        return self.typed.get(name, "")

    def chosen(self) -> dict[str, Any]:
        """What was typed into the options; what was left empty is for the recipe to say."""
        names = self.recipe.options.model_fields
        typed = {name: self.typed[name] for name in names if self.typed.get(name, "").strip()}
        many = [name for name in typed if kind_of(self.recipe, name) and bound(names[name], "max_length")]
        return {**typed, **{name: typed[name].split(",") for name in many}}

    def foreseen(self) -> Options:
        """The options an estimate goes by: those that fit."""
        chosen: dict[str, Any] = {}
        for name, value in self.chosen().items():
            try:
                self.recipe.options.model_validate({name: value})
            except ValidationError:
                continue
            chosen[name] = value
        try:
            return self.recipe.options.model_validate(chosen)
        except ValidationError:  # something that has to be chosen is not yet
            return self.recipe.options.model_construct(None, **chosen)

    def order(self) -> Order:
        known = {code for code, _ in settings.LANGUAGES}
        return Order(
            brief=self.brief,
            options=self.chosen(),
            files=[file.id for file in self.files],
            language=self.language if self.language in known else "",
            folder=next(iter(uuids([self.typed.get("folder", "")])), None),
        )

    def key(self) -> str:
        """Files count by what they hold: sent twice, they were stored twice."""
        held = sorted(f"{file.sha256} {file.name}" for file in self.files)
        what = [self.recipe.kind, self.brief, self.chosen(), self.language, self.typed.get("folder", ""), held]
        return f"form-{self.form_key[:50]}-{digest(what)}"

    def refuse(self, error: ScriptoriumError) -> None:
        """Say it beside the field it is about; about the whole, above it all."""
        reason = error.code.partition(".")[2]
        said = sentences.say(error.code, {**error.params, "retry_after": error.retry_after})
        problems = error.params.get("problems") or []
        if reason == "options" and problems:
            for problem in problems:
                name = str(problem["path"]).split("/")[0]
                self.errors[name if name in self.recipe.options.model_fields else "form"] = problem_of(problem)
        else:
            self.errors["brief" if reason in BESIDE_BRIEF else "form"] = said


def problem_of(problem: Mapping[str, str]) -> str:
    words = {
        "missing": gettext("Choose one."),
        "int_parsing": gettext("A whole number is needed."),
        "greater_than_equal": gettext("This is too little."),
        "less_than_equal": gettext("This is too much."),
        "string_too_long": gettext("This is too long."),
    }
    return words.get(problem["problem"], gettext("This cannot be chosen."))


def option(name: str, info: FieldInfo, value: str, error: str) -> OptionField:
    facts = OptionField(
        name, gettext(info.title or name), gettext(info.description or "") if info.description else "", "text", value
    )
    kind = type_of(info)
    if issubclass(kind, bool):
        facts.kind = "check"
    elif issubclass(kind, Enum):
        facts.kind, facts.choices = "choice", choices(kind, info)
    elif issubclass(kind, int):
        facts.kind = "number"
    facts.least, facts.most, facts.error = bound(info, "ge"), bound(info, "le") or bound(info, "max_length"), error
    return facts


def kind_of(recipe: Recipe, name: str) -> str:
    """Of the documents that the option of this name is about; nothing for another."""
    info = recipe.options.model_fields.get(name)
    about = info.json_schema_extra if info else None
    return str(about.get("documents", "")) if isinstance(about, dict) else ""


def type_of(info: FieldInfo) -> type:
    """Of `X | None`, X."""
    kind: Any = info.annotation
    if isinstance(kind, UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    return kind if isinstance(kind, type) else str


def choices(kind: type[Enum], info: FieldInfo) -> list[Choice]:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    words: Any = extra.get("words") or {}
    named = [Choice(str(each.value), *map(gettext, words.get(each.value, [str(each.value)]))) for each in kind]
    return [Choice("", gettext("As the brief says")), *named]


def bound(info: FieldInfo, name: str) -> int | None:
    return next((getattr(each, name) for each in info.metadata if hasattr(each, name)), None)


def uuids(values: Sequence[str]) -> list[UUID]:
    """Those that are ids at all."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def sample(recipe: Recipe, language: str) -> str:
    """The brief that shows what this kind is, in the reader's language where there is one."""
    folder = RECIPES_FOLDER / recipe.kind
    own = folder / f"sample.{language}.txt"
    return (own if own.exists() else folder / "sample.txt").read_text().strip()
