"""A crowd at the door, as after a restart: nobody is turned away, and the process takes no more upon it than it can."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from config.admission import AT_ONCE
from tests.chaos.followers import bearer
from tests.chaos.stack import Stack, freeze, wake

CROWD = 300
IMPATIENT = 150  # those of them who have left before the door opens


def ask(stack: Stack, path: str) -> socket.socket:
    """Asked, and not waited for."""
    headers = {"Host": "127.0.0.1", "Connection": "close", **bearer(stack.secrets["owner"])}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    client = socket.create_connection(("127.0.0.1", stack.port))
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    return client


def status_line(client: socket.socket) -> bytes:
    with client, client.makefile("rb") as answer:
        return answer.readline().strip()


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """How many threads the process has, again and again, as long as the block lasts."""
    seen = [threads(pid)]
    is_over = Event()

    def watch() -> None:
        while not is_over.wait(0.005):
            seen.append(threads(pid))

    with ThreadPoolExecutor(1) as executor:
        watching = executor.submit(watch)
        try:
            yield seen
        finally:
            is_over.set()
            watching.result()


def test_a_crowd_is_answered_in_turn(stack: Stack) -> None:
    run = stack.begin("low")  # on which no worker of this house is
    web = stack.keepers["web"].pid
    with watched(web) as seen, ThreadPoolExecutor(CROWD) as patient:
        freeze(web)
        try:
            crowd = [ask(stack, f"/api/v1/runs/{run}") for _ in range(CROWD)]
            for client in crowd[:IMPATIENT]:
                client.close()
        finally:
            wake(web)
        answers = list(patient.map(status_line, crowd[IMPATIENT:]))
    stack.ask("cancel", run=str(run))  # without Redis the web process would write it
    assert answers == [b"HTTP/1.1 200 OK"] * (CROWD - IMPATIENT)
    assert max(seen) <= seen[0] + 2 * AT_ONCE
