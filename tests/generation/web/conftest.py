"""The web of the tests under the name that tests call it by; and servers that want to be left alone."""

import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from redis import Redis

from tests.web import Web, web_of_tests

__all__ = ["web_of_tests"]


@pytest.fixture
def web(web_of_tests: Web) -> Web:
    """With nothing remembered of what it said before."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        for place in redis.scan_iter("scriptorium:web:*"):
            redis.delete(place)
    return web_of_tests


class Canary:
    """Something on loopback that nobody may connect to."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.port = server.getsockname()[1]

    def was_touched(self) -> bool:
        try:
            self.server.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def canary() -> Iterator[Canary]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Canary(server)
