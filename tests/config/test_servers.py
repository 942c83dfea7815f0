"""The same application under two servers: it answers, and it ends on time whatever is half done."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from config.supervisor.house import BASE, free_port
from tests.config.houses import wait_until

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
        assert server.wait(5) in {0, -signal.SIGTERM}


def test_half_an_upload_does_not_keep_the_others_alive() -> None:
    """Daphne's own shutdown trips over it and cancels nobody (TRAPS 1.2)."""
    with serving("daphne") as (port, server), socket.create_connection(("127.0.0.1", port)) as upload:
        upload.sendall(HALF_AN_UPLOAD)
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(5) == 0


def test_a_busy_port_ends_the_web_process_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        web = subprocess.run(
            [sys.executable, "manage.py", "web", "--port", port], cwd=BASE, capture_output=True, text=True, timeout=20
        )
    assert web.returncode == 1
    assert f"could not run on 127.0.0.1:{port}" in web.stderr
