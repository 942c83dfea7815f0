"""What was found and read within the hour, kept in Redis for the workspace that asked, and for no other.

A workspace has PLACES, each of which holds one answer with the question it belongs to: however much is asked, what is
kept has a limit. Without Redis everything is asked again.
"""

import asyncio
import hashlib
from functools import cache
from typing import TypeVar
from uuid import UUID

import orjson
import structlog
from django.conf import settings
from pydantic import TypeAdapter, ValidationError
from redis import Redis

from memory.base import metrics
from memory.base.news import AWAY

T = TypeVar("T")
log = structlog.get_logger()

KEEP_SECONDS = 3_600
PLACES = 128
SECONDS = 1  # that Redis may take
RELEASE = 1  # of what is kept: another one forgets the rest


@cache
def redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)


async def known(workspace: UUID, kind: str, question: str, returns: TypeAdapter[T]) -> T | None:
    """The answer that this workspace was given to this question; None for what has to be asked."""
    found = await asyncio.to_thread(read, place_of(workspace, kind, question))
    answer = None if found is None else understood(found, question, returns)
    (metrics.cache_misses if answer is None else metrics.cache_hits).labels(f"web_{kind}").inc()
    return answer


async def keep(workspace: UUID, kind: str, question: str, answer: T, returns: TypeAdapter[T]) -> None:
    content = orjson.dumps({"question": question, "answer": returns.dump_python(answer, mode="json")})
    await asyncio.to_thread(write, place_of(workspace, kind, question), content)


def place_of(workspace: UUID, kind: str, question: str) -> str:
    digest = hashlib.sha256(f"{kind} {question}".encode()).digest()
    return f"scriptorium:web:{RELEASE}:{workspace}:{int.from_bytes(digest[:4]) % PLACES}"


def understood(content: bytes, question: str, returns: TypeAdapter[T]) -> T | None:
    """None where another question has taken the place, or another release has left what it had in mind."""
    try:
        kept = orjson.loads(content)
        return returns.validate_python(kept["answer"]) if kept["question"] == question else None
    except (ValidationError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        log.warning("web_cache_not_understood", error=type(error).__name__)
        return None


def read(place: str) -> bytes | None:
    try:
        found = redis(settings.REDIS_URL).get(place)
    except AWAY as error:
        log.warning("web_cache_away", error=str(error))
        return None
    return found if isinstance(found, bytes) else None


def write(place: str, content: bytes) -> None:
    try:
        redis(settings.REDIS_URL).set(place, content, ex=KEEP_SECONDS)
    except AWAY as error:
        log.warning("web_cache_away", error=str(error))
