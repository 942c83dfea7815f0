"""Every code that is raised anywhere has a sentence, in English and in French, with three parts and no gap."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from memory import sentences
from memory.base import errors
from memory.base.errors import ScriptoriumError

FAMILIES = {
    name: value.family
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, ScriptoriumError)
}
# Reasons that are computed where they are raised: the file, and what it may say.
COMPUTED: dict[str, list[str]] = {
    "generation/budgets.py": ["budget.run", "budget.user_day", "budget.workspace_day"],
    "generation/llm/timers.py": ["model.first_token", "model.idle", "model.total"],
    "chat/frames.py": [
        f"not_found.{name}" for name in ("run", "workspace", "user", "topic", "document", "session", "message", "file")
    ],
    "memory/readings.py": [],  # raised again as they were kept
    "generation/llm/errors.py": [],  # its tables are read below, as pairs
}


ALL = {**sentences.FAMILIES, **sentences.known()}


def sources() -> Iterator[Path]:
    for floor in ("config", "chat", "generation", "memory"):
        yield from sorted((settings.BASE_DIR / floor).rglob("*.py"))


def raised() -> dict[str, str]:
    """Codes and where they are raised: `Family("reason", …)` and the pairs `(Family, "reason")` of tables."""
    found: dict[str, str] = {}
    for path in sources():
        name = str(path.relative_to(settings.BASE_DIR))
        for node in ast.walk(ast.parse(path.read_text())):
            family, reason = pair(node)
            if family is None or name == "memory/base/errors.py":
                continue
            if isinstance(reason, ast.Constant):
                found[f"{family}.{reason.value!s}"] = name
            elif isinstance(node, ast.Call):
                assert name in COMPUTED, f"{name}:{node.lineno} computes a reason: say in COMPUTED which there are"
                found.update(dict.fromkeys(COMPUTED[name], name))
    return found


def pair(node: ast.AST) -> tuple[str | None, ast.expr | None]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        return FAMILIES.get(node.func.id), node.args[0]
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Name):
        return FAMILIES.get(node.elts[0].id), node.elts[1]
    return None, None


RAISED = raised()


def test_every_raised_code_has_a_sentence() -> None:
    codes = raised()
    assert {code: codes[code] for code in set(codes) - set(sentences.known()) - {"internal.error"}} == {}


def test_no_sentence_is_left_of_a_code_that_nobody_raises() -> None:
    assert set(sentences.known()) - set(raised()) == set()


def test_every_family_has_one() -> None:
    assert set(FAMILIES.values()) == set(sentences.FAMILIES)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_it_says_what_happened_what_is_kept_and_one_thing_to_do(language: str) -> None:
    with translation.override(language):
        said = {code: sentences.say(code, {}) for code in ALL}
    assert {code: text for code, text in said.items() if len(re.findall(r"[.…;](?=\s|$)", text)) < 3} == {}
    assert {code: text for code, text in said.items() if len(text) > 160 or "!" in text} == {}


def test_french_says_it_in_french_with_the_same_gaps() -> None:
    english = {code: str(text) for code, text in ALL.items()}
    with translation.override("fr"):
        french = {code: str(text) for code, text in ALL.items()}
    assert [code for code in ALL if french[code] == english[code]] == []
    assert [code for code in ALL if gaps(french[code]) != gaps(english[code])] == []


def test_the_compiled_catalogue_is_the_written_one() -> None:
    written = (Path(settings.BASE_DIR) / "locale/fr/LC_MESSAGES/django.po").read_text()
    entries = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', written, re.MULTILINE)
    assert len(entries) > len(ALL)
    with translation.override("fr"):
        assert [english for english, french in entries if translation.gettext(english) != french] == []


def gaps(text: str) -> set[str]:
    return set(re.findall(r"{.*?}", text))


def test_values_are_written_for_people() -> None:
    said = sentences.say("validation.file_too_large", {"name": "a.pdf", "limit": 10 * 1024 * 1024})
    assert "10.0\xa0MB" in said
    said = sentences.say("validation.file_kind", {"name": "a.exe", "allowed": ["docx", "md"]})
    assert "docx, md" in said


def test_an_unknown_code_and_missing_parameters_still_make_a_sentence() -> None:
    assert sentences.say("model.never_heard_of", {}) == str(sentences.FAMILIES["model"])
    assert sentences.say("strange", {}) == str(sentences.FAMILIES["internal"])
    assert "…" in sentences.say("permission.role", {"held": "viewer"})


def test_a_parameter_is_only_ever_text() -> None:
    said = sentences.say("not_found.agent", {"agent": "{0.__class__} {limit}"})
    assert "{0.__class__} {limit}" in said
