"""Which arm a unit is given: drawn from a hash, stored before its first call, and the same ever after.

The draw depends on the experiment and the unit alone, so that two experiments are independent of each other.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from generation.models import Arm, Assignment, Experiment, ExperimentState, Run, Unit


def of(experiment_id: UUID, unit: Unit, run: Run) -> Assignment | None:
    """What the run's unit was given, or is given now; None when its arm was closed, or the experiment has ended."""
    unit_id = unit_of(run, unit)
    assignment = find(experiment_id, unit_id) or draw(experiment_id, unit_id)
    return assignment if assignment and assignment.arm.is_open else None


def find(experiment_id: UUID, unit_id: UUID) -> Assignment | None:
    rows = Assignment.objects.select_related("arm__version__prompt")
    return rows.filter(experiment=experiment_id, unit=unit_id).first()


def draw(experiment_id: UUID, unit_id: UUID) -> Assignment | None:
    """Of two that draw at once for one unit, one is stored, and both get it."""
    experiment = Experiment.objects.get(id=experiment_id)
    if experiment.state != ExperimentState.RUNNING:
        return None
    plan = experiment.plans[-1]
    name = list(plan)[pick(list(plan.values()), point_of(experiment_id, unit_id))]
    arm = experiment.arms.get(name=name)
    given = Assignment(experiment=experiment, unit=unit_id, arm=arm, plan=len(experiment.plans) - 1)
    Assignment.objects.bulk_create([given], ignore_conflicts=True)
    return find(experiment_id, unit_id)


def point_of(experiment_id: UUID, unit_id: UUID) -> float:
    """In [0, 1), evenly, and unrelated for two experiments."""
    digest = hashlib.sha256(experiment_id.bytes + unit_id.bytes).digest()
    return int.from_bytes(digest[:7]) / 2**56


def pick(shares: Sequence[int], point: float) -> int:
    """The index of the share in which the point lies."""
    left = point * sum(shares)
    for index, share in enumerate(shares):
        left -= share
        if left < 0:
            return index
    return len(shares) - 1


def unit_of(run: Run, unit: Unit) -> UUID:
    """Work that others began belongs to theirs: the whole of it meets one arm. What is no part of a conversation is a
    conversation of its own."""
    if unit == Unit.USER:
        return run.user_id
    root = root_of(run)
    return root.line or root.id if unit == Unit.SESSION else root.id


def root_of(run: Run) -> Run:
    while above := run.parent_id or run.retries_id:
        run = Run.objects.only("id", "line", "parent", "retries").get(id=above)
    return run


def expected(experiment: Experiment, arms: Sequence[Arm], drawn: dict[int, int]) -> list[float]:
    """How many units each arm would hold if each had been filled as planned; `drawn` counts units by plan."""
    totals = [0.0] * len(arms)
    for plan, count in drawn.items():
        shares = experiment.plans[plan]
        for index, arm in enumerate(arms):
            totals[index] += count * shares.get(arm.name, 0) / sum(shares.values())
    return totals
