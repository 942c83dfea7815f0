"""Drawings are kept by what they are of, in their workspace; the door shows them to its members only."""

import asyncio
import re
from importlib.resources import files
from uuid import uuid4

import pytest

from generation import drawings
from generation.diagrams import rendering
from generation.models import Drawing
from memory.base.database import db
from memory.base.errors import ToolFailed
from tests.counting import counted
from tests.people import People

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really drawn. Code that says so fails."""
    drawn: list[str] = []

    def render(type: str, code: str) -> str:
        drawn.append(code)
        if code in ("invalid", "timeout"):
            raise ToolFailed(f"diagram_{code}", type=type, because="line 3")
        return SVG

    monkeypatch.setattr(rendering, "render", render)
    return drawn


async def test_the_same_code_is_drawn_once(people_committed: People, drawn: list[str]) -> None:
    workspace = people_committed.workspace.id
    missed, hit = counted("cache_misses_total", cache="drawings"), counted("cache_hits_total", cache="drawings")
    first = await drawings.draw("mermaid", "graph TD", workspace)
    again = await drawings.draw("mermaid", "graph TD", workspace)
    assert (first.digest, first.svg) == (again.digest, SVG)
    assert drawn == ["graph TD"]
    assert counted("cache_misses_total", cache="drawings") == missed + 1
    assert counted("cache_hits_total", cache="drawings") == hit + 1


async def test_another_type_workspace_release_or_look_is_another_drawing(
    people_committed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = people_committed.workspace.id
    digests = [
        drawings.digest_of("mermaid", "x", workspace),
        drawings.digest_of("vegalite", "x", workspace),
        drawings.digest_of("mermaid", "x", uuid4()),
    ]
    monkeypatch.setattr("generation.diagrams.table.Wheel.version", lambda self: "99")
    digests.append(drawings.digest_of("mermaid", "x", workspace))
    monkeypatch.setattr(rendering, "LOOK", "99")
    digests.append(drawings.digest_of("mermaid", "x", workspace))
    assert len(set(digests)) == len(digests)


async def test_that_code_is_invalid_is_remembered(people_committed: People, drawn: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(ToolFailed, match="tool.diagram_invalid") as failed:
            await drawings.draw("mermaid", "invalid", people_committed.workspace.id)
        assert failed.value.params == {"type": "mermaid", "because": "line 3"}
    assert drawn == ["invalid"]


async def test_that_time_was_short_is_not(people_committed: People, drawn: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(ToolFailed, match="tool.diagram_timeout"):
            await drawings.draw("mermaid", "timeout", people_committed.workspace.id)
    assert drawn == ["timeout"] * 2
    assert await db(Drawing.objects.count) == 0


async def test_two_who_draw_the_same_at_once_are_both_served(people_committed: People, drawn: list[str]) -> None:
    workspace = people_committed.workspace.id
    both = await asyncio.gather(*(drawings.draw("mermaid", "graph TD", workspace) for _ in range(2)))
    assert [each.svg for each in both] == [SVG, SVG]
    assert await db(Drawing.objects.count) == 1


async def test_a_drawing_of_a_course_from_end_to_end(people_committed: People) -> None:
    drawing = await drawings.draw("mermaid", "graph TD\nA[Été 🎉]-->B", people_committed.workspace.id)
    assert "Été 🎉" in drawing.svg
    rendering.easels.close()


@pytest.fixture
def address(people: People) -> str:
    Drawing.objects.create(digest="a" * 64, workspace=people.workspace, type="mermaid", code="x", svg=SVG)
    return f"/diagrams/{'a' * 64}.svg"


def test_members_see_the_picture_and_nothing_in_it_runs(people: People, address: str) -> None:
    for user in (people.owner, people.teammate, people.viewer):
        answer = people.client(user).get(address)
        assert answer.content.decode() == SVG
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_strangers_learn_nothing(people: People, address: str) -> None:
    seen = people.client(people.stranger).get(address)
    none = people.client(people.stranger).get(address.replace("a" * 64, "b" * 64))
    assert (seen.status_code, none.status_code) == (404, 404)
    assert seen.headers.get("Cache-Control") != "private, max-age=31536000, immutable"


def test_a_token_opens_the_door_too(people: People, address: str) -> None:
    answer = people.client(people.stranger).get(address, headers=people.bearer(people.owner, "read"))
    assert answer.status_code == 200


def test_what_could_not_be_drawn_has_no_picture(people: People) -> None:
    Drawing.objects.create(digest="c" * 64, workspace=people.workspace, type="mermaid", code="x", error={"because": ""})
    assert people.client(people.owner).get(f"/diagrams/{'c' * 64}.svg").status_code == 404


def test_it_goes_with_its_workspace(people: People, address: str) -> None:
    people.workspace.delete()
    assert not Drawing.objects.exists()


def test_mermaid_is_a_release_without_the_known_holes() -> None:
    """CVE-2025-54880 and -54881, CVE-2026-41148 and -41149: closed in 11.15."""
    bundle = files("mermaidx").joinpath("assets/mermaid.js").read_text()
    versions = re.findall(r'version:"(\d+)\.(\d+)\.\d+"', bundle)
    assert max((int(major), int(minor)) for major, minor in versions) >= (11, 15)
