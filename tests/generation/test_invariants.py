"""The judge of the chaos tests sees what it is there to see: each kind of damage, done to a run in order, is found."""

import pytest

from generation.carrier import Carrier
from generation.flush import connect
from generation.models import Run, RunState
from memory.base.database import db as in_database
from tests.chaos.invariants import check
from tests.generation.conftest import Demo, Start, ended

DAMAGES = {
    "DELETE FROM generation_event WHERE run_id = %s AND seq = 3": "but the claim says",
    "UPDATE generation_event SET type = 'done' WHERE run_id = %s AND seq = 2": "2 done events",
    "UPDATE generation_claim SET owner = 'somebody' WHERE run_id = %s": "with owner 'somebody'",
    "UPDATE generation_claim SET state = 'running', owner = 'x', lease_until = now() - interval '1 hour'"
    " WHERE run_id = %s": "but the lease of x ended",
    """UPDATE generation_run SET error = '{"error_code": "internal.X"}' WHERE id = %s""": "no type foresaw: internal.X",
    "UPDATE generation_event SET data = jsonb_set(data, '{progress}', '99')"
    " WHERE run_id = %s AND data->>'key' = 'outline' AND data->>'state' = 'running'": "progress fell",
    "UPDATE generation_step SET state = 'running' WHERE run_id = %s AND key = 'outline'": "its step outline is running",
    "UPDATE generation_step SET state = 'failed' WHERE run_id = %s AND key = 'outline'": "is failed in the rows",
    "UPDATE generation_event SET data = jsonb_set(data, '{state}', '\"running\"') WHERE run_id = %s AND type = 'step'"
    " AND data->>'key' = 'outline'": "was recorded 0 times",
    "DELETE FROM generation_step WHERE run_id = %s AND key = 'outline'": "is None in the rows",
    "UPDATE generation_step SET text = text || '!' WHERE run_id = %s AND key = 'section-1'": "recorded",
    "UPDATE generation_event SET data = jsonb_set(data, '{attempt}', '0') WHERE run_id = %s"
    " AND type = 'content_delta' AND data->>'step' = 'section-1'": "streamed its attempt 0 after its attempt 1",
    'UPDATE generation_event SET type = \'model\', data = \'{"step": "outline", "attempt": 2}\' WHERE run_id = %s'
    " AND seq = (SELECT last_seq - 1 FROM generation_claim c WHERE c.run_id = generation_event.run_id)": "begun at",
    "DELETE FROM generation_call WHERE run_id = %s AND step = 'outline'": "has 0 calls",
    "UPDATE generation_call SET state = 'unknown' WHERE run_id = %s AND step = 'outline'": "whose call is unknown",
    "UPDATE generation_call SET finish_reason = '' WHERE run_id = %s AND step = 'outline'": "without a finish reason",
    "UPDATE generation_call SET state = 'sent' WHERE run_id = %s AND step = 'outline'": "is still open",
}


def found_after(damage: str, run: Run) -> list[str]:
    with connect("judge") as sql, sql.transaction(force_rollback=True):
        assert sql.execute(damage, [run.id]).rowcount, "nothing was damaged"
        return check(sql, [run.id])


async def test_every_damage_is_found(carrier: Carrier, start: Start, demo: Demo) -> None:
    run = await start()
    assert (await ended(run)).state == RunState.DONE
    for damage, sentence in DAMAGES.items():
        found = await in_database(found_after, damage, run)
        assert any(sentence in violation for violation in found), (damage, found)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda log: log[1:], "the provider never saw it"),
        (lambda log: [*log, log[0]], "was sent 2 times"),
        (lambda log: [*log, {"id": "stranger"}], "is no call"),
    ],
    ids=["unseen", "twice", "strange"],
)
async def test_a_provider_that_counted_otherwise_is_heard(
    carrier: Carrier, start: Start, demo: Demo, spoil: object, sentence: str
) -> None:
    run = await start()
    await ended(run)
    log = demo.stats()["log"]

    def ask(requests: list[dict[str, str]]) -> list[str]:
        with connect("judge") as sql:
            return check(sql, [run.id], requests)

    assert await in_database(ask, log) == []
    (violation,) = await in_database(ask, spoil(log))  # type: ignore[operator]
    assert sentence in violation
