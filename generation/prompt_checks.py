"""What is wrong with the text of a prompt, line by line, before anybody saves it.

An error keeps it from being saved; a warning says what may be meant so: a declared variable that the text leaves out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.template import Template, TemplateSyntaxError
from django.template.base import FilterExpression, Node, VariableNode
from django.template.defaulttags import FirstOfNode, ForNode, IfNode, WithNode
from django.utils.translation import gettext as _

from generation.models import Prompt
from generation.prompts import PART, engine
from memory.base.errors import InvalidInput

LOOP = "forloop"
ITS_LINE = re.compile(r" on line \d+")  # Django counts from the beginning of the part


@dataclass(frozen=True)
class Problem:
    """`line` counts from 1 in the whole text; None for what concerns all of it."""

    code: str
    line: int | None = None
    params: dict[str, Any] = field(default_factory=dict)
    is_warning: bool = False

    @property
    def said(self) -> str:
        """In the reader's language."""
        return sentences()[self.code].format(**self.params)


def sentences() -> dict[str, str]:
    return {
        "empty": _("There is no text."),
        "part_empty": _("The part [{part}] says nothing."),
        "too_long": _("The text has {length} characters; {limit} are allowed."),
        "beginning": _("A prompt begins with a line [system] or [user]."),
        "template": _("This cannot be read: {problem}"),
        "unknown": _("“{name}” is no variable of this prompt."),
        "left_out": _("“{name}” is given to this prompt, and it says nothing of it."),
    }


def demand(text: str, prompt: Prompt, number: int) -> None:
    """Raises `validation.prompt_version` for a text that cannot be rendered with what the prompt is given."""
    if wrong := [problem for problem in check(text, prompt.variables) if not problem.is_warning]:
        raise InvalidInput("prompt_version", number=number, line=wrong[0].line, problem=wrong[0].said)


@dataclass(frozen=True)
class Use:
    name: str
    line: int


def check(text: str, declared: Sequence[str]) -> list[Problem]:
    """In the order of the lines, warnings last; without an error the text can be rendered with these variables."""
    if not text.strip():
        return [Problem("empty")]
    most = settings.PROMPT_MAX_CHARACTERS
    found = [Problem("too_long", params={"length": len(text), "limit": most})] if len(text) > most else []
    marks = list(PART.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        return [*found, Problem("beginning", 1)]
    uses: list[Use] = []
    for mark, body, line in bodies(text):
        if not body.strip():
            found.append(Problem("part_empty", line, {"part": mark}))
        try:
            uses += used(Template(body, engine=engine).nodelist, line)
        except TemplateSyntaxError as error:
            said = ITS_LINE.sub("", str(error))
            found.append(Problem("template", line_of(error, line), {"problem": said}))
    unknown = [use for use in dict.fromkeys(uses) if use.name not in declared]
    found += [Problem("unknown", use.line, {"name": use.name}) for use in unknown]
    errors = sorted(found, key=lambda problem: problem.line or 0)
    if any(problem.code == "template" for problem in errors):
        return errors  # who knows what the rest of it names
    named = {use.name for use in uses}
    left_out = [Problem("left_out", None, {"name": name}, is_warning=True) for name in declared if name not in named]
    return [*errors, *left_out]


def bodies(text: str) -> Iterator[tuple[str, str, int]]:
    """The parts of a prompt: what each is, its text, and the line of its mark, in which that text begins."""
    marks = list(PART.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=True):
        yield mark[1], text[mark.end() : end], text.count("\n", 0, mark.start()) + 1


def line_of(error: TemplateSyntaxError, first: int) -> int:
    token = getattr(error, "token", None)
    return first + token.lineno - 1 if token else first


# --- what a template names


def used(nodes: Iterable[Any], first: int, own: frozenset[str] = frozenset()) -> Iterator[Use]:
    """The variables that these nodes name, without those they give themselves (`own`): loops and `with`."""
    for node in nodes:
        line = first + ((node.token and node.token.lineno) or 1) - 1
        looked_up = (each for each in expressions(node) if isinstance(each, FilterExpression))
        names = {name for expression in looked_up for name in names_in(expression)}
        yield from (Use(name, line) for name in sorted(names - own))
        for held, given in inside(node):
            yield from used(held, first, own | given)


def expressions(node: Node) -> Iterator[object]:
    """What the node itself looks up."""
    if isinstance(node, VariableNode):
        yield node.filter_expression
    elif isinstance(node, ForNode):
        yield node.sequence
    elif isinstance(node, IfNode):
        for condition, _held in node.conditions_nodelists:
            yield from leaves(condition)
    elif isinstance(node, WithNode):
        yield from node.extra_context.values()
    elif isinstance(node, FirstOfNode):
        yield from node.vars


def inside(node: Node) -> Iterator[tuple[Iterable[Any], frozenset[str]]]:
    """The nodes in it, and the names that it gives them."""
    if isinstance(node, ForNode):
        yield node.nodelist_loop, frozenset({*node.loopvars, LOOP})
        yield node.nodelist_empty, frozenset()
    elif isinstance(node, IfNode):
        yield from ((held, frozenset()) for _condition, held in node.conditions_nodelists)
    elif isinstance(node, WithNode):
        yield node.nodelist, frozenset(node.extra_context)


def leaves(condition: Any) -> Iterator[FilterExpression]:
    """Of the condition of an `if`: operators hold operators, leaves hold what they look up."""
    if condition is None:
        return
    if isinstance(value := getattr(condition, "value", None), FilterExpression):
        yield value
    for side in ("first", "second"):
        yield from leaves(getattr(condition, side, None))


def names_in(expression: FilterExpression) -> Iterator[str]:
    """The variable itself and those that its filters are given."""
    for variable in (expression.var, *(value for _f, given in expression.filters for _v, value in given)):
        if lookups := getattr(variable, "lookups", None):
            yield lookups[0]
