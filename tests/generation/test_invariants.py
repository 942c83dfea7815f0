"""The judge of the chaos tests sees what it is there to see: each kind of damage, done to a run in order, is found."""

from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from generation import claims
from generation.carrier import Carrier
from generation.flush import connect
from generation.models import Run, RunState
from memory.base.database import db as in_database
from tests.chaos import invariants
from tests.chaos.invariants import Sql, check, check_documents
from tests.chaos.stack import BRIEFS
from tests.generation.conftest import Demo, Start, ended

Judge = Callable[[Sql, Sequence[UUID]], list[str]]

DAMAGES = {
    "DELETE FROM generation_event WHERE run_id = %s AND seq = 3": "but the claim says",
    "UPDATE generation_event SET type = 'done' WHERE run_id = %s AND seq = 2": "2 done events",
    "UPDATE generation_claim SET owner = 'somebody' WHERE run_id = %s": "with owner 'somebody'",
    "UPDATE generation_claim SET state = 'running', owner = 'x', lease_until = now() - interval '1 hour'"
    " WHERE run_id = %s": "but the lease of x ended",
    """UPDATE generation_run SET error = '{"error_code": "internal.X"}' WHERE id = %s""": "no type foresaw: internal.X",
    """UPDATE generation_run SET error = '{"error_code": "run.crashed"}' WHERE id = %s""": "its crashes after 1 since",
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


def in_section(key: str, change: str) -> str:
    own = "document_id = (SELECT document_id FROM generation_run WHERE id = %s)"
    return f"UPDATE generation_section SET {change} WHERE key = '{key}' AND {own}"


def in_change(path: str, change: str) -> str:
    return f"UPDATE memory_change SET {change} WHERE run_id = %s AND step = 'section-1' AND path = '{path}'"


OTHER_TEXT = """fields = jsonb_set(fields, '{content}', '"other"')"""
OTHER_QUESTION = """fields = jsonb_set(fields, '{questions,0,text}', '"?"')"""
SAME_AGAIN = """
INSERT INTO memory_change
    (id, workspace_id, root_id, object_type, object_id, version, path, after, author, run_id, step, "group", reason)
SELECT gen_random_uuid(), workspace_id, root_id, object_type, object_id, version + 1, path, after, author, run_id, step,
    "group", reason
FROM memory_change WHERE run_id = %s AND step = 'section-1' AND path = 'content'
"""
TITLE = "UPDATE generation_document SET title = 'x' WHERE id = (SELECT document_id FROM generation_run WHERE id = %s)"
NOTE_DAMAGES = {
    SAME_AGAIN: "step section-1 wrote content",
    in_section("section-1", "version = version + 1"): "its changes say",
    in_change("content", "version = version + 7"): "is at version 2",
    in_section("section-1", OTHER_TEXT): "holds other text",
    in_section("section-1", "status = 'draft'"): "section is draft",
    in_section("section-1", "key = 'gone'"): "its section is missing",
    in_section("section-1", "rank = rank || 'z'"): "not what its changes make of it: ['rank']",
    in_change("content", "after = '1'"): "not what its changes make of it: ['content']",
    in_change("content", "path = 'summary'"): "not what its changes make of it: ['content', 'summary']",
    TITLE: "not what its changes make of it: ['title']",
}

PART, BLOCK, EVALUATION = "chapter-1/lesson/part-1", "chapter-1/exercises/block-1", "chapter-1/evaluation"
COURSE_DAMAGES = {
    in_section(PART, OTHER_TEXT): "part 1 is called",
    in_section(PART, "fields = fields - 'title'"): "part 1 is called None",
    in_section(PART, "key = key || '0'"): "part 1 is called None",
    in_section(PART, "present = false"): "parts, the document",
    in_section(BLOCK, OTHER_QUESTION): f"step {BLOCK} recorded",
    in_section(EVALUATION, "fields = fields - 'questions'"): "its section holds None or others",
    in_section(BLOCK, "status = 'draft'"): "section is draft",
    in_section(BLOCK, "locked = true"): "not what its changes make of it: ['locked']",
}


def found_after(damage: str, run: Run, judge: Judge = check) -> list[str]:
    with connect("judge") as sql, sql.transaction(force_rollback=True):
        assert sql.execute(damage, [run.id]).rowcount, "nothing was damaged"
        return judge(sql, [run.id])


def test_the_judge_counts_crashes_as_the_house_does() -> None:
    assert invariants.CRASHES_TO_FAIL == claims.CRASHES_TO_FAIL


async def test_every_damage_is_found(carrier: Carrier, start: Start, demo: Demo) -> None:
    run = await start()
    assert (await ended(run)).state == RunState.DONE
    for damage, sentence in DAMAGES.items():
        found = await in_database(found_after, damage, run)
        assert any(sentence in violation for violation in found), (damage, found)


@pytest.mark.parametrize(("kind", "damages"), [("note", NOTE_DAMAGES), ("course", COURSE_DAMAGES)])
async def test_every_damage_of_a_document_is_found(
    carrier: Carrier, start: Start, demo: Demo, kind: str, damages: dict[str, str]
) -> None:
    run = await start(kind=kind, brief=BRIEFS[kind].format(1))
    assert (await ended(run)).state == RunState.DONE
    assert await in_database(found_after, "SELECT %s", run, check_documents) == []
    for damage, sentence in damages.items():
        found = await in_database(found_after, damage, run, check_documents)
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
