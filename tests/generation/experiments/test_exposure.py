"""What an experiment gives is what calls are made with: seen in the rows of runs that really asked the demo model."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from generation import decisions, prompts
from generation.carrier import Carrier
from generation.experiments import critics, lifecycle, outcomes
from generation.experiments.evidence import Evidence
from generation.experiments.lifecycle import ArmIn, Design
from generation.experiments.outcomes import Verdict
from generation.models import Assignment, Call, Critique, Experiment, PromptVersion, Run, RunState, Unit
from memory import workspaces
from memory.base.database import db as in_database
from memory.models import User
from tests.generation.conftest import Demo, Start, ended, until_asked
from tests.people import staff

SLOT = "note/section"
MARK = "Write as if to a friend."


@pytest.fixture
def synced() -> None:
    """Not before the house, whose rows are committed."""


@pytest_asyncio.fixture
async def keeper(carrier: Carrier) -> User:
    return await in_database(lambda: staff("keeper", "run_experiment", "promote_prompt"))


Begin = Callable[..., Awaitable[Experiment]]


@pytest_asyncio.fixture
async def begin(keeper: User) -> AsyncIterator[Begin]:
    """Start an experiment on sections; the second arm's text says how to write."""

    def make(**facts: object) -> Experiment:
        rewritten()
        arms = (ArmIn("control", version=1), ArmIn("friendly", version=2))
        known = {"title": "Friendly", "arms": arms, "metric": "fallback", "slot": SLOT, "unit": Unit.RUN}
        experiment = lifecycle.design(Design(**{**known, **facts}), keeper)  # type: ignore[arg-type]
        lifecycle.start(experiment, keeper, "to see")
        return Experiment.objects.get(pk=experiment.pk)

    async def begin(**facts: object) -> Experiment:
        return await in_database(lambda: make(**facts))

    yield begin


def rewritten() -> PromptVersion:
    standing = prompts.current(SLOT)
    return prompts.add_version(standing.prompt, f"{standing.text}{MARK}\n")


def fewest(experiment: Experiment) -> int:
    """Units of the arm that has the fewest."""
    return min(each.units for each in outcomes.filled(experiment, list(experiment.arms.all())))


async def calls_of(run: Run) -> list[Call]:
    rows = (
        Call.objects.filter(run=run)
        .select_related("prompt_version", "assignment__arm__version", "chain_assignment__arm")
        .order_by("created_at")
    )
    return await in_database(lambda: list(rows))


async def test_a_run_is_asked_with_its_arm_throughout_and_each_call_says_so(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin
) -> None:
    experiment = await begin()
    seen: set[str] = set()
    for _ in range(40):
        if len(seen) == 2:
            break
        run = await start()
        assert (await ended(run)).state == RunState.DONE
        sections = [call for call in await calls_of(run) if call.step.startswith("section")]
        outline = [call for call in await calls_of(run) if call.step == "outline"]
        (assignment,) = {call.assignment for call in sections}
        assert assignment
        assert (assignment.experiment_id, assignment.unit) == (experiment.id, run.id)
        assert {call.prompt_version for call in sections} == {assignment.arm.version}
        for call in sections:
            assert (MARK in str(call.messages)) == (assignment.arm.name == "friendly")
        assert {call.assignment for call in outline} == {None}
        seen.add(assignment.arm.name)
    assert seen == {"control", "friendly"}


async def test_a_chain_in_an_experiment_is_the_one_that_is_asked(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin
) -> None:
    arms = (ArmIn("control", chain=["demo:demo"]), ArmIn("other", 1_000, chain=["demo:other"]))
    await begin(slot=None, agent="writer", arms=arms, metric="success")
    run = await start()
    await ended(run)
    for call in await calls_of(run):
        if call.agent == "writer":
            chosen = call.chain_assignment.arm if call.chain_assignment else None
            assert chosen
            assert [f"{call.provider}:{call.model}"] == chosen.chain
            assert (call.assignment, chosen.name) == (None, "other")


async def test_a_question_that_is_asked_again_is_asked_with_what_is_in_force_by_then(
    carrier: Carrier, start: Start, demo: Demo, keeper: User
) -> None:
    newer = await in_database(rewritten)
    demo.set(first_token_ms=900, rules=[{"contains": "Loops", "fault": "clean_cut", "times": 1}])
    run = await start("tests.jobs.one_section", brief="Loops")
    await until_asked(demo)
    await in_database(decisions.promote, newer, keeper, "friendlier")
    assert (await ended(run)).state == RunState.DONE
    told = [
        (call.prompt_version and call.prompt_version.number, call.attempt, call.state) for call in await calls_of(run)
    ]
    assert told == [(1, 1, "failed"), (2, 2, "done")]


async def test_what_still_is_in_force_is_tried_again_as_it_was(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin
) -> None:
    await begin()
    demo.set(first_token_ms=900, rules=[{"contains": "Loops", "fault": "clean_cut", "times": 1}])
    run = await start("tests.jobs.one_section", brief="Loops")
    assert (await ended(run)).state == RunState.DONE
    first, second = await calls_of(run)
    assert (first.reason, second.reason) == ("first", "retry")
    assert first.assignment == second.assignment is not None


async def test_when_an_experiment_is_stopped_the_next_call_has_what_is_in_production(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin, keeper: User
) -> None:
    arms = (ArmIn("control", version=1), ArmIn("friendly", 1_000, version=2))
    experiment = await begin(arms=arms)
    demo.set(first_token_ms=900, rules=[{"contains": "Loops", "fault": "clean_cut", "times": 1}])
    run = await start("tests.jobs.one_section", brief="Loops")
    await until_asked(demo)
    await in_database(lifecycle.stop, experiment, keeper, "enough")
    await ended(run)
    first, second = await calls_of(run)
    assert first.assignment
    assert (first.prompt_version and first.prompt_version.number, second.assignment) == (2, None)
    assert second.prompt_version
    assert second.prompt_version.number == 1
    assert await in_database(Assignment.objects.count) == 1


@pytest.mark.uncounted
async def test_a_version_that_halves_the_fallbacks_is_found_at_the_planned_sample(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin
) -> None:
    planned = 354  # intervals.needed(0.12, 0.06)
    experiment = await begin(minimum=planned)
    demo.set(
        seed=3,  # what is drawn is the same each time, whoever gets which arm
        rules=[
            {"contains": MARK, "fault": "refusal", "rate": 0.06},
            {"contains": MARK, "content": "Dear friend, loops repeat."},
            {"contains": "Loops", "fault": "refusal", "rate": 0.12},
        ],
    )
    while await in_database(fewest, experiment) < planned:
        runs = [await start("tests.jobs.one_section", brief="Loops") for _ in range(50)]
        for run in runs:
            await ended(run)
    report = await in_database(lambda: outcomes.report(Evidence(experiment)))
    print([(each.arm.name, each.units) for each in report.fillings], report.outcome("fallback"))
    assert not report.is_early
    assert report.outcome("fallback").readings[1].verdict == Verdict.BETTER


async def test_a_critic_scores_answers_of_both_arms_and_whoever_asked_pays(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin
) -> None:
    experiment = await begin()
    while await in_database(lambda: fewest(experiment)) < 2:  # of one unit nothing is said
        assert (await ended(await start())).state == RunState.DONE
    # The critic is shown what was asked, and so are the rules: what one arm says and the other does not.
    told = [{"contains": MARK, "content": opinion(8)}, {"contains": "Score this answer", "content": opinion(5)}]
    demo.set(rules=told)
    reader = await in_database(a_reader)
    run = await in_database(lambda: critics.score(experiment, reader, 50))
    assert (await ended(run)).state == RunState.DONE
    asked = await calls_of(run)
    assert len(asked) == len(run.options["calls"]) == await in_database(Critique.objects.filter(run=run).count)
    assert {(call.user_id, call.agent) for call in asked} == {(reader.pk, "critic")}
    assert {call.prompt_version and call.prompt_version.prompt_id for call in asked} == {"house/critic"}
    assert await in_database(lambda: scores(experiment)) == {"control": 5, "friendly": 8}


async def test_an_answer_that_the_critic_cannot_score_is_left_to_the_next(
    carrier: Carrier, start: Start, demo: Demo, begin: Begin
) -> None:
    experiment = await begin()
    assert (await ended(await start())).state == RunState.DONE
    demo.set(rules=[{"contains": "Score this answer", "content": opinion(11)}])
    reader = await in_database(a_reader)
    run = await in_database(lambda: critics.score(experiment, reader, 50))
    assert (await ended(run)).state == RunState.PARTIAL
    assert await in_database(lambda: scores(experiment)) == {}
    demo.set(rules=[])
    again = await in_database(lambda: critics.score(experiment, reader, 50))
    assert (await ended(again)).state == RunState.DONE
    assert again.options == run.options
    assert await in_database(Critique.objects.count) == len(run.options["calls"])


def opinion(score: float) -> str:
    return json.dumps({"why": "It is short.", "score": score})


def a_reader() -> User:
    reader = staff("reader", "run_experiment", "read_call")
    workspaces.create("Of the reader", reader)
    return reader


def scores(experiment: Experiment) -> dict[str, float]:
    """Of each arm that has one."""
    readings = outcomes.report(Evidence(experiment)).outcome("critic").readings
    return {each.arm.name: each.estimate.value for each in readings if each.estimate}
