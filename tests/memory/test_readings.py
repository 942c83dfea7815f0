"""What files say is read once per content and kept, failures too; a busy hour is no verdict."""

import errno
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from memory import files, readings
from memory.base import children
from memory.base.database import db as in_database
from memory.base.errors import ToolFailed
from memory.models import File, Reading
from tests import uploads
from tests.people import People


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds that children were asked to read."""
    seen: list[str] = []
    run = children.run

    def spy(module: str, request: bytes, *arguments: str, **limits: Any) -> bytes:
        seen.extend(arguments)
        return run(module, request, *arguments, **limits)

    monkeypatch.setattr(children, "run", spy)
    return seen


async def uploaded(people: People, name: str, content: bytes) -> File:
    return await in_database(files.store, people.owner, people.workspace, name, content)


async def code_of(file: File) -> str:
    with pytest.raises(ToolFailed) as failed:
        await readings.read(file)
    return failed.value.code


async def test_the_same_bytes_are_read_once(people_committed: People, asked: list[str]) -> None:
    file, other = [await uploaded(people_committed, name, b"Loops repeat.") for name in ("a.txt", "b.txt")]
    first = await readings.read(file)
    await in_database(lambda: Reading.objects.update(read_at=first.read_at - timedelta(days=400)))
    second = await readings.read(other)
    assert first.text == second.text == "Loops repeat."
    assert (second.characters, second.is_cut, second.encoding) == (13, False, "utf-8")
    assert asked == ["txt"]


async def test_the_same_bytes_as_another_kind_are_read_again(people_committed: People, asked: list[str]) -> None:
    page = b"<!doctype html><p>Loops"
    for name in ("a.txt", "a.html"):
        await readings.read(await uploaded(people_committed, name, page))
    assert asked == ["txt", "html"]
    assert await in_database(lambda: set(Reading.objects.values_list("text", flat=True))) == {page.decode(), "Loops"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.pdf", uploads.locked_pdf("x"), "tool.file_encrypted"),
        ("a.pdf", uploads.pdf(b""), "tool.file_scanned"),
        ("a.pdf", b"%PDF-1.7\n%%EOF", "tool.file_broken"),
        ("a.docx", uploads.docx(lambda word: None), "tool.file_blank"),
    ],
)
async def test_a_failure_is_kept_with_its_reason(
    people_committed: People, asked: list[str], name: str, content: bytes, code: str
) -> None:
    file = await uploaded(people_committed, name, content)
    assert await code_of(file) == code
    reading = await in_database(Reading.objects.get)
    await in_database(lambda: Reading.objects.update(read_at=reading.read_at - timedelta(days=400)))
    assert await code_of(file) == code
    assert len(asked) == 1
    assert ((reading.error or {})["error_code"], reading.text) == (code, "")


async def test_a_limit_is_a_verdict_for_an_hour_only(
    people_committed: People, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await uploaded(people_committed, "a.pdf", uploads.slow_pdf())
    monkeypatch.setattr(readings, "SECONDS", 1)
    assert [await code_of(file), await code_of(file)] == ["tool.child_timeout", "tool.child_timeout"]
    assert len(asked) == 1
    await in_database(lambda: Reading.objects.update(read_at=Reading.objects.get().read_at - timedelta(hours=2)))
    await code_of(file)
    assert len(asked) == 2


async def test_bytes_that_are_gone_may_come_back(people_committed: People) -> None:
    file = await uploaded(people_committed, "a.txt", b"only once, and never elsewhere")
    path = files.path_of(file.sha256)
    content = path.read_bytes()
    path.unlink()
    assert await code_of(file) == "tool.file_lost"
    path.write_bytes(content)
    assert (await readings.read(file)).text == content.decode()


async def test_a_machine_without_room_is_no_verdict_on_the_file(
    people_committed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = await uploaded(people_committed, "a.txt", b"Room enough, some day.")
    with monkeypatch.context() as patched:
        patched.setattr(children, "run", full)
        assert await code_of(file) == "tool.child_died"
    assert (await readings.read(file)).text == "Room enough, some day."


async def test_no_connection_is_held_while_a_child_works(
    people_committed: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waits for the child never touches the database."""
    file = await uploaded(people_committed, "a.txt", b"Loops repeat, quietly.")
    threads: list[str] = []
    run = children.run

    def spy(*arguments: Any, **limits: Any) -> bytes:
        threads.append(threading.current_thread().name)
        assert connections["default"].connection is None
        return run(*arguments, **limits)

    monkeypatch.setattr(children, "run", spy)
    await readings.read(file)
    assert threads[0].startswith("reader")
