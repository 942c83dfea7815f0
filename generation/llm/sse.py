"""Server-sent events out of raw bytes, bounded: no event and no response can grow past its cap.

Bytes are only decoded by whoever reads the event, so a piece may end anywhere, even inside a character.
"""

from memory.base.errors import ModelStreamBroken

MAX_EVENT_BYTES = 1024 * 1024
MAX_RESPONSE_BYTES = 64 * 1024 * 1024


class EventReader:
    """Feed it pieces of a response; it gives the data of each event that became complete.

    Lines end in CR, LF or CRLF; comments, fields other than `data` and empty events are passed over; an event without
    its blank line is not an event. Raises `model.event_too_large` or `model.response_too_large` at the caps.
    """

    def __init__(self, max_event: int = MAX_EVENT_BYTES, max_response: int = MAX_RESPONSE_BYTES) -> None:
        self.max_event = max_event
        self.max_response = max_response
        self.received = 0
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        if not piece:
            return []
        self.received += len(piece)
        if self.received > self.max_response:
            raise ModelStreamBroken("response_too_large", limit=self.max_response)
        if self._after_cr:
            # The CR at the end of the last piece closed its line; this LF belongs to it.
            piece = piece.removeprefix(b"\n")
        self._after_cr = piece.endswith(b"\r")
        lines = piece.splitlines(keepends=True)
        rest = lines.pop() if lines and lines[-1][-1] not in b"\r\n" else b""
        if lines and self._line:
            lines[0] = bytes(self._line) + lines[0]
            self._line.clear()
        events = [event for line in lines if (event := self._take(line)) is not None]
        self._line += rest
        self._check(len(self._line))
        return events

    def _take(self, line: bytes) -> bytes | None:
        """The data of the event that this line completes, if it does."""
        if line[0] in b"\r\n":
            event = b"\n".join(self._data)
            self._data.clear()
            self._size = 0
            return event or None
        self._check(len(line))
        if line.startswith(b"data:"):
            self._data.append(line[5:].rstrip(b"\r\n").removeprefix(b" "))
            self._size += len(line)
        return None

    def _check(self, more: int) -> None:
        if self._size + more > self.max_event:
            raise ModelStreamBroken("event_too_large", limit=self.max_event)
