"""What machines ask: is it alive, can it serve, what has it counted."""

import pytest
from django.test import Client


def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert client.get("/health/live").json() == {"live": True}


@pytest.mark.django_db
def test_it_is_ready_with_a_migrated_database(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "postgresql": "ok", "redis": "ok"}
