"""Somebody who speaks JSON to /api/v1, as a page or a program does."""

from typing import Any

import orjson
from django.test import Client

from memory.models import User


class Rest:
    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any) -> Any:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path, None)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else b""
        return self.client.generic(method, f"/api/v1/{path}", raw, "application/json", headers=headers)


def told(response: Any) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return response.status_code, response.json()["error_code"]
