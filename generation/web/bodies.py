"""The body of an answer, no larger than allowed, whatever its sender packed into it."""

import zlib
from collections.abc import AsyncIterator, Iterator, Mapping

from aiohttp import ClientResponse

PIECE = 64 * 1024
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
RAW = -zlib.MAX_WBITS

# What we can unpack, bounded, with the standard library: nothing else is asked for, and nothing else is taken.
ASKED: Mapping[str, str] = {"Accept-Encoding": "gzip, deflate"}
ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


class TooLarge(Exception):
    """There is more of it than allowed."""


class BadEncoding(Exception):
    """It is packed in a way that was not asked for, or badly."""


async def read(response: ClientResponse, most: int) -> bytes:
    """The whole body, unpacked. Raises TooLarge as soon as more than `most` bytes have come, packed or unpacked,
    and BadEncoding."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise BadEncoding(encoding)
    pieces = received(response, most)
    whole = bytearray()
    async for piece in pieces if encoding in ("", "identity") else unpacked(pieces, most):
        whole += piece
        if len(whole) > most:
            raise TooLarge
    return bytes(whole)


async def received(response: ClientResponse, most: int) -> AsyncIterator[bytes]:
    count = 0
    async for piece in response.content.iter_chunked(PIECE):
        count += len(piece)
        if count > most:
            raise TooLarge
        yield piece


async def unpacked(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    unpacker = None
    try:
        async for piece in pieces:
            unpacker = unpacker or zlib.decompressobj(GZIP_OR_ZLIB if is_framed(piece) else RAW)
            for part in parts(unpacker, piece):
                yield part
    except zlib.error as error:
        raise BadEncoding from error


def is_framed(piece: bytes) -> bool:
    """Whether it begins as gzip or zlib do; some servers send deflate without its frame."""
    return piece[:2] == b"\x1f\x8b" or (piece[0] & 0x0F == 8 and int.from_bytes(piece[:2]) % 31 == 0)


def parts(unpacker: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    """At most PIECE at a time: a bomb is seen before it is in memory."""
    while piece:
        yield unpacker.decompress(piece, PIECE)
        piece = unpacker.unconsumed_tail
