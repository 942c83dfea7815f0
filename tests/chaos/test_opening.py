"""A page that opens in the middle of a long run is small and quick to make, and follows from where it stands."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation import runs
from generation.models import Run
from generation.orders import Order
from generation.recipes.base import Recipe
from tests.people import People

DELTAS = 30_000
STEPS = 5
MOST_BYTES = 200_000
MOST_QUERIES = 12
WORDS = "What |is |written |here |is |as |long |as |text |of |models."

FILL = """
WITH words AS (SELECT string_to_array(%(words)s, '|') AS w)
INSERT INTO generation_event (run_id, seq, type, data)
SELECT %(run)s, 1 + n, 'content_delta', jsonb_build_object(
    'step', 'section-' || n %% %(steps)s, 'attempt', 1, 'text', w[1 + n %% array_length(w, 1)])
FROM words, generate_series(1, %(deltas)s) n
"""
STEP_ROWS = """
INSERT INTO generation_step (id, run_id, key, label, state, attempts, is_fallback, text, started_at)
SELECT gen_random_uuid(), %(run)s, 'section-' || n, '{}', 'running', 1, false, '', now()
FROM generate_series(0, %(steps)s - 1) n
"""
CLAIM = "UPDATE generation_claim SET state = 'running', last_seq = 1 + %(deltas)s WHERE run_id = %(run)s"


def long_run(people: People) -> Run:
    recipe = Recipe("note", "tests.jobs.three_steps")
    run, _ = runs.start(recipe, Order("Long."), user=people.owner, workspace=people.workspace)
    facts: dict[str, Any] = {"run": run.id, "steps": STEPS, "deltas": DELTAS, "words": WORDS}
    with connection.cursor() as sql:
        for statement in (FILL, STEP_ROWS, CLAIM):
            sql.execute(statement, facts)
    return run


def texts(run: UUID) -> dict[str, str]:
    query = "SELECT data->>'step', string_agg(data->>'text', '' ORDER BY seq) FROM generation_event {} GROUP BY 1"
    with connection.cursor() as sql:
        sql.execute(query.format("WHERE run_id = %s AND type = 'content_delta'"), [run])
        return dict(sql.fetchall())


def test_opening_in_the_middle_of_30_000_deltas(people_committed: People) -> None:
    run = long_run(people_committed)
    client = people_committed.client(people_committed.owner)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(f"/api/v1/runs/{run.id}?text=1")
    picture = response.json()
    print(f"{len(response.content)} bytes, {len(asked)} queries")
    assert len(response.content) <= MOST_BYTES
    assert len(asked) <= MOST_QUERIES
    assert {each["step"]: each["content"] for each in picture["text"]} == texts(run.id)
    after = client.get(f"/api/v1/runs/{run.id}/events?since={picture['last_seq']}")
    assert after.json()["events"] == []
    assert len(after.content) < 1_000
