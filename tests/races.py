"""Two verbs of which the second begins before the first has committed: where a lock stands it waits, and sees."""

import threading
from collections.abc import Callable

from django.db import connection, transaction

from memory.base.errors import ScriptoriumError
from tests.patience import PATIENCE_SECONDS

HEAD_START_SECONDS = 0.7


def overtaken(
    first: Callable[[], object], second: Callable[[], object], meanwhile: Callable[[], object] = lambda: None
) -> list[str]:
    """What the second was refused with, once the first had committed. `meanwhile` belongs to the first transaction: it
    comes when the second has got as far as it may."""
    refused: list[str] = []

    def follow() -> None:
        try:
            second()
        except ScriptoriumError as error:
            refused.append(error.code)
        finally:
            connection.close()

    follower = threading.Thread(target=follow)
    with transaction.atomic():
        first()
        follower.start()
        follower.join(HEAD_START_SECONDS)
        meanwhile()
    follower.join(PATIENCE_SECONDS)
    return refused
