"""One thing of each kind that an address can name, and all of them of one workspace."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from generation import attempts, documents, issues, prompts, runs, sections, threads
from generation.experiments import lifecycle
from generation.experiments.lifecycle import ArmIn, Design
from generation.issues import Finding
from generation.models import Assignment, Attempt, Call, Experiment, Run, Section, Step
from generation.orders import Order
from generation.registry import recipe_of
from memory import history
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Snapshot, User, Workspace


def start_a_note(owner: User, workspace: Workspace, title: str = "") -> Run:
    order = Order("Three sections on loops.", title)
    run, _ = runs.start(recipe_of("note"), order, user=owner, workspace=workspace)
    return run


def write_a_course(owner: User, workspace: Workspace, run: Run, title: str = "Loops") -> dict[str, Any]:
    """A document with a section that a run has written, a change with its snapshot, a proposal, and a thread."""
    course = documents.create("course", title, {}, user=owner, workspace=workspace)
    section = sections.add(course, "chapter", {"title": "Why"}, By.person(owner))
    ended, _ = runs.start(recipe_of("course"), Order("Loops."), user=owner, workspace=workspace, document=course)
    runs.cancel(ended, owner)
    Step.objects.create(run=ended, key=section.key)
    (change,) = sections.edit(section, {"description": "Because."}, By.person(owner))
    machine = By(AuthorKind.RECIPE, owner, run.id, "section-1")
    written = history.write_as_recipe(section, {"description": "Else."}, machine, read_version=1, group=new_id())
    assert written.proposal
    (found,) = issues.find(
        course, [Finding("citation_unknown", {"number": 7})], ["citation_unknown"], run=run.id, step="outline"
    )
    thread = threads.begin(section, "Why so short?", owner)
    return {
        "document_id": course.id,
        "section_id": section.id,
        "change_id": change.id,
        "group_id": change.group,
        "snapshot_id": Snapshot.objects.get(group=change.group).id,
        "proposal_id": written.proposal.id,
        "issue_id": found.id,
        "thread_id": thread.id,
        "comment_id": thread.comments.get().id,
        "workspace_id": workspace.id,
        "action": "add_chapter",
    }


def begin_an_attempt(owner: User, chapter: Section) -> Attempt:
    asked = [{"text": "Why repeat?", "answers": [{"text": "To be brief", "is_correct": True}, {"text": "No"}]}]
    fields = {"questions": asked}
    evaluation = sections.add(chapter.document, "evaluation", fields, By.person(owner), parent=chapter)
    return attempts.begin(evaluation, owner)


def an_experiment(keeper: User) -> dict[str, Any]:
    """One that runs on a prompt, with its control, and the decision that began it. Prompts are synced by then."""
    version = prompts.current("note/outline")
    prompts.add_version(version.prompt, f"{version.text}More.\n")
    arms = (ArmIn("control", version=1), ArmIn("more", version=2))
    experiment = lifecycle.design(Design("Loops", arms, "success", slot="note/outline"), keeper)
    begun = lifecycle.start(experiment, keeper, "to see")
    names = {"experiment": experiment.id, "arm": experiment.arms.get(name="more").id, "decision": begun.id}
    return {**names, **{f"{name}_id": known for name, known in names.items()}}


def a_call(run: Run, assignment: Assignment | None, step: str = "outline", **facts: object) -> Call:
    """As the engine keeps one."""
    known = {"attempt": 1, "epoch": 1, "reason": "first", "state": "done", "agent": "planner", "provider": "demo"}
    owner = {"run": run, "workspace_id": run.workspace_id, "user_id": run.user_id}
    return Call.objects.create(**{**known, **owner, "model": "demo", "step": step, "assignment": assignment, **facts})


def fill_the_arms(experiment: Experiment, run: Run, units: int, days: int = 5) -> None:
    """Units that came one after the other over some days; arms fail the less the later they were thought of."""
    chance = random.Random(7)
    begun = timezone.now() - timedelta(days=days)
    Experiment.objects.filter(pk=experiment.pk).update(started_at=begun)
    calls = []
    for index, arm in enumerate(experiment.arms.all()):
        for n in range(units):
            given = Assignment.objects.create(experiment=experiment, unit=new_id(), arm=arm, plan=0)
            for step in range(chance.randint(1, 5)):
                at = begun + timedelta(days=days * (n + chance.random()) / units)
                took = timedelta(seconds=chance.expovariate(0.3) + 1 + index)
                calls.append(
                    Call(
                        run=run,
                        origin=given.pk,  # as if each unit had a run of its own
                        workspace_id=run.workspace_id,
                        user_id=run.user_id,
                        step=f"{given.pk}-{step}",
                        attempt=1,
                        epoch=1,
                        reason=chance.choice(["first", "first", "first", "retry"]),
                        state="failed" if chance.random() < 0.3 / (index + 1) else "done",
                        agent="planner",
                        provider="demo",
                        model="demo",
                        assignment=given,
                        prompt_version_id=arm.version_id,
                        tokens_in=chance.randint(200, 400),
                        tokens_out=chance.randint(100, 900),
                        cost_usd=Decimal(chance.randint(1, 30)) / 1000,
                        first_token_ms=chance.randint(100, 900),
                        created_at=at,
                        settled_at=at + took,
                    )
                )
    Call.objects.bulk_create(calls)
