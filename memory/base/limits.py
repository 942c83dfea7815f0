"""How often somebody may ask: counted in Redis by django-ratelimit's core, in fixed windows.

By address (RATE_LIMIT_RPM a minute for what writes, 600 for reads) and by user (1 000 writes a day). Without Redis
everything passes: what spends money is decided by the budget rows in PostgreSQL.
"""

import ipaddress
import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage

from memory.base.errors import LimitReached
from memory.base.news import AWAY

log = structlog.get_logger()

READS_PER_MINUTE = 600
WRITES_PER_DAY = 1_000
USAGES = "scriptorium.usages"  # where a request keeps what was counted for it


@dataclass(frozen=True)
class Usage:
    """One counter, this request included."""

    limit: int
    count: int
    seconds_left: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)

    def refusal(self) -> LimitReached | None:
        if self.count <= self.limit:
            return None
        return LimitReached("requests", retry_after=max(1, self.seconds_left), limit=self.limit)


def is_read(request: HttpRequest) -> bool:
    return request.method in ("GET", "HEAD", "OPTIONS")


def admit_address(request: HttpRequest) -> None:
    """Count the request for its address; `limit.requests` past the limit."""
    admit(request, use_of_address(client_ip(request), is_read(request)))


def admit_user(request: HttpRequest) -> None:
    """Count what is not a read for its user; `limit.requests` past the limit."""
    if not is_read(request):
        admit(request, use_of_user(request.user.pk))


def refusal_of(user_id: object, address: str, *, is_read: bool) -> LimitReached | None:
    """The same for one frame of a socket. Waits for Redis: not to be called in the event loop."""
    of_address = use_of_address(address, is_read)
    if of_address and (refusal := of_address.refusal()):
        return refusal
    of_user = None if is_read else use_of_user(user_id)
    return of_user.refusal() if of_user else None


def headers(request: HttpRequest) -> dict[str, str]:
    """`X-RateLimit-*` of the counter that is nearest to its limit; `Reset` in seconds of Unix time."""
    usages: list[Usage] = request.META.get(USAGES, [])
    if not usages:
        return {}
    tightest = min(usages, key=lambda usage: usage.remaining)
    return {
        "X-RateLimit-Limit": str(tightest.limit),
        "X-RateLimit-Remaining": str(tightest.remaining),
        "X-RateLimit-Reset": str(int(time.time()) + tightest.seconds_left),
    }


def admit(request: HttpRequest, usage: Usage | None) -> None:
    if usage is None:
        return
    request.META.setdefault(USAGES, []).append(usage)
    if refusal := usage.refusal():
        raise refusal


def use_of_address(address: str, is_read: bool) -> Usage | None:
    if is_read:
        return use("reads", network_of(address), f"{READS_PER_MINUTE}/m")
    return use("writes", network_of(address), f"{settings.RATE_LIMIT_RPM}/m")


def use_of_user(user_id: object) -> Usage | None:
    return use("user", str(user_id), f"{WRITES_PER_DAY}/d")


def use(group: str, value: str, rate: str) -> Usage | None:
    """Count one; None when nothing is counted (switched off, Redis away)."""
    if not settings.RATE_LIMIT_ENABLED:
        return None
    try:
        # A key that is a function, so that no request is needed: sockets have none.
        usage = get_usage(None, group=group, key=lambda *_: value, rate=rate, increment=True)
    except AWAY as error:
        log.warning("limits_off", error=str(error))
        return None
    return Usage(usage["limit"], usage["count"], usage["time_left"]) if usage else None


def client_ip(request: HttpRequest) -> str:
    """The address that RATE_LIMIT_TRUSTED_PROXIES proxies of ours vouch for; what stands left of it is the client's
    own invention."""
    return forwarded_for(request.headers.get("X-Forwarded-For", ""), request.META.get("REMOTE_ADDR", ""))


def forwarded_for(header: str, peer: str) -> str:
    proxies = settings.RATE_LIMIT_TRUSTED_PROXIES
    hops = [hop.strip() for hop in header.split(",")]
    named = hops[-proxies] if 0 < proxies <= len(hops) else peer
    return named if is_address(named) else peer


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def network_of(address: str) -> str:
    """Who counts as one: an IPv4 address, an IPv6 network of 64 bits (a single host owns that many)."""
    if not is_address(address):
        return address  # a Unix socket has no peer address: all its clients are one
    ip = ipaddress.ip_address(address)
    if ip.version == 4:
        return address
    return str(ip.ipv4_mapped or ipaddress.IPv6Network((int(ip), 64), strict=False).network_address)
