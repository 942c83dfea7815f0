"""The log of a run: what is written together arrives together, and every range folds to the same text."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation import claims, replay, retention
from generation.events import Batch, Cursor, Draft, record
from generation.flush import Outcome, Pending, connect, flush
from generation.models import Claim, Event, Queue, Run, Step
from generation.outbox import Outbox
from memory.base.database import db as in_database
from tests.generation.conftest import Start


def fold(events: list[dict[str, Any]]) -> dict[str, str]:
    """The text of each step's last attempt."""
    texts: dict[str, tuple[int, str]] = {}
    for event in events:
        data = event["data"]
        if event["type"] == "content_delta":
            attempt, text = texts.get(data["step"], (0, ""))
            fresh = data["text"] if data["attempt"] != attempt else text + data["text"]
            texts[data["step"]] = (data["attempt"], fresh)
    return {step: text for step, (_, text) in texts.items()}


PIECES = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from([1, 2]), st.text(min_size=1, max_size=5), st.booleans()),
    max_size=30,
)


def outbox() -> Outbox:
    return Outbox(Cursor(UUID(int=1), 1, 0), lambda: None)


@given(PIECES, st.lists(st.integers(0, 30)))
def test_text_leaves_in_order_however_often_it_is_taken(pieces: list[Any], takes: list[int]) -> None:
    box = outbox()
    drafts: list[Draft] = []
    expected: dict[tuple[str, int], str] = {}
    for n, (step, attempt, text, _) in enumerate(pieces):
        expected[step, attempt] = expected.get((step, attempt), "") + box.delta("content_delta", step, attempt, text)
        if n in takes:
            drafts += box.take()
    for step, attempt in {(step, attempt) for step, attempt, _, _ in pieces}:
        expected[step, attempt] += box.close("content_delta", step, attempt)
    drafts += box.take()
    told: dict[tuple[str, int], str] = {}
    for event in as_events(drafts):
        key = (event["data"]["step"], event["data"]["attempt"])
        told[key] = told.get(key, "") + event["data"]["text"]
    assert told == {key: text for key, text in expected.items() if text}


def as_events(drafts: list[Draft]) -> list[dict[str, Any]]:
    rows = [(seq, draft.type, draft.data, Batch(UUID(int=1), 0, []).at) for seq, draft in enumerate(drafts, 1)]
    return replay.join(rows, 0, 10**9)[0]


@given(PIECES, st.integers(0, 30))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_joined_ranges_fold_to_the_text_of_single_events(pieces: list[Any], cut: int) -> None:
    drafts: list[Draft] = []
    for step, attempt, text, with_event in pieces:
        drafts.append(Draft.of("content_delta", step=step, attempt=attempt, text=text))
        if with_event:
            drafts.append(Draft.of("retry", step=step, attempt=attempt))
    at = Batch(UUID(int=1), 0, []).at
    rows = [(seq, draft.type, draft.data, at) for seq, draft in enumerate(drafts, 1)]
    single = [event for row in rows for event in replay.join([row], 0, 10**9)[0]]
    first, upto, _ = replay.join(rows[:cut], 0, 10**9)
    second, _, _ = replay.join(rows[cut:], upto, 10**9)
    assert fold(first + second) == fold(single)


async def taken(start: Start) -> tuple[Run, Cursor]:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    return run, (await in_database(claims.take, "owner:1:x", run.id, True))[0].cursor


def pending(cursor: Cursor, *texts: str) -> Pending:
    drafts = [Draft.of("content_delta", step="s", attempt=1, text=text) for text in texts]
    return Pending(Batch(cursor.run_id, cursor.last_seq, drafts), cursor.epoch)


async def test_a_flush_that_is_repeated_writes_once(start: Start) -> None:
    run, cursor = await taken(start)
    item = pending(cursor, "one", "two")

    def twice() -> list[Outcome]:
        with connect("test") as sql:
            return [flush(sql, [item])[run.id].outcome for _ in range(2)]

    assert await in_database(twice) == [Outcome.WRITTEN, Outcome.WRITTEN]
    texts = await in_database(lambda: list(Event.objects.filter(run=run, type="content_delta").order_by("seq")))
    assert [event.data["text"] for event in texts] == ["one", "two"]
    assert (await in_database(lambda: Claim.objects.get(run=run))).last_seq == cursor.last_seq + 2


async def test_a_flush_of_a_stale_owner_writes_nothing_and_says_so(start: Start) -> None:
    run, cursor = await taken(start)
    await in_database(lambda: Claim.objects.filter(run=run).update(epoch=cursor.epoch + 1))

    def once() -> Outcome:
        with connect("test") as sql:
            return flush(sql, [pending(cursor, "late")])[run.id].outcome

    assert await in_database(once) is Outcome.LOST
    assert not await in_database(Event.objects.filter(run=run, type="content_delta").exists)


async def test_a_busy_run_does_not_hold_up_the_others(start: Start) -> None:
    busy, busy_cursor = await taken(start)
    free, free_cursor = await taken(start)

    def together() -> tuple[Outcome, Outcome]:
        with connect("holder") as holder, connect("test") as sql, holder.transaction():
            holder.execute("SELECT 1 FROM generation_claim WHERE run_id = %s FOR UPDATE", [busy.id])
            found = flush(sql, [pending(busy_cursor, "a"), pending(free_cursor, "b")])
            return found[busy.id].outcome, found[free.id].outcome

    assert await in_database(together) == (Outcome.BUSY, Outcome.WRITTEN)


async def test_a_flush_brings_the_wish_to_cancel(start: Start) -> None:
    run, cursor = await taken(start)
    await in_database(lambda: Claim.objects.filter(run=run).update(cancel_requested=True))

    def once() -> bool:
        with connect("test") as sql:
            return flush(sql, [pending(cursor, "a")])[run.id].cancel_requested

    assert await in_database(once)


async def test_what_fails_in_a_write_leaves_no_event(start: Start) -> None:
    run, cursor = await taken(start)
    before = cursor.last_seq

    def write() -> None:
        Step.objects.create(run=run, key="x")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_database(record, cursor, [Draft.of("status", state="running")], write)
    assert cursor.last_seq == before == (await in_database(lambda: Claim.objects.get(run=run))).last_seq
    assert not await in_database(Step.objects.filter(run=run).exists)


async def test_old_deltas_are_joined_and_a_place_among_them_is_reset(start: Start) -> None:
    run, cursor = await taken(start)
    drafts = [Draft.of("content_delta", step="s", attempt=1, text=text) for text in "abcdef"]
    await in_database(record, cursor, [*drafts, Draft.of("step", key="s", state="done", attempt=1)])
    await in_database(lambda: Run.objects.filter(id=run.id).update(finished_at="2020-01-01T00:00Z"))
    await in_database(lambda: Claim.objects.filter(run=run).update(state="done"))
    before = await in_database(replay.read, run.id, 0)
    assert await in_database(retention.join_old_deltas) == 1
    after = await in_database(replay.read, run.id, 0)
    assert after.events == before.events
    assert after.upto == before.upto
    assert await in_database(Event.objects.filter(run=run, type="content_delta").count) == 1
    assert (await in_database(replay.read, run.id, 3)).reset
    assert not (await in_database(replay.read, run.id, after.upto)).reset


async def test_a_long_log_is_read_page_by_page_and_no_further_than_asked(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cursor = await taken(start)
    for n in range(4):
        pieces = [Draft.of("content_delta", step=f"step-{n // 2}", attempt=1, text=f"{n}{m} ") for m in range(5)]
        await in_database(record, cursor, pieces)
    whole = await in_database(replay.read, run.id, 0)
    monkeypatch.setattr(replay, "PAGE_ROWS", 3)
    assert await in_database(replay.read, run.id, 0) == whole
    assert fold(whole.events)["step-1"] == "20 21 22 23 24 30 31 32 33 34 "

    def begin() -> tuple[replay.Range, int]:
        with CaptureQueriesContext(connection) as queries:
            return replay.read(run.id, 0, most_bytes=1), sum("generation_event" in one["sql"] for one in queries)

    part, pages = await in_database(begin)
    assert (part.upto, pages) == (1, 1)
