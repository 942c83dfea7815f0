"""Frames of sockets are bounded as they arrive, and not as they leave.

Autobahn under Daphne knows one limit for both, and raises where a longer message would leave: a range of a long log, in
a language of several bytes a letter, would end all that a page hears.
"""

from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

NO_LIMIT = 0


class BoundedReceiving(WebSocketProtocol):
    maxMessagePayloadSize: int  # noqa: N815 Autobahn's name

    def sendMessage(self, *args: Any, **options: Any) -> None:  # noqa: N802 Autobahn's name
        limit, self.maxMessagePayloadSize = self.maxMessagePayloadSize, NO_LIMIT
        try:
            super().sendMessage(*args, **options)
        finally:
            self.maxMessagePayloadSize = limit


def bound(factory: WebSocketFactory) -> None:
    """Have the server speak by ours; Daphne has no setting for their class."""
    factory.protocol = BoundedReceiving
