"""Bytes of a text file become the text its writer saw, or are refused; nothing is guessed at random."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.base.encodings import decode

FRENCH = "L’été, à l’œuvre : « déjà vu », 7 % de pertes. "
NAMES = {"utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "cp1252": "windows-1252"}


@pytest.mark.parametrize("encoding", NAMES)
def test_french_is_read_in_every_encoding_that_people_save_it_in(encoding: str) -> None:
    assert decode(FRENCH.encode(encoding)) == (FRENCH, NAMES[encoding])


def test_big_endian_utf_16_is_known_by_its_mark() -> None:
    assert decode(b"\xfe\xff" + FRENCH.encode("utf-16-be")) == (FRENCH, "utf-16")


@pytest.mark.parametrize(
    "content",
    [
        "Петли повторяют работу.".encode("cp1251"),
        "繰り返し".encode("shift-jis"),
        FRENCH.encode()[:-3] + b"\xff",
        b"\x81\x8d",
    ],
    ids=["Russian", "Japanese", "damaged UTF-8", "no letters"],
)
def test_what_could_only_be_guessed_is_refused(content: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode(content)


@given(st.text())
def test_what_is_utf_8_is_never_taken_for_anything_else(text: str) -> None:
    content = text.encode()
    if not content.startswith(b"\xef\xbb\xbf"):
        assert decode(content) == (text, "utf-8")


@given(st.binary())
def test_no_bytes_surprise_it(content: bytes) -> None:
    with suppress(UnicodeDecodeError):
        decode(content)
