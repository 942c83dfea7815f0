"""The same application under two servers: it answers, and it ends on time whatever is half done."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import httpx
import pytest

from config.supervisor.house import BASE, free_port
from tests.config.houses import wait_until
from tests.patience import PATIENCE_SECONDS
from tests.people import People

pytestmark = pytest.mark.django_db(transaction=True)

SERVERS = {
    "daphne": ["manage.py", "web", "--port"],
    "uvicorn": ["-m", "uvicorn", "config.asgi:application", "--log-level", "warning", "--port"],
}
HALF_AN_UPLOAD = b"POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf"


@contextmanager
def serving(name: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    server = subprocess.Popen([sys.executable, *SERVERS[name], str(port)], cwd=BASE, env=environment)
    try:
        wait_until(lambda: is_ready(port) or server.poll() is not None, f"{name} to be ready")
        yield port, server
    finally:
        server.kill()
        server.wait()


def is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
            return answer.status == 200
    except (URLError, ConnectionError):
        return False


@pytest.mark.parametrize("name", SERVERS)
def test_it_serves_and_ends_when_told(name: str) -> None:
    with serving(name) as (_, server):
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_SECONDS) in {0, -signal.SIGTERM}


@pytest.mark.parametrize("says_how_long", [True, False])
def test_a_body_of_400_megabytes_costs_no_memory(says_how_long: bool) -> None:
    megabyte = bytes(1024 * 1024)
    head = b"POST /api/v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    head += b"Content-Length: 419430400\r\n\r\n" if says_how_long else b"Transfer-Encoding: chunked\r\n\r\n"
    piece = megabyte if says_how_long else b"100000\r\n" + megabyte + b"\r\n"
    with serving("daphne") as (port, server), socket.create_connection(("127.0.0.1", port)) as upload:
        before = peak_megabytes(server.pid)
        sent = send_until_refused(upload, head, piece, 400)
        assert sent < 40
        assert peak_megabytes(server.pid) < before + 100
        assert is_ready(port)


def send_until_refused(upload: socket.socket, head: bytes, piece: bytes, pieces: int) -> int:
    """How many pieces the server took before it closed the connection."""
    upload.sendall(head)
    for sent in range(pieces):
        try:
            upload.sendall(piece)
        except ConnectionError:
            return sent
    return pieces


def peak_megabytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def test_an_upload_passes_daphne_whole(people_committed: People) -> None:
    """Ten megabytes are read, one more is refused in words."""
    headers = people_committed.bearer(people_committed.owner)
    with serving("daphne") as (port, _):
        answers = [
            httpx.post(f"http://127.0.0.1:{port}/api/v1/files", files={"file": ("a.txt", b"x" * size)}, headers=headers)
            for size in (10 * 1024 * 1024, 11 * 1024 * 1024)
        ]
    assert [answer.status_code for answer in answers] == [201, 413]
    assert answers[1].json()["error_code"] == "validation.body_too_large"


def test_half_an_upload_does_not_keep_the_others_alive() -> None:
    """Daphne's own shutdown trips over it and cancels nobody (TRAPS 1.2)."""
    with serving("daphne") as (port, server), socket.create_connection(("127.0.0.1", port)) as upload:
        upload.sendall(HALF_AN_UPLOAD)
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE_SECONDS) == 0


def test_a_busy_port_ends_the_web_process_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "manage.py", "web", "--port", port]
        web = subprocess.run(command, cwd=BASE, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert web.returncode == 1
    assert f"could not run on 127.0.0.1:{port}" in web.stderr
