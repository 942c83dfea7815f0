"""Structured answers as a person reads them while they are written: the texts in a stream of JSON, without its braces.

A title becomes a heading, an item of a list a bullet, any other text a paragraph; numbers, choices and names of fields
are left out. However the stream is cut into pieces, the text is the same.
"""

from collections.abc import Collection

ESCAPES = {"n": "\n", "t": "\t", "r": "", "b": "", "f": "", '"': '"', "\\": "\\", "/": "/"}
HEADINGS = ("title", "topic")


class Readable:
    """Feed it pieces of an answer, get what can be read of them. `hidden` fields are not for reading."""

    def __init__(self, hidden: Collection[str] = ()) -> None:
        self.hidden = hidden
        self.holders: list[str] = []  # the objects and lists we are in, as "{" and "["
        self.keys: list[str] = []  # the key under which each of them, and the next value, stands
        self.key = ""
        self.awaits_key = False
        self.string: list[str] | None = None  # of a key; of a value what is not emitted yet is nothing
        self.in_value = False
        self.escape = ""
        self.high = ""  # the first half of a character
        self.out: list[str] = []

    def feed(self, piece: str) -> str:
        self.out = []
        for char in piece:
            if self.string is not None or self.in_value:
                self.inside(char)
            else:
                self.outside(char)
        return "".join(self.out)

    # --- between strings

    def outside(self, char: str) -> None:
        if char in "{[":
            self.holders.append(char)
            self.keys.append(self.key)
            self.awaits_key = char == "{"
        elif char in "}]":
            self.leave()
        elif char == "," and self.holders:
            self.awaits_key = self.holders[-1] == "{"
        elif char == ":":
            self.awaits_key = False
        elif char == '"' and self.holders:
            self.begin()

    def leave(self) -> None:
        if self.holders:
            self.holders.pop()
            self.key = self.keys.pop()
            self.awaits_key = False

    def begin(self) -> None:
        if self.awaits_key:
            self.string = []
            return
        self.in_value = True
        if self.is_shown:
            self.out.append("### " if self.key in HEADINGS else "- " if self.is_item else "")

    @property
    def is_item(self) -> bool:
        return self.holders[-1] == "["

    @property
    def is_shown(self) -> bool:
        return self.key not in self.hidden

    # --- inside a string

    def inside(self, char: str) -> None:
        if self.escape:
            self.escaped(char)
        elif char == "\\":
            self.escape = char
        elif char == '"':
            self.end()
        else:
            self.put(char)

    def escaped(self, char: str) -> None:
        self.escape += char
        kind = self.escape[1]
        if kind != "u":
            self.put(ESCAPES.get(kind, kind))
            self.escape = ""
        elif len(self.escape) == 6:
            self.unicode(self.escape[2:])
            self.escape = ""

    def unicode(self, digits: str) -> None:
        """A character by its number; two halves of one are joined."""
        try:
            char = chr(int(digits, 16))
        except ValueError:
            return
        if "\ud800" <= char <= "\udbff":
            self.high = char
        elif "\udc00" <= char <= "\udfff" and self.high:
            pair, self.high = self.high + char, ""
            self.put(pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        else:
            self.put(char)

    def put(self, text: str) -> None:
        if self.string is not None:
            self.string.append(text)
        elif self.is_shown:
            self.out.append(text)

    def end(self) -> None:
        if self.string is not None:
            self.key, self.string = "".join(self.string), None
            return
        self.in_value = False
        if self.is_shown:
            self.out.append("\n" if self.is_item else "\n\n")
