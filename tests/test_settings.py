"""What the tests do to settings: threads of ours read them all the time."""

import threading

from django.conf import settings
from django.test import override_settings


def test_a_thread_reads_the_old_or_the_new_while_they_change() -> None:
    seen, is_over = set[object](), threading.Event()

    def read() -> None:
        while not is_over.is_set():
            try:
                seen.add(settings.LEASE_SECONDS)
            except AttributeError as error:
                seen.add(str(error))

    before = settings.LEASE_SECONDS
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(3_000):
            with override_settings(LEASE_SECONDS=before + 1):
                assert before != settings.LEASE_SECONDS
            assert before + 1 != settings.LEASE_SECONDS
    finally:
        is_over.set()
        reader.join()
    assert seen <= {before, before + 1}
