"""Before a prompt is saved it is told what is wrong with it, and where."""

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from generation import prompt_checks, prompts
from generation.models import Prompt, PromptVersion
from generation.prompt_checks import Problem, check

NAMES = ("brief", "titles", "language")
WHOLE = (
    "[system]\nYou write in {{ language }}.\n[user]\n{{ brief }}\n{% for title in titles %}{{ title }}{% endfor %}\n"
)


def told(text: str, *declared: str) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.line) for problem in check(text, declared or NAMES)]


def test_a_whole_text_has_no_problem() -> None:
    assert told(WHOLE) == []


def test_every_prompt_of_the_house_passes() -> None:
    for file in prompts.files():
        assert check(file.text, file.variables) == [], file.slot


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [("empty", None)]),
        (" \n", [("empty", None)]),
        ("Hello\n[user]\nx", [("beginning", 1)]),
        ("Hello", [("beginning", 1)]),
        ("[system]\n\n[user]\nx", [("part_empty", 1)]),
        ("[user]\nx\n{% nonsense %}", [("template", 3)]),
        ("[system]\nx\n[user]\ny\n{% if brief %}\nz", [("template", 5)]),
        ("[user]\n{{ brief|nonsense }}", [("template", 2)]),
        ("[user]\n{{ }}", [("template", 2)]),
        ("[system]\n{{ who }}\n[user]\nx\n\n{{ whom.name }}", [("unknown", 2), ("unknown", 6)]),
        ("[user]\n{% if brief and not who %}x{% elif whom == 1 %}y{% endif %}", [("unknown", 2), ("unknown", 2)]),
        ("[user]\n{{ brief|default:who }}", [("unknown", 2)]),
        ("[user]\n{% for a, b in pairs %}{{ a }}{{ b }}{{ forloop.counter }}{% endfor %}{{ a }}", [("unknown", 2)] * 2),
        ("[user]\n{% for a in titles %}x{% empty %}{{ a }}{% endfor %}", [("unknown", 2)]),
        ("[user]\n{% with own=brief other=who %}{{ own }}{% endwith %}{{ own }}", [("unknown", 2)] * 2),
        ("[user]\n{% firstof brief who 'x' %}", [("unknown", 2)]),
        ("[user]\n{% comment %}{{ who }}{% endcomment %}{% verbatim %}{{ who }}{% endverbatim %}x", []),
    ],
)
def test_each_problem_is_told_with_its_line(text: str, problems: list[tuple[str, int | None]]) -> None:
    errors = [(problem.code, problem.line) for problem in check(text, NAMES) if not problem.is_warning]
    assert errors == problems


def test_what_is_given_and_left_out_is_a_warning() -> None:
    problems = check("[user]\n{{ brief }}", NAMES)
    assert problems == [Problem("left_out", None, {"name": name}, is_warning=True) for name in ("titles", "language")]


def test_a_text_that_is_too_long_says_by_how_much(settings: Settings) -> None:
    settings.PROMPT_MAX_CHARACTERS = 20
    (problem,) = check("[user]\n{{ brief }}" + "x" * 9, ["brief"])
    assert problem.said == "The text has 27 characters; 20 are allowed."


def test_what_passes_can_be_rendered() -> None:
    version = PromptVersion(prompt=Prompt(slot="test/slot", variables=list(NAMES)), text=WHOLE)
    messages = prompts.render(version, {"brief": "B", "titles": ["T"], "language": "L"}).messages
    assert [(message.role, message.content) for message in messages] == [
        ("system", "You write in L."),
        ("user", "B\nT"),
    ]


def test_each_problem_is_told_in_french_too() -> None:
    english = prompt_checks.sentences()
    with translation.override("fr"):
        french = prompt_checks.sentences()
    assert [code for code in english if english[code] == french[code]] == []
