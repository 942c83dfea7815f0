"""Whether this process lives, whether it can serve, and what it and its sisters have counted."""

import ipaddress
import os
import threading
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from redis import Redis

from config import migrations
from memory.authentication import user_of
from memory.base import metrics as figures
from memory.base import tallies
from memory.base.errors import PermissionRefused
from memory.base.limits import is_address
from memory.base.news import AWAY

REDIS_SECONDS = 1

migrated = threading.Event()  # once set it stays: a migration is not taken back under a running process


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"live": True})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """503 without PostgreSQL or with migrations missing. Redis is told, not required: without it all is only slower."""
    parts = {"postgresql": database_state(), "redis": redis_state()}
    is_ready = parts["postgresql"] == "ok"
    return JsonResponse({"ready": is_ready, **parts}, status=200 if is_ready else 503)


def database_state() -> str:
    try:
        with connection.cursor() as sql:
            sql.execute("SELECT 1")
        if not migrated.is_set() and not migrations.missing():
            migrated.set()
    except Error:
        return "away"
    return "ok" if migrated.is_set() else "not migrated"


def redis_state() -> str:
    try:
        with redis() as server:
            server.ping()
    except AWAY:
        return "away"
    return "ok"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus on this machine, or for staff (session, or a token that may read)."""
    if not is_from_here(request) and not user_of(request).is_staff:
        raise PermissionRefused("staff")
    measure_redis()
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def is_from_here(request: HttpRequest) -> bool:
    """A loopback peer that forwards for nobody: behind a proxy on this machine everybody is a loopback peer."""
    peer = request.META.get("REMOTE_ADDR", "")
    forwards = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not forwards and is_address(peer) and ipaddress.ip_address(peer).is_loopback


def registry() -> Any:
    if tallies.FOLDER not in os.environ:
        return REGISTRY
    everybody = CollectorRegistry()
    tallies.Tallies(everybody)
    return everybody


def measure_redis() -> None:
    try:
        with redis() as server:
            figures.redis_memory.set(server.info("memory")["used_memory"])
    except AWAY:
        return


def redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
