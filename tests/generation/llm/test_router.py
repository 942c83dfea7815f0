import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from generation.llm.journal import Attempt, NoRoomYet
from generation.llm.router import Router
from generation.llm.shared import SharedRedis
from generation.llm.values import ContentDelta, Message, ModelRef, ModelRequest, ToolCall, Usage
from memory.base.errors import (
    BudgetSpent,
    ModelBadOutput,
    ModelRateLimited,
    ModelRefused,
    ModelStreamBroken,
    ModelUnavailable,
)
from tests.generation.llm.conftest import REQUEST
from tests.generation.llm.diary import Diary
from tests.generation.llm.house import ONE, TWO, routing
from tests.generation.llm.redis_server import RedisServer
from tests.generation.llm.upstream import DONE, HELLO, Upstream, Wire, finish, part, responds, whole
from tests.patience import PATIENCE_SECONDS

ANSWERS = whole(*HELLO)
FAILS = responds("500 Oops", "{}")
REFUSES = whole(part(content="No"), finish("content_filter"), DONE)


@pytest.fixture
async def second() -> AsyncIterator[Upstream]:
    async with Upstream() as server:
        server.plays(ANSWERS)
        yield server


@pytest.fixture
async def router(upstream: Upstream, second: Upstream) -> AsyncIterator[Router]:
    upstream.plays(ANSWERS)
    async with routing(one=upstream, two=second) as router:
        yield router


@pytest.fixture
def diary() -> Diary:
    return Diary()


async def test_an_answer_is_whole(router: Router, diary: Diary) -> None:
    answer = await router.answer([ONE, TWO], REQUEST, diary)
    assert (answer.content, answer.usage, answer.finish_reason) == ("Hello you", Usage(7, 2), "stop")
    assert answer.model == ONE
    assert answer.first_token_ms is not None
    assert answer.first_token_ms <= answer.duration_ms


async def test_an_attempt_is_begun_told_and_settled(router: Router, upstream: Upstream, diary: Diary) -> None:
    await router.answer([ONE], REQUEST, diary)
    assert diary.story == [("one", 1, "first")]
    assert upstream.received[0].headers["x-client-request-id"] == "call-1"
    assert diary.deltas[:2] == [ContentDelta("Hello "), ContentDelta("you")]
    (outcome,) = diary.outcomes
    assert (outcome.error, outcome.usage, outcome.finish_reason) == (None, Usage(7, 2), "stop")


async def test_tool_calls_and_reasoning_are_put_together(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.streams(
        part(reasoning_content="Let me "), part(reasoning_content="see."),
        part(tool_calls=[{"index": 0, "id": "a", "function": {"name": "edit", "arguments": '{"x"'}}]),
        part(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
        part(tool_calls=[{"index": 1, "id": "b", "function": {"name": "undo"}}]),
        finish("tool_calls"), DONE,
    )  # fmt: skip
    answer = await router.answer([ONE], REQUEST, diary)
    assert answer.reasoning == "Let me see."
    assert answer.tool_calls == (ToolCall("a", "edit", '{"x": 1}'), ToolCall("b", "undo", "{}"))


async def test_a_transient_error_is_tried_again(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.plays(FAILS, responds("429 Too Many", "{}"), ANSWERS)
    await router.answer([ONE, TWO], REQUEST, diary)
    assert diary.story == [("one", 1, "first"), ("one", 2, "retry"), ("one", 3, "retry")]
    assert isinstance(diary.began[2].because, ModelRateLimited)
    assert len(diary.waits) == 2


async def test_retry_after_is_waited_for_up_to_the_cap(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.plays(responds("429 Too Many", "{}", "Retry-After: 3600"), ANSWERS)
    await router.answer([ONE], REQUEST, diary)
    assert 0.05 <= diary.waits[0] <= 0.06


async def test_exhausted_tries_lead_to_the_next_model(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.plays(FAILS)
    answer = await router.answer([ONE, TWO], REQUEST, diary)
    assert answer.model == TWO
    assert diary.story[2:] == [("one", 3, "retry"), ("two", 1, "next_model")]
    assert isinstance(diary.began[3].because, ModelUnavailable)


@pytest.mark.parametrize("play", [REFUSES, responds("401 No", "{}"), responds("404 No", "{}")])
async def test_a_refusal_leads_to_the_next_model_at_once(
    router: Router, upstream: Upstream, diary: Diary, play: object
) -> None:
    upstream.plays(play)  # type: ignore[arg-type]
    await router.answer([ONE, TWO], REQUEST, diary)
    assert diary.story == [("one", 1, "first"), ("two", 1, "next_model")]


async def test_an_unknown_provider_leads_to_the_next_model(router: Router, diary: Diary) -> None:
    answer = await router.answer([ModelRef("nobody", "m"), TWO], REQUEST, diary)
    assert answer.model == TWO
    assert diary.story == [("two", 1, "next_model")]


async def test_an_open_breaker_leads_to_the_next_model_without_a_request(
    router: Router, upstream: Upstream, diary: Diary
) -> None:
    upstream.plays(FAILS)
    for _ in range(2):
        await router.answer([ONE, TWO], REQUEST, Diary())
    asked = len(upstream.received)
    await router.answer([ONE, TWO], REQUEST, diary)
    assert len(upstream.received) == asked == 5
    assert diary.story == [("two", 1, "next_model")]
    assert diary.began[0].because is not None
    assert diary.began[0].because.code == "model.paused"


async def test_a_call_that_failed_says_why_although_its_model_rests_by_now(router: Router, upstream: Upstream) -> None:
    upstream.plays(FAILS)
    for calls in (1, 2):  # the second call's tries are the fourth and the fifth failure
        with pytest.raises(ModelUnavailable) as caught:
            await router.answer([ONE], REQUEST, Diary())
        assert caught.value.code == "model.server_error"
        assert len(upstream.received) == {1: 3, 2: 5}[calls]


async def test_a_call_waits_while_all_its_models_are_paused(upstream: Upstream, second: Upstream, diary: Diary) -> None:
    """What others broke is no failure of this call."""
    upstream.plays(FAILS)
    async with routing(one=upstream, two=second, pause=0.4, patience=5) as router:
        for _ in range(2):
            with pytest.raises(ModelUnavailable):
                await router.answer([ONE], REQUEST, Diary())
        upstream.plays(ANSWERS)
        assert (await router.answer([ONE], REQUEST, diary)).content == "Hello you"
    assert diary.story == [("one", 1, "first")]
    assert len(diary.waits) == 1


async def test_patience_with_paused_models_has_an_end(upstream: Upstream, second: Upstream, diary: Diary) -> None:
    upstream.plays(FAILS)
    async with routing(one=upstream, two=second, pause=30, patience=0.2) as router:
        for _ in range(2):
            with pytest.raises(ModelUnavailable):
                await router.answer([ONE], REQUEST, Diary())
        with pytest.raises(ModelUnavailable, match=r"model\.paused"):
            await router.answer([ONE], REQUEST, diary)
    assert diary.story == []


async def test_the_last_error_names_the_tried_models(
    router: Router, upstream: Upstream, second: Upstream, diary: Diary
) -> None:
    upstream.plays(FAILS)
    second.plays(whole(part(content="Half"), finish("length"), DONE))
    with pytest.raises(ModelBadOutput) as caught:
        await router.answer([ONE, TWO], REQUEST, diary)
    assert caught.value.params["tried"] == ["one:m", "two:m"]
    assert len(diary.settled) == len(diary.began) == 4


async def test_an_empty_chain_is_refused(router: Router, diary: Diary) -> None:
    with pytest.raises(ModelRefused, match="no_model"):
        await router.answer([], REQUEST, diary)


async def test_a_spent_budget_ends_the_call_before_a_request(router: Router, upstream: Upstream, diary: Diary) -> None:
    diary.refusal = BudgetSpent("run")
    with pytest.raises(BudgetSpent):
        await router.answer([ONE, TWO], REQUEST, diary)
    assert upstream.received == []
    assert diary.settled == []


async def test_a_cut_answer_is_settled_with_an_estimate(router: Router, upstream: Upstream, diary: Diary) -> None:
    async def cut(wire: Wire) -> None:
        await wire.stream(part(content="twelve chars"))
        wire.cut()

    upstream.plays(cut)
    await router.answer([ONE, TWO], REQUEST, diary)
    outcome = diary.outcomes[0]
    assert isinstance(outcome.error, ModelStreamBroken)
    assert outcome.usage == Usage(tokens_in=7, tokens_out=3, estimated=True)
    assert outcome.first_token_ms is not None


async def test_an_answer_without_a_usage_report_is_estimated(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.streams(part(content="twelve chars"), finish(), DONE)
    answer = await router.answer([ONE], REQUEST, diary)
    assert answer.usage == diary.outcomes[0].usage == Usage(tokens_in=7, tokens_out=3, estimated=True)


async def test_a_refused_request_costs_nothing(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.plays(FAILS)
    await router.answer([ONE, TWO], REQUEST, diary)
    assert diary.outcomes[0].usage == Usage(0, 0)


async def test_a_bad_answer_costs_what_was_reported(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.plays(whole(*HELLO[:3], finish("length"), *HELLO[4:]))
    await router.answer([ONE, TWO], REQUEST, diary)
    assert diary.outcomes[0].usage == Usage(7, 2)
    assert diary.outcomes[0].finish_reason == "length"


async def test_a_cancelled_call_is_settled_once_and_its_connection_closed(
    router: Router, upstream: Upstream, diary: Diary
) -> None:
    async def hang(wire: Wire) -> None:
        await wire.stream(part(content="Half"))
        await wire.hang()

    upstream.plays(hang)
    call = asyncio.create_task(router.answer([ONE, TWO], REQUEST, diary))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    (outcome,) = diary.outcomes
    assert isinstance(outcome.error, asyncio.CancelledError)
    assert outcome.usage.estimated
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def test_a_lease_is_held_only_while_the_request_runs(
    upstream: Upstream, second: Upstream, redis: Redis, diary: Diary
) -> None:
    async def look(wire: Wire) -> None:
        held.append(await redis.zcard("llm:leases:one"))
        await ANSWERS(wire)

    held: list[int] = []
    upstream.plays(look)
    async with routing(one=upstream, two=second, shared=SharedRedis(redis)) as router:
        await router.answer([ONE], REQUEST, diary)
    assert [*held, await redis.zcard("llm:leases:one")] == [1, 0]


async def test_calls_go_on_when_redis_is_killed(
    upstream: Upstream, second: Upstream, own_redis: RedisServer, diary: Diary
) -> None:
    upstream.plays(ANSWERS)
    async with (
        Redis.from_url(own_redis.url) as redis,
        routing(one=upstream, two=second, shared=SharedRedis(redis)) as router,
    ):
        await router.answer([ONE], REQUEST, diary)
        own_redis.stop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(3):
                await router.answer([ONE], REQUEST, diary)
    assert len(diary.settled) == 4


async def test_a_long_request_is_estimated_by_its_parts(router: Router, upstream: Upstream, diary: Diary) -> None:
    upstream.streams(part(content="ok"), finish(), DONE)
    calls = (ToolCall("a", "edit", "{}"),)
    request = ModelRequest((Message("user", "x" * 400), Message("assistant", "", tool_calls=calls)))
    answer = await router.answer([ONE], request, diary)
    assert 108 <= answer.usage.tokens_in <= 112


@dataclass
class Narrow(Diary):
    """It has room for one only once another has begun."""

    turns: int = 0
    begun_elsewhere: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, attempt: Attempt, request: ModelRequest) -> str:
        if not self.begun_elsewhere.is_set():
            raise NoRoomYet
        return await super().begin(attempt, request)

    def turn(self) -> AbstractAsyncContextManager[object]:
        self.turns += 1
        return super().turn()

    async def room(self) -> None:
        await self.begun_elsewhere.wait()


async def test_who_waits_for_room_holds_no_lease(upstream: Upstream, second: Upstream) -> None:
    upstream.plays(ANSWERS)
    async with routing(one=upstream, two=second, parallel=1) as router:
        waiting, other = Narrow(), Diary()
        first = asyncio.create_task(router.answer([ONE], REQUEST, waiting))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(router.answer([ONE], REQUEST, other), PATIENCE_SECONDS)
        assert (waiting.began, waiting.turns) == ([], 1)
        waiting.begun_elsewhere.set()
        assert (await asyncio.wait_for(first, PATIENCE_SECONDS)).content == "Hello you"
    assert waiting.story == [("one", 1, "first")]
