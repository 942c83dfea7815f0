"""What programs ask about people: who am I, where may I write, keep this file."""

import errno
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from memory import files
from memory.models import File, Workspace
from tests import uploads
from tests.people import People

pytestmark = pytest.mark.django_db


def text_file(name: str = "notes.txt", content: bytes = b"Loops repeat.") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_it_says_who_asks(people: People) -> None:
    answer = people.client(people.teammate).get("/api/v1/me")
    assert answer.json()["username"] == "teammate"
    assert answer.json()["id"] == str(people.teammate.pk)


def test_it_lists_ones_own_workspaces_with_the_role(people: People) -> None:
    answer = people.client(people.viewer).get("/api/v1/workspaces")
    assert answer.json() == [{"id": str(people.workspace.id), "name": "Scriptorium", "role": "viewer"}]


def test_a_stranger_sees_only_their_own(people: People) -> None:
    names = [item["name"] for item in people.client(people.stranger).get("/api/v1/workspaces").json()]
    assert names == ["Elsewhere"]


def test_an_upload_is_kept_in_the_oldest_workspace(people: People) -> None:
    answer = people.client(people.owner).post("/api/v1/files", {"file": text_file()})
    assert answer.status_code == 201
    kept = File.objects.get()
    assert answer.json() == {"id": str(kept.id), "name": "notes.txt", "kind": "txt", "size": 13}
    assert kept.workspace == people.workspace


def test_an_upload_names_its_workspace(people: People) -> None:
    other = Workspace.objects.get(name="Elsewhere")
    answer = people.client(people.stranger).post("/api/v1/files", {"file": text_file(), "workspace": str(other.id)})
    assert answer.status_code == 201


def test_a_stranger_cannot_upload_into_the_workspace(people: People) -> None:
    given = {"file": text_file(), "workspace": str(people.workspace.id)}
    answer = people.client(people.stranger).post("/api/v1/files", given)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "not_found.workspace")
    assert not File.objects.exists()


def test_a_viewer_cannot_upload(people: People) -> None:
    given = {"file": text_file(), "workspace": str(people.workspace.id)}
    answer = people.client(people.viewer).post("/api/v1/files", given)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "permission.role")
    assert answer.json()["details"] == {"needed": "editor", "held": "viewer"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("notes.txt", b"", "validation.file_empty"),
        ("notes.exe", b"MZ", "validation.file_kind"),
        ("notes.pdf", b"<html>", "validation.file_content"),
        ("notes.txt", b"a\x00b", "validation.file_content"),
        ("notes.docx", b"PK\x03\x04 cut short", "validation.file_content"),
    ],
)
def test_what_is_not_what_its_name_says_is_not_kept(people: People, name: str, content: bytes, code: str) -> None:
    answer = people.client(people.owner).post("/api/v1/files", {"file": text_file(name, content)})
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)
    assert not File.objects.exists()


def test_a_document_that_unpacks_to_far_more_is_not_kept(people: People) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 10_000_000)
    answer = people.client(people.owner).post("/api/v1/files", {"file": text_file("a.docx", packed.getvalue())})
    assert answer.json()["error_code"] == "validation.file_bomb"


def test_a_word_file_that_is_open_about_being_a_bomb_is_not_kept(people: People) -> None:
    given = {"file": text_file("a.docx", uploads.bomb_docx())}
    answer = people.client(people.owner).post("/api/v1/files", given)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "validation.file_bomb")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_text_is_kept_in_any_encoding_that_can_be_read(people: People, encoding: str) -> None:
    given = {"file": text_file(content="L’été, à l’œuvre : déjà vu.".encode(encoding))}
    assert people.client(people.owner).post("/api/v1/files", given).status_code == 201


def test_a_full_disk_is_said_and_leaves_no_half_file(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    answer = people.client(people.owner).post("/api/v1/files", {"file": text_file(content=b"There is no room.")})
    assert (answer.status_code, answer.json()["error_code"]) == (503, "service.storage")
    assert not File.objects.exists()
    folder = files.path_of(hashlib.sha256(b"There is no room.").hexdigest()).parent
    assert list(folder.iterdir()) == []


def test_what_is_too_large_is_refused_before_it_is_read(people: People, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000
    answer = people.client(people.owner).post("/api/v1/files", {"file": text_file(content=b"x" * 100_000)})
    assert (answer.status_code, answer.json()["error_code"]) == (413, "validation.body_too_large")
    assert "1000" in answer.json()["message"]


def test_a_file_a_little_too_large_stops_while_it_is_read(people: People, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = 1_000
    headers = people.bearer(people.owner)
    answer = Client().post("/api/v1/files", {"file": text_file(content=b"x" * 1_001)}, headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (413, "validation.body_too_large")


def test_without_a_file_the_missing_field_is_named(people: People) -> None:
    answer = people.client(people.owner).post("/api/v1/files", {})
    assert answer.status_code == 422
    assert answer.json()["details"]["problems"][0]["path"] == "file.file"
