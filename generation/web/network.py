"""The network as pages are fetched over it: who resolves names, and which addresses are anybody's to ask.

`settings.WEB_NETWORK` names the class. No environment can change it: only a test's network leads to a machine of ours.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

# Ours, not `ip_address(…).is_global`: in 3.11.7 that takes multicast, 192.0.0.192 and much of IPv6 for public.
CLOSED = [
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, where clouds keep their secrets
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112, a sink
        "192.52.193.0/24",  # AMT, a tunnel
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112 again
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
]
# Everything else of IPv6 is private, local, multicast, mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::).
OPEN = IPv6Network("2000::/3")
CLOSED_IN_OPEN = [
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]
RESOLVERS = 4


class Network(Protocol):
    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """All addresses of the host, literals included. Raises OSError where it has none."""

    def way(self, address: str, port: int) -> tuple[str, int]:
        """Where to connect for an address that was found public."""


class Internet:
    async def resolve(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(resolvers(), socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        return [str(sockaddr[0]) for *_, sockaddr in found]

    def way(self, address: str, port: int) -> tuple[str, int]:
        return address, port


def of_settings() -> Network:
    network: Network = import_string(settings.WEB_NETWORK)()
    return network


def is_public(address: str) -> bool:
    """Whether this is a host of the public Internet and nothing that may lead elsewhere. ValueError for no address."""
    ip = ip_address(address)
    if ip.version == 4:
        return not any(ip in each for each in CLOSED)
    return ip.scope_id is None and ip in OPEN and not any(ip in each for each in CLOSED_IN_OPEN)


@cache
def resolvers() -> ThreadPoolExecutor:
    """A name whose servers do not answer holds a thread that nobody else needs."""
    return ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")


os.register_at_fork(after_in_child=resolvers.cache_clear)  # threads do not come along
