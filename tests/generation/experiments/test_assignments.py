"""Which arm a unit is given: by the shares, the same ever after, and whatever other experiments do."""

import os
import subprocess
import sys
import uuid
from collections import Counter
from uuid import UUID

import pytest

from generation import in_force, prompts
from generation.experiments import assignments, intervals, lifecycle
from generation.experiments.lifecycle import ArmIn
from generation.models import Agent, Assignment, Experiment, Unit
from memory.models import User
from tests.generation.experiments.conftest import SLOT, Compare, a_run, versions
from tests.people import People

UNITS = 10_000
LEAST_LIKELY = 0.001

PICK = """
import sys, uuid
from generation.experiments import assignments
experiment, shares = uuid.UUID(sys.argv[1]), [int(share) for share in sys.argv[2].split(",")]
print([assignments.pick(shares, assignments.point_of(experiment, uuid.UUID(int=n))) for n in range(200)])
"""


def drawn(experiment: UUID, shares: tuple[int, ...], count: int = UNITS) -> list[int]:
    return [
        assignments.pick(shares, assignments.point_of(experiment, uuid.uuid5(uuid.NAMESPACE_OID, str(n))))
        for n in range(count)
    ]


@pytest.mark.parametrize("shares", [(50, 50), (70, 20, 10), (1, 1, 1, 1)])
def test_ten_thousand_units_fill_the_arms_by_their_shares(shares: tuple[int, ...]) -> None:
    for seed in range(20):
        counted = Counter(drawn(uuid.uuid5(uuid.NAMESPACE_URL, str(seed)), shares))
        expected = [UNITS * share / sum(shares) for share in shares]
        assert intervals.mismatch([counted[n] for n in range(len(shares))], expected) > LEAST_LIKELY


def test_two_experiments_are_independent_of_each_other() -> None:
    one, other = (drawn(uuid.uuid5(uuid.NAMESPACE_URL, name), (50, 50)) for name in ("one", "other"))
    together = Counter(zip(one, other, strict=True))
    assert intervals.mismatch([together[n, m] for n in (0, 1) for m in (0, 1)], [UNITS / 4] * 4) > LEAST_LIKELY


def test_another_process_draws_the_same() -> None:
    experiment = uuid.uuid4()
    here = [assignments.pick([70, 20, 10], assignments.point_of(experiment, UUID(int=n))) for n in range(200)]
    there = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{PICK}", str(experiment), "70,20,10"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == str(here)


def test_what_a_unit_was_given_is_stored_and_stays(compare: Compare, people: People) -> None:
    experiment = compare(50, 50)
    run = a_run(people.owner, people.workspace)
    first = assignments.of(experiment.id, Unit.USER, run)
    assert first
    assert Assignment.objects.get() == first
    Experiment.objects.filter(pk=experiment.pk).update(
        plans=[{"control": 1, "more": 1000}, {"control": 1000, "more": 1}]
    )
    for _ in range(3):
        assert assignments.of(experiment.id, Unit.USER, a_run(people.owner, people.workspace)) == first
    assert Assignment.objects.count() == 1


def test_an_arm_that_is_added_takes_nobody_from_the_others(compare: Compare, keeper: User, people: People) -> None:
    experiment = compare(1, 1, unit=Unit.RUN)
    runs = [a_run(people.owner, people.workspace) for _ in range(20)]
    before = {run.id: given(experiment, run) for run in runs}
    lifecycle.add_arm(experiment, ArmIn("most", 1_000, versions(3)), keeper, "a third")
    assert {run.id: given(experiment, run) for run in runs} == before
    late = [given(experiment, a_run(people.owner, people.workspace)) for _ in range(10)]
    assert "most" in late
    plans = set(Assignment.objects.filter(arm__name="most").values_list("plan", flat=True))
    assert plans == {1}


def given(experiment: Experiment, run: object) -> str:
    found = assignments.of(experiment.id, Unit(experiment.unit), run)  # type: ignore[arg-type]
    return found.arm.name if found else ""


def test_an_arm_that_is_closed_gives_its_units_to_no_other(compare: Compare, keeper: User, people: People) -> None:
    experiment = compare(1, 1, 1, unit=Unit.RUN)
    runs = [a_run(people.owner, people.workspace) for _ in range(29)]
    before = {run.id: given(experiment, run) for run in runs}
    assert set(before.values()) == {"control", "more", "most"}
    lifecycle.close_arm(experiment.arms.get(name="most"), keeper, "too much")
    after = {run.id: given(experiment, run) for run in runs}
    assert after == {run: "" if arm == "most" else arm for run, arm in before.items()}
    assert "most" not in {given(experiment, a_run(people.owner, people.workspace)) for _ in range(20)}


def test_the_unit_is_the_person_the_conversation_or_the_run(compare: Compare, people: People) -> None:
    line = uuid.uuid4()
    turn = a_run(people.owner, people.workspace, line=line)
    begun = a_run(people.owner, people.workspace, parent=turn)
    again = a_run(people.owner, people.workspace, retries=begun)
    alone = a_run(people.teammate, people.workspace)
    for run in (turn, begun, again):
        assert assignments.unit_of(run, Unit.USER) == people.owner.id
        assert assignments.unit_of(run, Unit.SESSION) == line
        assert assignments.unit_of(run, Unit.RUN) == turn.id
    assert assignments.unit_of(alone, Unit.SESSION) == assignments.unit_of(alone, Unit.RUN) == alone.id


# --- what is in force


def test_a_unit_in_an_experiment_gets_its_arm_and_nobody_else(compare: Compare, people: People) -> None:
    experiment = compare(1, 1, unit=Unit.RUN)
    seen = set()
    for _ in range(20):
        run = a_run(people.owner, people.workspace)
        found = in_force.find(SLOT, run=run)
        assert found.assignment
        assert found.version == found.assignment.arm.version
        assert found.assignment.experiment_id == experiment.id
        seen.add(found.version.number)
    assert seen == {1, 2}
    assert in_force.find(SLOT).version.number == 1
    assert in_force.find("note/section", run=run).assignment is None


def test_an_experiment_that_does_not_run_gives_nothing(compare: Compare, keeper: User, people: People) -> None:
    experiment = compare(1, 1000, unit=Unit.RUN, is_started=False)
    run = a_run(people.owner, people.workspace)
    assert in_force.find(SLOT, run=run).version.number == 1
    lifecycle.start(experiment, keeper, "to see")
    assert in_force.find(SLOT, run=run).version.number == 2
    lifecycle.pause(experiment, keeper, "to think")
    assert in_force.find(SLOT, run=run).version.number == 1
    lifecycle.start(experiment, keeper, "to go on")
    assert in_force.find(SLOT, run=run).version.number == 2
    lifecycle.stop(experiment, keeper, "enough")
    assert (in_force.find(SLOT, run=run).version.number, in_force.find(SLOT, run=run).assignment) == (1, None)


def test_the_environment_is_above_all(compare: Compare, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(1, 1000, unit=Unit.RUN)
    compare(1, 1000, agent="planner", unit=Unit.RUN)
    monkeypatch.setenv("PROMPT_VERSION_NOTE_OUTLINE", "1")
    monkeypatch.setenv("AGENT_PLANNER_CHAIN", "demo:mine")
    found = in_force.find(SLOT, run=a_run(people.owner, people.workspace))
    assert (found.version.number, [str(model) for model in found.chain]) == (1, ["demo:mine"])
    assert (found.assignment, found.chain_assignment) == (None, None)


def test_switched_off_everybody_has_what_is_in_production(compare: Compare, people: People, settings: object) -> None:
    compare(1, 1000, unit=Unit.RUN)
    settings.ENABLE_PROMPT_AB_TESTING = False  # type: ignore[attr-defined]
    assert in_force.find(SLOT, run=a_run(people.owner, people.workspace)).assignment is None
    assert Assignment.objects.count() == 0


def test_a_prompt_and_its_agent_are_tried_at_the_same_time(compare: Compare, people: People) -> None:
    compare(1, 1, unit=Unit.RUN)
    compare(1, 1, agent="planner", unit=Unit.RUN)
    assert Agent.objects.get(name="planner").chain == []
    seen = set()
    for _ in range(40):
        found = in_force.find(SLOT, run=a_run(people.owner, people.workspace))
        assert found.assignment
        assert found.chain_assignment
        seen.add((found.version.number, str(found.chain[0])))
    assert seen == {(1, "demo:control"), (1, "demo:more"), (2, "demo:control"), (2, "demo:more")}
    # Another agent that is asked with the same prompt is in no experiment of its own.
    assert in_force.find(SLOT, "critic", a_run(people.owner, people.workspace)).chain_assignment is None


def test_what_is_kept_in_the_process_is_never_an_arm(compare: Compare, people: People) -> None:
    compare(1, 1000, unit=Unit.RUN)
    assert in_force.find(SLOT, run=a_run(people.owner, people.workspace)).version.number == 2
    assert in_force.find(SLOT).version == prompts.current(SLOT)
    assert in_force.find(SLOT).assignment is None
