"""Addresses of pages, read strictly: what two programs might read as two different hosts is no address here.

The pieces that come out are all that is used from then on; nothing parses the text of an address a second time.
"""

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin, urlsplit

import idna

from memory.base.errors import ToolFailed

PORTS = {"http": 80, "https": 443}
MOST_CHARACTERS = 2_000
SHOWN = 200  # of an address that is refused

# Spaces, controls, what is not seen, and what browsers take for a slash.
NOWHERE = re.compile(r"[\s\x00-\x1f\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\\]")
PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]@%]+)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
PATH_SAFE = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Address:
    """`host` is a name in ASCII or a literal, without brackets; `target` a path and a query, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}{f'?{self.query}' if self.query else ''}"

    def follow(self, location: str) -> "Address":
        """Where a redirect leads. Raises `tool.web_address`."""
        if NOWHERE.search(location):
            raise refused(location)
        return parse(urljoin(str(self), location))


def parse(url: str) -> Address:
    """The pieces of `http` and `https` addresses on the ports 80 and 443. Raises `tool.web_address` for any other."""
    if len(url) > MOST_CHARACTERS or NOWHERE.search(url):
        raise refused(url)
    try:
        parts = urlsplit(url)
        place = PLACE.fullmatch(parts.netloc)
    except ValueError:
        raise refused(url) from None
    if parts.scheme not in PORTS or place is None:
        raise refused(url)
    port = int(place["port"]) if place["port"] else PORTS[parts.scheme]
    if port not in PORTS.values():
        raise refused(url)
    try:
        host = host_of(place["host"])
    except ValueError:
        raise refused(url) from None
    return Address(parts.scheme, host, port, quoted(parts.path) or "/", quoted(parts.query, "?"))


def refused(url: str) -> ToolFailed:
    return ToolFailed("web_address", url=url[:SHOWN])


def quoted(text: str, also: str = "") -> str:
    return quote(text, safe=PATH_SAFE + also)


def host_of(text: str) -> str:
    """The one way to write this host. Raises ValueError for what is no host, or could be read as another one."""
    if text.startswith("["):
        return str(IPv6Address(text[1:-1]))
    name = text.lower()
    # Fullwidth dots, circled digits and the like: a resolver, or the next program, would make something else of them.
    if unicodedata.normalize("NFKC", name) != name:
        raise ValueError(name)
    if not name.isascii():
        name = idna.encode(name).decode()
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(name)
    # 2130706433, 0x7f.1, 0177.0.0.1, 127.1: the C library takes all of them for 127.0.0.1.
    return str(IPv4Address(name)) if NUMBER.fullmatch(labels[-1]) else name
