"""Budgets: what a call may cost is held back before it leaves, and however many leave at once, the limit holds."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from generation import budgets, calls, documents, in_force, runs
from generation.budgets import Reservation
from generation.carrier import Carrier
from generation.llm.journal import Attempt, Outcome
from generation.llm.values import Message, ModelRef, ModelRequest, Usage
from generation.manuscripts import Heading, Notice
from generation.models import Call, CallState, Queue, Run, RunState, Step
from generation.orders import Order
from generation.registry import recipe_of
from memory import workspaces
from memory.base.database import db as in_database
from memory.base.errors import BudgetSpent
from memory.models import User, Workspace
from tests import instructions
from tests.generation.conftest import Demo, Start, blocks_of, count, ended
from tests.patience import PATIENCE_SECONDS
from tests.people import People
from tests.plans import planned
from tests.rest import Rest

BUDGETS = ("RUN", "USER_DAY", "WORKSPACE_DAY")
PRICED, UNPRICED = ModelRef("openai", "gpt-4.1"), ModelRef("openai", "nobody-knows")
REQUEST = ModelRequest((Message("user", "x" * 32),), max_tokens=988)  # 12 tokens in: 1 000 together


@pytest.fixture(autouse=True)
def unlimited(settings: Settings) -> None:
    for budget in BUDGETS:
        setattr(settings, f"BUDGET_{budget}_TOKENS", 0)
        setattr(settings, f"BUDGET_{budget}_USD", 0)


def run_of(user: User, workspace: Workspace, parent: Run | None = None) -> Run:
    recipe = recipe_of("note")
    with transaction.atomic():
        return runs.create(
            recipe, Order("x"), user=user, workspace=workspace, queue=Queue.LOW, parent=parent, parent_step="s"
        )


@pytest.fixture
def run(people: People) -> Run:
    return run_of(people.owner, people.workspace)


def spend(run: Run, tokens: int, usd: str | None = None, **facts: Any) -> Call:
    """A settled call of this run."""
    facts = {"state": CallState.DONE, "epoch": 1, "created_at": timezone.now(), **facts}
    return Call.objects.create(
        run=run,
        user=run.user,
        workspace=run.workspace,
        step="section-1",
        attempt=1,
        tokens_in=tokens // 2,
        tokens_out=tokens - tokens // 2,
        cost_usd=None if usd is None else Decimal(usd),
        **facts,
    )


def open_call(run: Run, model: ModelRef = PRICED) -> Any:
    """One call as the engine makes it, reserved and inserted in one transaction."""
    purpose = calls.Purpose("note/section", "writer", in_force.find("note/section", "writer"), {})
    with transaction.atomic():
        return calls.open_call(run, 1, "section-1", 1, purpose, Attempt(model, 1, "first"), REQUEST)


def reserve(run: Run, tokens: int, usd: str | None = None) -> None:
    with transaction.atomic():
        budgets.reserve(run, Reservation(tokens, None if usd is None else Decimal(usd)))


@pytest.fixture
def stocked(db: None) -> None:
    instructions.give()


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_limit_in_tokens_is_kept_to_the_last_one(run: Run, settings: Settings, budget: str) -> None:
    setattr(settings, f"BUDGET_{budget}_TOKENS", 100)
    spend(run, 90)
    reserve(run, 10)
    with pytest.raises(BudgetSpent) as refused:
        reserve(run, 11)
    assert refused.value.code == f"budget.{budget.lower()}"
    assert refused.value.params == {"unit": "tokens", "limit": 100, "spent": 90, "wanted": 11}


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_limit_in_dollars_is_kept_to_the_last_cent(run: Run, settings: Settings, budget: str) -> None:
    setattr(settings, f"BUDGET_{budget}_USD", 0.3)
    spend(run, 1, "0.10")
    spend(run, 1, "0.10")
    reserve(run, 1, "0.10")  # in floats 0.1 + 0.1 + 0.1 is more than 0.3
    with pytest.raises(BudgetSpent) as refused:
        reserve(run, 1, "0.100001")
    assert refused.value.code == f"budget.{budget.lower()}"
    assert refused.value.params == {"unit": "usd", "limit": 0.3, "spent": 0.2, "wanted": 0.100001}


@pytest.mark.parametrize("budget", ["USER_DAY", "WORKSPACE_DAY"])
def test_what_was_spent_stays_spent_when_what_was_written_is_deleted(
    people: People, run: Run, settings: Settings, budget: str
) -> None:
    document = documents.create("note", "Loops", {}, user=people.owner, workspace=people.workspace)
    Run.objects.filter(id=run.id).update(document=document)
    child = run_of(people.owner, people.workspace, parent=run)
    secret: dict[str, Any] = {"messages": [{"role": "user", "content": "Secret."}], "variables": {"brief": "Secret."}}
    spend(run, 60, **secret)
    spend(child, 30, **secret)
    for each in (run, child):
        runs.cancel(each, people.owner)
    documents.bin(document, people.owner)
    assert documents.empty_bin(people.workspace, people.owner) == 1
    assert not Run.objects.exists()
    assert set(Call.objects.values_list("messages", "variables")) == {(None, None)}
    setattr(settings, f"BUDGET_{budget}_TOKENS", 100)
    with pytest.raises(BudgetSpent) as refused:
        reserve(run_of(people.owner, people.workspace), 11)
    assert refused.value.params["spent"] == 90


def test_a_call_whose_run_was_deleted_counts_with_all_it_held_back(people: People, run: Run) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    call = spend(run, 0, state=CallState.SENT, reserved_tokens=500, created_at=long_ago)
    run.delete()
    assert calls.settle_orphans() == 1
    call.refresh_from_db()
    assert (call.state, call.tokens_in, call.tokens_estimated) == (CallState.UNKNOWN, 500, True)


def test_without_limits_nothing_is_refused(run: Run) -> None:
    spend(run, 10**9, "99999")
    reserve(run, 10**9, "99999")


def test_a_run_answers_for_its_children_and_not_for_other_runs(run: Run, people: People, settings: Settings) -> None:
    settings.BUDGET_RUN_TOKENS = 100
    child, other = run_of(people.owner, people.workspace, parent=run), run_of(people.owner, people.workspace)
    spend(other, 100)
    spend(child, 60)
    reserve(run, 40)
    with pytest.raises(BudgetSpent):
        reserve(child, 41)


def test_a_user_answers_for_all_they_did_today_wherever(run: Run, people: People, settings: Settings) -> None:
    settings.BUDGET_USER_DAY_TOKENS = 100
    spend(run_of(people.teammate, people.workspace), 100)
    spend(run, 100, created_at=timezone.now() - timedelta(days=1))
    spend(run_of(people.owner, workspaces.create("Another", people.owner)), 60)
    reserve(run, 40)
    with pytest.raises(BudgetSpent):
        reserve(run, 41)


def test_a_workspace_answers_for_its_members_and_not_for_a_stranger(
    run: Run, people: People, settings: Settings
) -> None:
    settings.BUDGET_WORKSPACE_DAY_TOKENS = 100
    spend(run_of(people.stranger, people.stranger.workspaces.get()), 100)
    spend(run, 100, created_at=timezone.now() - timedelta(days=1))
    spend(run_of(people.teammate, people.workspace), 60)
    reserve(run, 40)
    with pytest.raises(BudgetSpent):
        reserve(run, 41)


@pytest.mark.parametrize(("budget", "waits"), [("RUN", False), ("USER_DAY", True), ("WORKSPACE_DAY", True)])
def test_a_spent_day_says_when_to_come_back_and_a_spent_run_does_not(
    run: Run, settings: Settings, budget: str, waits: bool
) -> None:
    setattr(settings, f"BUDGET_{budget}_TOKENS", 1)
    with pytest.raises(BudgetSpent) as refused:
        reserve(run, 2)
    wait = refused.value.retry_after
    assert 0 < wait <= 86_400 if wait is not None else not waits


def test_midnight_is_that_of_the_day_that_is_counted() -> None:
    assert budgets.seconds_to_midnight(datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)) == 1
    assert budgets.seconds_to_midnight(datetime(2026, 1, 1, tzinfo=UTC)) == 86_400


@pytest.mark.usefixtures("stocked")
def test_what_is_reserved_counts_while_the_call_is_open_and_what_was_used_afterwards(
    run: Run, settings: Settings
) -> None:
    settings.BUDGET_RUN_TOKENS = 1_500
    call = open_call(run)
    with pytest.raises(BudgetSpent) as refused:
        open_call(run)
    assert refused.value.params["spent"] == 1_000
    calls.settle(call, Attempt(PRICED, 1, "first"), Outcome(Usage(12, 88), None, "stop", 1, 2))
    reserve(run, 1_400)
    with pytest.raises(BudgetSpent):
        reserve(run, 1_401)


@pytest.mark.usefixtures("stocked")
def test_a_refused_call_leaves_no_row(run: Run, settings: Settings) -> None:
    settings.BUDGET_RUN_TOKENS = 999
    with pytest.raises(BudgetSpent):
        open_call(run)
    assert not Call.objects.exists()


@pytest.mark.usefixtures("stocked")
def test_a_model_without_a_known_price_is_held_by_its_tokens_only(run: Run, settings: Settings) -> None:
    settings.BUDGET_RUN_USD, settings.BUDGET_RUN_TOKENS = 0.000_001, 1_500
    call = open_call(run, UNPRICED)
    assert Call.objects.get(id=call).reserved_usd is None
    with pytest.raises(BudgetSpent) as by_tokens:
        open_call(run, UNPRICED)
    assert by_tokens.value.params["unit"] == "tokens"
    settings.BUDGET_RUN_TOKENS = 0
    with pytest.raises(BudgetSpent) as by_price:
        open_call(run, PRICED)
    assert by_price.value.params["unit"] == "usd"


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_hundred_calls_at_once_never_take_more_than_the_limit(
    people_committed: People, settings: Settings, budget: str
) -> None:
    instructions.give()
    setattr(settings, f"BUDGET_{budget}_TOKENS", 7_999)
    run = run_of(people_committed.owner, people_committed.workspace)

    def attempt(_: int) -> bool:
        try:
            open_call(run)
        except BudgetSpent:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(25) as threads:
        taken = list(threads.map(attempt, range(100)))
    assert (sum(taken), Call.objects.count()) == (7, 7)


async def test_a_run_without_any_budget_fails_before_anything_is_asked(
    carrier: Carrier, start: Start, demo: Demo, settings: Settings
) -> None:
    settings.BUDGET_USER_DAY_TOKENS = 10
    run = await start()
    assert (await ended(run)).state == RunState.FAILED
    failed = await in_database(lambda: Run.objects.get(id=run.id))
    assert (failed.error or {})["error_code"] == "budget.user_day"
    assert 0 < (failed.error or {})["retry_after"] <= 86_400
    assert demo.stats()["requests"] == 0


async def test_a_note_whose_budget_is_spent_ends_labelled_and_its_retry_pays_for_the_rest_only(
    carrier: Carrier, start: Start, demo: Demo, house: People, settings: Settings
) -> None:
    settings.BUDGET_USER_DAY_TOKENS = 8_000  # the outline and one section hold back 6 000 and their prompt each
    run = await start()
    assert (await ended(run)).state == RunState.PARTIAL
    steps = await in_database(lambda: {step.key: step for step in Step.objects.filter(run=run)})
    spent = {key for key, step in steps.items() if step.is_fallback}
    good = set(steps) - spent
    assert "outline" in good
    assert spent
    assert {(steps[key].error or {})["error_code"] for key in spent} == {"budget.user_day"}
    assert count(await blocks_of(run), Notice) == len(spent)

    settings.BUDGET_USER_DAY_TOKENS = 0
    asked = demo.stats()["requests"]
    again, _ = await in_database(runs.retry, run, house.owner)
    assert (await ended(again)).state == RunState.DONE
    assert demo.stats()["requests"] == asked + len(spent)
    paid = await in_database(lambda: set(Call.objects.filter(run=again).values_list("step", flat=True)))
    assert paid == spent
    blocks = await blocks_of(again)
    assert count(blocks, Notice) == 0
    assert count(blocks, Heading) == len(steps) - 1


# --- what the run itself holds back


@pytest.fixture
def narrow(settings: Settings, demo: Demo) -> None:
    """A course of three chapters uses some 12 000 tokens, and each of its calls holds back up to as many."""
    demo.set(rules=[planned(3)])
    settings.BUDGET_RUN_TOKENS = 30_000


async def test_calls_wait_for_what_their_own_run_holds_back(
    carrier: Carrier, start: Start, house: People, narrow: None, settings: Settings
) -> None:
    run = await start(kind="course", brief="Loops.")
    await ended(run)
    rest = await in_database(Rest, house.viewer)
    shown = (await in_database(rest.get, f"runs/{run.id}")).json()
    assert (shown["state"], [step["error"] for step in shown["steps"] if step["error"]]) == ("done", [])
    made = await in_database(lambda: list(Call.objects.filter(run=run)))
    assert sum(call.reserved_tokens for call in made) > 3 * settings.BUDGET_RUN_TOKENS
    tries = Counter(call.step for call in made)
    assert {(call.step, call.attempt) for call in made} == {(step, n + 1) for step in tries for n in range(tries[step])}


async def test_who_waits_for_the_budget_can_be_stopped(
    carrier: Carrier, start: Start, house: People, narrow: None, demo: Demo
) -> None:
    run = await start(kind="course", brief="Loops.")
    demo.set(tokens_per_second=20)
    open_calls = Call.objects.filter(run=run, state=CallState.SENT)
    while await in_database(lambda: Step.objects.filter(run=run, state="running").count()) < 9:
        await asyncio.sleep(0.05)
    assert await in_database(open_calls.count) < 9
    rest = await in_database(Rest, house.owner)
    assert (await in_database(rest.post, f"runs/{run.id}/cancel")).status_code == 202
    assert (await ended(run)).state == RunState.CANCELLED


@pytest.mark.parametrize(("epoch", "seconds", "state"), [(0, PATIENCE_SECONDS, RunState.DONE), (1, 2, RunState.FAILED)])
async def test_what_a_dead_owner_held_back_is_waited_for_as_long_as_a_call_may_take(
    start: Start, carrier: Carrier, narrow: None, settings: Settings, epoch: int, seconds: float, state: RunState
) -> None:
    """Until the sweep settles it; one that nobody settles stops nobody for ever."""
    settings.MODEL_TIMEOUTS = {"total": seconds - settings.LEASE_SECONDS}
    settings.SWEEP_SECONDS = 0.5
    carrier.claiming = False
    run = await start()
    long_ago = timezone.now() - timedelta(hours=1)
    facts: dict[str, Any] = {"state": CallState.SENT, "reserved_tokens": 29_000, "epoch": epoch, "created_at": long_ago}
    await in_database(lambda: spend(run, 0, **facts))
    carrier.claiming = True
    await carrier.claim(run.id)
    assert (await ended(run)).state == state
    error = (await in_database(lambda: Run.objects.get(id=run.id))).error
    assert (error or {}).get("error_code") == (None if state == RunState.DONE else "budget.run")
