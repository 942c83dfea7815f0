"""A document as a file: by its address, under its name, for those who may see it."""

from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient

from generation import document_pictures, documents, exports, sections
from generation.exports import Export
from generation.manuscripts import Manuscript
from generation.models import Document, Section
from memory import history
from memory.base import admitted
from memory.base.database import db as in_database
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind
from tests.people import People
from tests.rest import Rest, told


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def note(people: People) -> Document:
    note = documents.create("note", 'Œufs "à la coque"', {}, user=people.owner, workspace=people.workspace)
    section = sections.add(note, "section", {"title": "Why", "content": "Because."}, By.person(people.owner))
    Section.objects.filter(id=section.id).update(fallback={"error_code": "model.idle"})
    return note


def test_members_export_and_the_file_keeps_its_labels(people: People, note: Document) -> None:
    answer = Rest(people.viewer).get(f"documents/{note.id}/export", format="md")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment; filename")
    text = answer.content.decode()
    assert "Œufs" in text
    assert "Fallback: this could not be written" in text
    assert "Because." in text


def test_as_json_it_is_what_the_api_shows_without_what_is_only_proposed(people: People, note: Document) -> None:
    rest = Rest(people.viewer)
    seen = rest.get(f"documents/{note.id}").json()
    assert rest.get(f"documents/{note.id}/export", format="json").json()["data"] == seen
    section = Section.whole().get()
    machine = By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")
    sections.lock(section, By.person(people.owner))
    history.write_as_recipe(section, {"content": "Proposed."}, machine, read_version=2, group=new_id())
    assert "Proposed." in rest.get(f"documents/{note.id}").content.decode()
    assert "Proposed." not in rest.get(f"documents/{note.id}/export", format="json").content.decode()


async def test_while_a_file_is_made_the_next_request_is_let_in(people: People, note: Document) -> None:
    let_in: list[bool] = []
    admitted.give_back.set(lambda: let_in.append(True))
    client = AsyncClient()
    await client.aforce_login(people.owner)
    assert (await client.get(f"/api/v1/documents/{note.id}/export?format=json")).status_code == 200
    assert let_in == [True]


@pytest.mark.parametrize("format", ["exe", "", "../md", "__init__", "md\x00"])
def test_a_format_there_is_not_is_refused(people: People, note: Document, format: str) -> None:
    assert told(Rest(people.owner).get(f"documents/{note.id}/export", format=format)) == (
        422,
        "validation.export_format",
    )


def test_a_stranger_and_nobody_export_nothing(people: People, note: Document) -> None:
    assert told(Rest(people.stranger).get(f"documents/{note.id}/export")) == (404, "not_found.document")
    rest = Rest(people.owner)
    rest.client.logout()
    assert told(rest.get(f"documents/{note.id}/export")) == (401, "authentication.needed")
    assert told(rest.post(f"documents/{note.id}/export")) == (405, "validation.method")


def test_a_name_cannot_break_out_of_its_header(people: People, note: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(*_: Any, **how: Any) -> Export:
        return Export('a"\r\nX-Evil: 1; œ.md', "text/markdown", b"")

    monkeypatch.setattr(exports, "export", named)
    answer = Rest(people.owner).get(f"documents/{note.id}/export")
    assert "X-Evil" not in answer.headers
    assert answer["Content-Disposition"].endswith("filename*=UTF-8''a%22%0D%0AX-Evil%3A%201%3B%20%C5%93.md")


def test_a_kind_that_is_not_set_is_not_exported(
    people: People, note: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_pictures, "RECIPES", {})
    assert told(Rest(people.owner).get(f"documents/{note.id}/export")) == (422, "validation.export_kind")


async def test_while_a_file_is_made_no_connection_waits(
    people: People, note: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def slow(manuscript: Manuscript, format: str, *, answers: bool) -> Export:
        seen.update(
            format=format, answers=answers, data=manuscript.data, is_connected=connection.connection is not None
        )
        return Export("a.docx", "application/x", b"made")

    monkeypatch.setattr(exports, "export", slow)
    client = AsyncClient()
    await client.aforce_login(people.owner)
    answer = await client.get(f"/api/v1/documents/{note.id}/export?format=docx&answers=1")
    assert answer.content == b"made"
    assert (seen["format"], seen["answers"], seen["is_connected"]) == ("docx", True, False)
    assert seen["data"]["title"] == note.title
    assert await in_database(in_transaction) == 0


def in_transaction() -> int:
    with connection.cursor() as sql:
        sql.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in tran%'"
        )
        return int(sql.fetchone()[0])
