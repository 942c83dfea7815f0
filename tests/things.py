"""One thing of each kind that an address can name, and all of them of one workspace."""

from typing import Any

from generation import attempts, documents, prompts, runs, sections
from generation.experiments import lifecycle
from generation.experiments.lifecycle import ArmIn, Design
from generation.models import Attempt, Run, Section, Step
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
    """A document with a section that a run has written, a change with its snapshot, and a proposal."""
    course = documents.create("course", title, {}, user=owner, workspace=workspace)
    section = sections.add(course, "chapter", {"title": "Why"}, By.person(owner))
    ended, _ = runs.start(recipe_of("course"), Order("Loops."), user=owner, workspace=workspace, document=course)
    runs.cancel(ended, owner)
    Step.objects.create(run=ended, key=section.key)
    (change,) = sections.edit(section, {"description": "Because."}, By.person(owner))
    machine = By(AuthorKind.RECIPE, owner, run.id, "section-1")
    written = history.write_as_recipe(section, {"description": "Else."}, machine, read_version=1, group=new_id())
    assert written.proposal
    return {
        "document_id": course.id,
        "section_id": section.id,
        "change_id": change.id,
        "group_id": change.group,
        "snapshot_id": Snapshot.objects.get(group=change.group).id,
        "proposal_id": written.proposal.id,
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
