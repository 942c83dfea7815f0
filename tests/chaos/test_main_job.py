"""The main job on real briefs, by each of its doors, in a house of real processes: text comes while it is written, and
nothing of it is missing at the end.
"""

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from tests.chaos.followers import TRANSPORTS, following
from tests.chaos.invariants import check, check_documents, recorded_texts, states, until_settled
from tests.chaos.stack import Stack

BRIEFS = Path(__file__).parents[1] / "briefs"
SLOW = {"first_token_ms": 100, "tokens_per_second": 150}


def bearer(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.secrets['owner']}"}


def by_rest(stack: Stack, brief: str) -> UUID:
    answer = httpx.post(f"{stack.url}/api/v1/runs", json={"kind": "note", "brief": brief}, headers=bearer(stack))
    assert answer.status_code == 202
    return UUID(answer.json()["id"])


def by_command(stack: Stack, brief: str) -> UUID:
    """It watches to the end by itself; what it prints last is the run."""
    command = stack.python("generate", "manage.py", "generate", "note", "--brief", "-", "--user", "owner", "--json")
    ended = subprocess.run(command.argv, input=brief.encode(), capture_output=True, **command.options())
    assert ended.returncode == 0, ended.stderr.decode()
    return UUID(orjson.loads(ended.stdout)["id"])


def by_frame(stack: Stack, brief: str) -> UUID:
    async def start() -> Any:
        async with connect(stack.url.replace("http", "ws", 1) + "/ws/") as socket:
            for frame in (
                {"type": "token", "token": stack.secrets["owner"]},
                {"type": "start", "key": brief[:40], "kind": "note", "brief": brief},
            ):
                await socket.send(orjson.dumps(frame).decode())
                answer = orjson.loads(await socket.recv())
                assert answer["type"] == "accepted", answer
            return answer["run"]

    return UUID(asyncio.run(start()))


@pytest.mark.parametrize("brief", ["company.txt", "course-short.txt"])
@pytest.mark.parametrize("start", [by_rest, by_command, by_frame])
async def test_a_note_is_written_from_a_real_brief(stack: Stack, start: Any, brief: str) -> None:
    stack.model(**SLOW)
    text = (BRIEFS / brief).read_text(encoding="utf-8")
    begun = time.monotonic()
    run = await asyncio.to_thread(start, stack, text)
    async with following(stack.url) as followers:
        for transport in TRANSPORTS:
            followers.follow(run, transport, stack.secrets["owner"])
        if start is not by_command:
            await asyncio.sleep(1.5)
            assert any(reader.texts() for reader in followers.readers)
            assert not any(reader.ended for reader in followers.readers)
        await followers.until_all_ended()
    assert time.monotonic() - begun > 1.5
    with stack.sql() as sql:
        until_settled(sql, [run])
        assert check(sql, [run], stack.stats()["log"]) == []
        assert states(sql, [run]) == {"done": 1}
        assert followers.violations(recorded_texts(sql, [run])) == []
    exported, written = await asyncio.to_thread(as_kept, stack, run)
    assert written["language"] == "fr"
    assert {"é", "à"} <= set(exported)
    assert "\ufffd" not in exported
    assert len(written["sections"]) >= 3
    assert [section["key"] for section in written["sections"] if section["fields"]["content"] not in exported] == []


def as_kept(stack: Stack, run: UUID) -> tuple[str, dict[str, Any]]:
    """The export of what the run wrote, and its document."""
    with httpx.Client(base_url=f"{stack.url}/api/v1/", headers=bearer(stack)) as client:
        document = client.get(f"runs/{run}").json()["document"]
        exported = client.get(f"documents/{document}/export", params={"format": "md"}).content.decode()
        return exported, client.get(f"documents/{document}").json()


def test_a_course_is_written_from_a_real_brief_by_command(stack: Stack, tmp_path: Path) -> None:
    """The brief as a file, the course as a book. The deep one goes the same way; it is written over REST."""
    stack.model(first_token_ms=5, tokens_per_second=20_000)
    book = tmp_path / "course.epub"
    asked = ("--brief", str(BRIEFS / "course-short.txt"), "--user", "owner", "--json", "--export", str(book))
    command = stack.python("generate", "manage.py", "generate", "course", *asked)
    ended = subprocess.run(command.argv, capture_output=True, **command.options())
    assert ended.returncode == 0, ended.stderr.decode()
    run = UUID(orjson.loads(ended.stdout)["id"])
    with stack.sql() as sql:
        until_settled(sql, [run])
        assert check(sql, [run], stack.stats()["log"]) == []
        assert check_documents(sql, [run]) == []
        assert states(sql, [run]) == {"done": 1}
    with ZipFile(book) as packed:
        assert packed.testzip() is None
        said = "".join(packed.read(name).decode() for name in packed.namelist() if name.endswith("xhtml"))
    assert "é" in said
