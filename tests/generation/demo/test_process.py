"""The server as a process: it starts, says where, and ends when told."""

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process

import aiohttp
import pytest

from tests.generation.demo.conftest import BRIEF
from tests.patience import PATIENCE_SECONDS


async def start(*arguments: str, **environment: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "generation.demo", *arguments, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )


async def listening(process: Process) -> str:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
    return line.decode().split(" on ")[1].strip()


async def test_it_says_where_it_listens_and_ends_by_sigterm_even_in_mid_stream() -> None:
    process = await start("--port", "0", DEMO_FIRST_TOKEN_MS="0", DEMO_TOKENS_PER_SECOND="1")
    url = await listening(process)
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": BRIEF}]}
    async with aiohttp.ClientSession() as session, session.post(f"{url}/chat/completions", json=body) as response:
        assert await response.content.readany()
        told = time.monotonic()
        process.terminate()
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert time.monotonic() - told < 120  # the text would take longer
    assert (process.returncode, errors) == (0, b"")


async def test_a_busy_port_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start("--port", str(taken.getsockname()[1]))
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    assert errors.startswith(b"The demo model cannot start: ")
    assert errors.count(b"\n") == 1


@pytest.mark.parametrize(("name", "value"), [("DEMO_FAULT_RATE", "3"), ("DEMO_PORT", "http")])
async def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    process = await start(**{name: value})
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 1
    assert name.encode() in errors
