"""`manage.py generate`: a brief in, progress and text out, an exit code that says how it ended."""

import io
import sys
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from generation.carrier import Carrier
from generation.models import Run
from memory.base.database import db as in_database
from tests.generation.conftest import Demo, recorded_text
from tests.people import People
from tests.rest import Rest

BRIEF = """Un cours standard sur les boucles en Python pour des élèves de première NSI.
Quatre parties : pourquoi répéter, la boucle for, la boucle while, les erreurs fréquentes.
"""


class Ended:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


async def generate(*arguments: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()

    def run() -> int:
        try:
            call_command("generate", *arguments, stdout=out, stderr=err)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return Ended(await in_database(run), out.getvalue(), err.getvalue())


@pytest.fixture
def brief(tmp_path: Path) -> str:
    path = tmp_path / "brief.txt"
    path.write_text(BRIEF, encoding="utf-8")
    return str(path)


async def test_a_note_is_written_and_exported(carrier: Carrier, brief: str, tmp_path: Path) -> None:
    exported = tmp_path / "note.md"
    ended = await generate("note", "--brief", brief, "--queue", "web", "--export", str(exported))
    assert ended.code == 0
    assert "100 %" in ended.err
    assert ended.err.count("%  ") == 6
    text = exported.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.count("\n## ") == 4
    recorded = await recorded_text(await in_database(Run.objects.get))
    assert all(part.strip() in text for key, part in recorded.items() if key != "outline")


async def test_a_json_export_is_that_of_the_documents_address(
    carrier: Carrier, house: People, brief: str, tmp_path: Path
) -> None:
    path = tmp_path / "note.json"
    assert (await generate("note", "--brief", brief, "--queue", "web", "--export", str(path))).code == 0
    run = await in_database(Run.objects.get)
    rest = await in_database(Rest, house.owner)
    answer = await in_database(partial(rest.get, f"documents/{run.document_id}/export", format="json", answers=True))
    exported = orjson.loads(path.read_bytes())
    assert exported == answer.json()
    assert exported["data"]["id"] == str(run.document_id)


async def test_a_format_there_is_not_is_said(carrier: Carrier, brief: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"validation\.export_format"):
        await generate("note", "--brief", brief, "--queue", "web", "--export", str(tmp_path / "note.exe"))


async def test_json_gives_the_run_and_follow_its_events(carrier: Carrier, brief: str) -> None:
    ended = await generate("note", "--brief", brief, "--queue", "web", "--json", "--follow")
    *events, run = [orjson.loads(line) for line in ended.out.splitlines()]
    assert (ended.code, ended.err) == (0, "")
    assert events[-1]["type"] == "done"
    assert run["state"] == "done"
    assert run["usage"]["calls"] == 5


async def test_the_brief_comes_from_standard_input(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BRIEF.encode())))
    ended = await generate("note", "--brief", "-", "--queue", "web", "--follow")
    assert ended.code == 0
    followed = capsys.readouterr().out
    headings = [line for line in followed.splitlines() if line.startswith("── ")]
    assert headings == ["── outline", *(f"── section-{n}" for n in range(1, 5))]


async def test_a_fallback_ends_with_3_and_a_failure_with_1(carrier: Carrier, brief: str, demo: Demo) -> None:
    demo.set(rules=[{"contains": "Write the section", "fault": "unauthorised", "times": 1}])
    assert (await generate("note", "--brief", brief, "--queue", "web")).code == 3
    demo.set(rules=[{"contains": "Plan the note", "fault": "unauthorised", "times": None}])
    ended = await generate("note", "--brief", brief, "--queue", "web")
    assert ended.code == 1
    assert "failed" in ended.err


async def test_an_action_is_done_to_a_document_that_is_there(carrier: Carrier, house: People, tmp_path: Path) -> None:
    rest = await in_database(Rest, house.owner)
    body = {"kind": "course", "title": "Loops", "fields": {"level_detail": "flash", "exercises_per_chapter": 1}}
    course = (await in_database(rest.post, "documents", body)).json()["id"]
    exported = tmp_path / "course.md"
    does = ["--document", course, "--action", "add_chapter", "--option", "instruction=On recursion."]
    ended = await generate(*does, "--export", str(exported))
    assert (ended.code, "100 %" in ended.err) == (0, True)
    run = await in_database(Run.objects.get)
    assert (run.action, run.options, str(run.document_id)) == (
        "add_chapter",
        {"instruction": "On recursion."},
        course,
    )
    (chapter,) = (await in_database(rest.get, f"documents/{course}")).json()["sections"]
    assert chapter["fields"]["title"] in exported.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--action", "nothing"], "not_found.action"),
        (["--action", "add_chapter", "--option", "x=1"], "validation.options"),
        (["--action", "add_chapter", "--brief", "-"], "nothing else is asked"),
        ([], "--action NAME"),
        (["--action", "add_chapter", "--user", "stranger"], "not_found.document"),
        (["--action", "add_chapter", "--user", "viewer"], "permission.role"),
    ],
)
async def test_an_action_that_cannot_be_done_is_said(house: People, arguments: list[str], words: str) -> None:
    rest = await in_database(Rest, house.owner)
    course = (await in_database(rest.post, "documents", {"kind": "course", "title": "Loops"})).json()["id"]
    with pytest.raises(CommandError, match=words):
        await generate("--document", course, *arguments)
    assert not await in_database(Run.objects.exists)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing", "--brief", "{brief}"], "validation.kind"),
        (["note"], "KIND --brief FILE"),
        (["note", "--brief", "/no/such/file"], "cannot be read"),
        (["note", "--brief", "{brief}", "--option", "x=1"], "validation.options"),
        (["note", "--brief", "{brief}", "--option", "x"], "NAME=VALUE"),
        (["note", "--brief", "{brief}", "--user", "nobody"], "no such user"),
    ],
)
async def test_what_cannot_be_done_is_said(house: People, brief: str, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        await generate(*(argument.replace("{brief}", brief) for argument in arguments))
    assert not await in_database(Run.objects.exists)
