"""Request bodies end where uploads do: what is larger is refused while it arrives, before it takes memory.

Without this Daphne takes whatever comes, and Twisted under it parses forms once more for nobody: 400 MB from a stranger
cost 5 GB. Between the limit of uploads and this one, the application answers in its own words.
"""

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest

BODY_BYTES = 16 * 1024 * 1024
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BoundedRequest(WebRequest):
    """Chunked bodies tell no length before they come, so what has come is counted, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parsePOSTFormSubmission = False
        self.received = 0
        self.is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 Twisted's name
        super().gotLength(length)
        if length is not None and length > BODY_BYTES:
            self.refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 Twisted's name
        self.received += len(data)
        if self.received <= BODY_BYTES:
            super().handleContentChunk(data)
        else:
            self.refuse()

    def refuse(self) -> None:
        if not self.is_refused:
            self.is_refused = True
            self.channel.transport.write(REFUSAL)
            self.channel.loseConnection()


def bound(factory: HTTPFactory) -> None:
    """Have the server make requests of ours; Daphne has no setting for their class."""
    build = factory.buildProtocol

    def build_bounded(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = BoundedRequest
        return protocol

    factory.buildProtocol = build_bounded
