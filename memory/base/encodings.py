"""What the bytes of a text file say: Unicode by its mark, else UTF-8, else what old Western programs write.

A guess is only made where it cannot go far wrong; the encoding is returned so that it can be told.
"""

import codecs

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)


def decode(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding; UnicodeDecodeError where it can only be guessed at random."""
    for mark, codec, encoding in MARKS:
        if content.startswith(mark):
            return content.decode(codec), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        if not is_western(content):
            raise
        return content.decode("cp1252"), "windows-1252"


def is_western(content: bytes) -> bool:
    """Mostly ASCII, as Western languages are (Russian and Japanese are not), and no UTF-8 that was damaged a little."""
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(character > "\x7f" for character in text) - broken
    beyond_ascii = len(content) - len(content.decode("ascii", "ignore"))
    return broken > whole and beyond_ascii < len(content) / 2
