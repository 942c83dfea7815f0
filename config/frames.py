"""Frames of sockets are bounded as they arrive, and not as they leave.

Autobahn under Daphne knows one limit for both, and raises where a longer message would leave: a range of a long log, in
a language of several bytes a letter, would end all that a page hears.

What has left and is not taken is bounded, too: who gives signs of life and yet reads nothing would be owed ever more.
"""

from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

NO_LIMIT = 0
MOST_UNTAKEN = 8_000_000  # bytes; more than the credit of a mailbox, which is what stops an honest reader


class Bounded(WebSocketProtocol):
    maxMessagePayloadSize: int  # noqa: N815 Autobahn's name

    @property
    def untaken(self) -> int:
        """Bytes that wait in this process for the client to take them."""
        return len(self.transport.dataBuffer) - self.transport.offset + self.transport._tempDataLen

    def sendMessage(self, *args: Any, **options: Any) -> None:  # noqa: N802 Autobahn's name
        if self.untaken > MOST_UNTAKEN:
            self.transport.abortConnection()
            return
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, NO_LIMIT
        try:
            super().sendMessage(*args, **options)
        finally:
            self.maxMessagePayloadSize = limit


def bound(factory: WebSocketFactory) -> None:
    """Have the server speak by ours; Daphne has no setting for their class."""
    factory.protocol = Bounded
