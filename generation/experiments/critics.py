"""Have a critic score some of the answers of an experiment: of each arm as many, drawn at random.

The critic is not told which arm gave an answer. Whoever asks pays for it, and may read in the run what the critic said:
so only answers are scored that they may look into.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import MD5, Cast

from generation import runs, traces
from generation.decisions import EXPERIMENT
from generation.experiments.lifecycle import MOST_ARMS
from generation.models import OPEN_STATES, Call, CallState, Experiment, Run, Step, StepState
from generation.recipes.critique import MOST_CALLS, RECIPE
from memory import staff, workspaces
from memory.base.errors import Conflict
from memory.models import Role, User

RIGHTS = (EXPERIMENT, traces.READ_CALLS)
MOST_ANSWERS = MOST_CALLS // MOST_ARMS


@transaction.atomic
def score(experiment: Experiment, by: User, answers: int) -> Run:
    """Begin to have up to so many more answers of each arm scored, 1 to MOST_ANSWERS, on the asker's account.

    Raises `permission.right`, `conflict.critique_open` while the last has not ended, `conflict.nothing_to_score`.
    """
    for right in RIGHTS:
        staff.require(by, right)
    workspace = workspaces.choose(by, None, Role.EDITOR)
    standing = (
        Experiment.objects.select_for_update(of=("self",)).select_related("critique__claim").get(pk=experiment.pk)
    )
    if standing.critique and standing.critique.claim.state in OPEN_STATES:
        raise Conflict("critique_open", run=str(standing.critique_id))
    calls = drawn(standing, by, answers)
    if not calls:
        raise Conflict("nothing_to_score")
    options = {"experiment": str(standing.pk), "calls": [str(call) for call in calls]}
    standing.critique = runs.begin(RECIPE, user=by, workspace=workspace, options=options)
    standing.save(update_fields=["critique"])
    return standing.critique


def drawn(experiment: Experiment, by: User, answers: int) -> list[UUID]:
    """Calls whose answers are there to be read, and not scored yet; a task by the last that answered it."""
    given = "assignment" if experiment.prompt_id else "chain_assignment"
    answered = Call.objects.filter(state=CallState.DONE, messages__isnull=False, run__isnull=False, critique=None)
    step = Step.objects.filter(run=OuterRef("run"), key=OuterRef("step"), state=StepState.DONE).exclude(text="")
    later = Call.objects.filter(run=OuterRef("run"), step=OuterRef("step"), state=CallState.DONE, id__gt=OuterRef("id"))
    found = answered.filter(traces.readable(by), Exists(step), ~Exists(later))
    calls: list[UUID] = []
    for arm in experiment.arms.all():
        of_arm = found.filter(**{f"{given}__arm": arm}).order_by(MD5(Cast("id", CharField())))
        calls += of_arm.values_list("id", flat=True)[:answers]
    return calls
