"""A page fetched from an address that a model, or anybody, has named: the guard against what lies behind our walls.

Each host on the way is resolved once; all its addresses have to be public; what is connected to is one of just those,
with the host's name in SNI and Host. So a name that means something else a moment later leads nowhere else. Redirects
are followed here, each checked like the first address. No proxy, no cookie, no credential of ours goes along.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from generation.web import addresses, bodies
from generation.web.addresses import Address
from generation.web.network import Network, is_public
from memory.base.errors import ToolFailed, ToolUnavailable

log = structlog.get_logger()

SECONDS = 10  # for all of it
MOST_BYTES = 5 * 1024 * 1024
MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
TYPES = ("text/html", "application/xhtml+xml", "text/plain")
HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; Scriptorium)",
    "Accept": "text/html, application/xhtml+xml, text/plain;q=0.9",
    **bodies.ASKED,
}


@dataclass(frozen=True)
class Fetched:
    """`url` is where it was in the end; `type` one of TYPES; `charset` as its sender named it, or empty."""

    url: str
    type: str
    charset: str
    content: bytes


@dataclass(frozen=True)
class Moved:
    location: str


class Checked(AbstractResolver):
    """Knows one host, by the addresses that were checked."""

    def __init__(self, host: str, ways: Sequence[tuple[str, int]]) -> None:
        self.host, self.ways = host, ways

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host != self.host:
            raise OSError(f"{host} was not checked")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for address, port in self.ways
        ]

    async def close(self) -> None:
        """There is nothing to close."""


async def fetch(url: str, network: Network) -> Fetched:
    """The page at this address. A cancellation closes its connection.

    Raises `tool.web_address` (not one of the public web), `tool.web_redirects`, `tool.web_status`, `tool.web_not_text`,
    `tool.web_too_large`, `tool.web_encoding`; `tool.web_too_slow` and `tool.web_unreachable` may be tried again.
    """
    address = addresses.parse(url)
    try:
        async with asyncio.timeout(SECONDS):
            for _ in range(MOST_REDIRECTS + 1):
                found = await ask(address, network)
                if isinstance(found, Fetched):
                    return found
                address = address.follow(found.location)
    except TimeoutError:
        raise ToolUnavailable("web_too_slow", url=str(address), seconds=SECONDS) from None
    raise ToolFailed("web_redirects", url=str(address), limit=MOST_REDIRECTS)


async def ask(address: Address, network: Network) -> Fetched | Moved:
    ways = await checked(address, network)
    connector = TCPConnector(resolver=Checked(address.host, ways), use_dns_cache=False, force_close=True)
    # Without a time limit of its own: who waits for it has one for all requests together.
    session = ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),
        trust_env=False,
        auto_decompress=False,
    )
    try:
        async with session, session.get(as_url(address), headers=HEADERS, allow_redirects=False) as response:
            return await read(address, response)
    except (ClientError, OSError) as fault:
        log.info("page_unreachable", host=address.host, fault=type(fault).__name__)
        raise ToolUnavailable("web_unreachable", url=str(address)) from fault


async def checked(address: Address, network: Network) -> list[tuple[str, int]]:
    """Where to connect: the addresses of the host, if every one of them is public."""
    try:
        found = await network.resolve(address.host, address.port)
    except (OSError, UnicodeError) as fault:  # the codec of the resolver has its own idea of names
        raise ToolUnavailable("web_unreachable", url=str(address)) from fault
    if not found or not all(is_public(each) for each in found):
        log.warning("page_refused", host=address.host, addresses=list(found))
        raise addresses.refused(str(address))
    return [network.way(each, address.port) for each in dict.fromkeys(found)]


def as_url(address: Address) -> URL:
    return URL.build(
        scheme=address.scheme,
        host=address.host,
        port=address.port,
        path=address.path,
        query_string=address.query,
        encoded=True,
    )


async def read(address: Address, response: ClientResponse) -> Fetched | Moved:
    if response.status in REDIRECTS and "Location" in response.headers:
        return Moved(response.headers["Location"])
    url = str(address)
    if response.status != 200:
        raise ToolFailed("web_status", url=url, status=response.status)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise ToolFailed("web_not_text", url=url, type=kind[:100])
    try:
        content = await bodies.read(response, MOST_BYTES)
    except bodies.TooLarge:
        raise ToolFailed("web_too_large", url=url, limit=MOST_BYTES) from None
    except bodies.BadEncoding:
        raise ToolFailed("web_encoding", url=url) from None
    return Fetched(url, kind, response.charset or "", content)
