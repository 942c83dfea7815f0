"""An experiment from its design to the decision, through the verbs and by REST."""

from typing import Any

import pytest

from generation import decisions, prompts
from generation.experiments import lifecycle
from generation.experiments.lifecycle import ArmIn, Design
from generation.models import Agent, Decision, Deed, Experiment, ExperimentState
from memory.base.errors import Conflict, InvalidInput, PermissionRefused
from memory.models import User
from tests.generation.experiments.conftest import SLOT, Compare, versions
from tests.people import People, staff
from tests.rest import Rest, told

TWO = (ArmIn("control", version=1), ArmIn("more", version=2))

OF_AGENT = {"slot": None, "agent": "planner"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"arms": TWO[:1]}, "experiment_arms"),
        ({"arms": [ArmIn(f"arm-{n}", version=n) for n in range(1, 6)]}, "experiment_arms"),
        ({"arms": (TWO[0], ArmIn("more", version=1))}, "experiment_arm"),
        ({"arms": (TWO[0], ArmIn("control", version=2))}, "experiment_arm"),
        ({"arms": (TWO[0], ArmIn("more", version=99))}, "experiment_arm"),
        ({"arms": (TWO[0], ArmIn("more", version=2, chain=["demo:demo"]))}, "experiment_arm"),
        ({"arms": (TWO[0], ArmIn("more", 0, version=2))}, "experiment_arm"),
        ({"metric": "beauty"}, "experiment_metric"),
        ({"guards": ["success"]}, "experiment_metric"),
        ({"minimum": 1}, "experiment_arms"),
        ({"agent": "planner"}, "experiment_target"),
        ({"slot": None}, "experiment_target"),
        (OF_AGENT | {"arms": (ArmIn("a", chain=["demo:a"]), ArmIn("b", version=1))}, "experiment_arm"),
        (OF_AGENT | {"arms": (ArmIn("a", chain=["demo:a"]), ArmIn("b", chain=["b"]))}, "chain"),
    ],
)  # fmt: skip
def test_a_design_that_could_show_nothing_is_refused_and_leaves_nothing(
    keeper: User, wrong: dict[str, Any], code: str
) -> None:
    versions(5)
    facts = {"title": "Loops", "arms": TWO, "metric": "success", "slot": SLOT, **wrong}
    with pytest.raises(InvalidInput) as refused:
        lifecycle.design(Design(**facts), keeper)
    assert refused.value.code == f"validation.{code}"
    assert Experiment.objects.count() == 0


def test_no_two_run_on_one_prompt_or_agent(compare: Compare, keeper: User) -> None:
    for target in ({}, {"agent": "planner"}):
        first, second = compare(**target), compare(is_started=False, **target)
        with pytest.raises(Conflict) as refused:
            lifecycle.start(second, keeper, "me too")
        assert refused.value.code == "conflict.experiment_open"
        lifecycle.pause(first, keeper, "wait")
        with pytest.raises(Conflict):
            lifecycle.start(second, keeper, "me too")
        lifecycle.stop(first, keeper, "enough")
        lifecycle.start(second, keeper, "now")
        with pytest.raises(Conflict):
            decisions.undo(Decision.objects.filter(experiment=first)[0], keeper, "go on with it")


def test_what_has_ended_does_not_begin_again(compare: Compare, keeper: User) -> None:
    experiment = compare()
    lifecycle.stop(experiment, keeper, "enough")
    for verb in (lifecycle.start, lifecycle.pause, lifecycle.stop):
        with pytest.raises(Conflict) as refused:
            verb(experiment, keeper, "again")
        assert refused.value.code == "conflict.experiment_over"
    with pytest.raises(Conflict):
        lifecycle.promote(experiment.arms.get(name="more"), keeper, "late")
    with pytest.raises(Conflict):
        lifecycle.add_arm(experiment, ArmIn("late", version=versions(4)), keeper, "late")
    with pytest.raises(Conflict):
        lifecycle.close_arm(experiment.arms.get(name="more"), keeper, "late")


def test_the_winner_is_put_in_production_by_one_decision_that_is_undone_as_one(compare: Compare, keeper: User) -> None:
    experiment = compare()
    decision = lifecycle.promote(experiment.arms.get(name="more"), keeper, "it wins")
    experiment.refresh_from_db()
    assert (experiment.state, prompts.current(SLOT).number) == (ExperimentState.STOPPED, 2)
    assert experiment.stopped_at
    assert (decision.deed, decision.before) == (Deed.PROMOTE, {"state": "running", "production": 1})
    decisions.undo(decision, keeper, "too early")
    experiment.refresh_from_db()
    assert (experiment.state, prompts.current(SLOT).number) == (ExperimentState.RUNNING, 1)
    assert experiment.stopped_at is None


def test_the_control_wins_by_stopping(compare: Compare, keeper: User) -> None:
    experiment = compare()
    lifecycle.promote(experiment.arms.get(name="control"), keeper, "nothing is better")
    experiment.refresh_from_db()
    assert (experiment.state, prompts.current(SLOT).number) == (ExperimentState.STOPPED, 1)


def test_a_chain_that_wins_is_the_agents_from_then_on(compare: Compare, keeper: User) -> None:
    experiment = compare(agent="planner")
    lifecycle.promote(experiment.arms.get(name="more"), keeper, "faster")
    assert Agent.objects.get(name="planner").chain == ["demo:more"]


def test_the_beginning_is_not_undone(compare: Compare, keeper: User) -> None:
    experiment = compare()
    begun = Decision.objects.get(experiment=experiment, deed=Deed.START)
    with pytest.raises(Conflict):
        decisions.undo(begun, keeper, "never mind")
    experiment.refresh_from_db()
    assert experiment.state == ExperimentState.RUNNING


def test_arms_come_and_go_but_for_the_control_and_the_last(compare: Compare, keeper: User) -> None:
    experiment = compare()
    added = lifecycle.add_arm(experiment, ArmIn("most", 2, versions(3)), keeper, "a third")
    with pytest.raises(Conflict) as refused:
        lifecycle.close_arm(experiment.arms.get(name="control"), keeper, "no control")
    assert refused.value.code == "conflict.arm_needed"
    lifecycle.close_arm(experiment.arms.get(name="more"), keeper, "worse")
    with pytest.raises(Conflict):
        lifecycle.close_arm(added, keeper, "alone")
    experiment.refresh_from_db()
    assert experiment.plans == [
        {"control": 1, "more": 1},
        {"control": 1, "more": 1, "most": 2},
        {"control": 1, "most": 2},
    ]
    assert [decision.deed for decision in experiment.decisions.all()] == [Deed.ARMS, Deed.ARMS, Deed.START]


def test_a_version_that_was_outgrown_meanwhile_is_not_started(compare: Compare, keeper: User) -> None:
    experiment = compare(is_started=False)
    prompt = experiment.prompt
    assert prompt
    prompt.variables = ["nothing"]
    prompt.save()
    with pytest.raises(InvalidInput) as refused:
        lifecycle.start(experiment, keeper, "to see")
    assert refused.value.code == "validation.prompt_version"


def test_who_lacks_a_right_changes_nothing(compare: Compare, people: People) -> None:
    experiment = compare()
    arm = experiment.arms.get(name="more")
    only = staff("only", "run_experiment")
    with pytest.raises(PermissionRefused):
        lifecycle.promote(arm, only, "mine")
    assert lifecycle.pause(experiment, only, "to think")
    for who in (staff("promoter", "promote_prompt", "view_experiment"), people.owner, people.stranger):
        for act in (
            lambda who: lifecycle.design(Design("Loops", TWO, "success", slot="note/section"), who),
            lambda who: lifecycle.start(experiment, who, "mine"),
            lambda who: lifecycle.stop(experiment, who, "mine"),
            lambda who: lifecycle.promote(arm, who, "mine"),
            lambda who: lifecycle.close_arm(arm, who, "mine"),
            lambda who: lifecycle.add_arm(experiment, ArmIn("third", version=1), who, "mine"),
        ):
            with pytest.raises(PermissionRefused):
                act(who)
    experiment.refresh_from_db()
    assert (experiment.state, experiment.arms.count()) == (ExperimentState.PAUSED, 2)


# --- by REST


def test_a_script_designs_starts_watches_and_decides(keeper: User) -> None:
    versions(3)
    rest = Rest(keeper)
    body = {
        "title": "More words",
        "prompt": SLOT,
        "arms": [{"name": "control", "version": 1}, {"name": "more", "version": 2, "share": 3}],
        "metric": "success",
        "guards": ["cost", "latency"],
        "unit": "run",
        "minimum": 50,
    }
    made = rest.post("experiments", body)
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    assert made.json()["arms"][0]["is_control"]
    place = f"experiments/{made.json()['id']}"
    assert rest.post(f"{place}/start", {"reason": "to see"}).json()["after"] == {"state": "running"}
    third = rest.post(f"{place}/arms", {"arm": {"name": "most", "version": 3}, "reason": "a third"})
    assert [arm["name"] for arm in third.json()["arms"]] == ["control", "more", "most"]
    assert rest.post(f"{place}/arms/most/close", {"reason": "no"}).json()["arms"][2]["is_open"] is False
    shown = rest.get(place).json()
    assert shown["report"]["is_early"]
    success = shown["report"]["outcomes"][0]
    assert (success["metric"], [each["verdict"] for each in success["readings"]]) == (
        "success",
        ["control", "not_enough", "not_enough"],
    )
    assert rest.post(f"{place}/pause", {"reason": "wait"}).json()["deed"] == "pause"
    assert rest.post(f"{place}/arms/more/promote", {"reason": "it wins"}).json()["after"]["production"] == 2
    assert told(rest.post(f"{place}/stop", {"reason": "again"})) == (409, "conflict.experiment_over")
    assert [each["state"] for each in rest.get("experiments").json()] == ["stopped"]


def test_what_a_script_names_must_be_there(keeper: User, compare: Compare) -> None:
    rest, nobody = Rest(keeper), "00000000-0000-7000-8000-000000000000"
    body = {"title": "x", "arms": [{"name": "a", "version": 1}, {"name": "b", "version": 2}], "metric": "success"}
    assert told(rest.post("experiments", {**body, "prompt": "note/nothing"})) == (404, "not_found.prompt")
    assert told(rest.post("experiments", {**body, "agent": "nobody"})) == (404, "not_found.agent")
    assert told(rest.get(f"experiments/{nobody}")) == (404, "not_found.experiment")
    place = f"experiments/{compare().id}"
    assert told(rest.post(f"{place}/arms/nothing/close", {"reason": "x"})) == (404, "not_found.arm")


def test_a_stranger_sees_no_experiment(compare: Compare, people: People) -> None:
    place = f"experiments/{compare().id}"
    for who in (people.stranger, people.owner):
        assert told(Rest(who).get(place)) == (403, "permission.staff")
        assert told(Rest(who).post(f"{place}/stop", {"reason": "x"})) == (403, "permission.staff")
    viewer = Rest(staff("viewer-of-all", "view_experiment"))
    assert viewer.get(place).status_code == 200
    assert told(viewer.post(f"{place}/stop", {"reason": "x"})) == (403, "permission.right")
