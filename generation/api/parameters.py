"""What many doors of REST take beside a body, named and described once."""

from typing import Annotated

from ninja import Header, Query

# Under the name it travels by: a client that is made from our description would send any other in vain.
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="the same key with the same request answers with the run that it started the first time",
    ),
]
CommentKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="the same key with the same text answers with the comment that it wrote the first time",
    ),
]
Cursor = Annotated[
    str | None,
    Query(description="`cursor` of the page before this one", format="uuid"),
]
