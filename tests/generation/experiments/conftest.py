"""An experiment on the outline of notes: the control is version 1, the other arms are versions with more words."""

from collections.abc import Callable

import pytest

from generation import prompts
from generation.experiments import lifecycle
from generation.experiments.lifecycle import ArmIn, Design
from generation.models import Experiment, Run
from generation.orders import Order
from generation.recipes.base import Recipe
from generation.runs import start as start_run
from memory.models import User, Workspace
from tests import instructions
from tests.jobs import AnyOptions
from tests.people import People, staff

SLOT = "note/outline"
NAMES = ("control", "more", "most", "utmost")

Compare = Callable[..., Experiment]


@pytest.fixture(autouse=True)
def synced(db: None) -> None:
    instructions.give()


@pytest.fixture
def keeper(db: None) -> User:
    return staff("keeper", "run_experiment", "promote_prompt", "view_experiment", "view_decision", "view_promptversion")


@pytest.fixture
def compare(keeper: User) -> Compare:
    """A running experiment of versions with these shares, or of chains for an agent."""

    def make(*shares: int, agent: str = "", is_started: bool = True, **facts: object) -> Experiment:
        shares = shares or (1, 1)
        if agent:
            arms = [ArmIn(name, share, chain=[f"demo:{name}"]) for name, share in zip(NAMES, shares, strict=False)]
        else:
            arms = [
                ArmIn(name, share, versions(index + 1))
                for index, (name, share) in enumerate(zip(NAMES, shares, strict=False))
            ]
        target = {"agent": agent} if agent else {"slot": SLOT}
        design = Design(**{"title": "More words", "arms": arms, "metric": "success", **target, **facts})  # type: ignore[arg-type]
        experiment = lifecycle.design(design, keeper)
        if is_started:
            lifecycle.start(experiment, keeper, "to see")
        return Experiment.objects.get(pk=experiment.pk)

    return make


def versions(number: int) -> int:
    """The number of a version that is there."""
    standing = prompts.current(SLOT)
    while prompts.next_number(standing.prompt) <= number:
        prompts.add_version(standing.prompt, f"{standing.text}More {prompts.next_number(standing.prompt)}.\n")
    return number


def a_run(user: User, workspace: Workspace, **facts: object) -> Run:
    recipe = Recipe("test", "tests.jobs.three_steps", options=AnyOptions)
    run, _ = start_run(recipe, Order("Loops."), user=user, workspace=workspace)
    if facts:
        Run.objects.filter(pk=run.pk).update(**facts)
        run.refresh_from_db()
    return run


@pytest.fixture
def run(people: People, keeper: User) -> Run:
    return a_run(people.owner, people.workspace)
