"""What became of an experiment: nothing is counted beside the rows that `evidence` reads.

Every figure is over units (see `intervals`); before an arm has its minimum sample nothing is said of differences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from django.db.models import Count, Exists, OuterRef

from generation.experiments import assignments, intervals
from generation.experiments.evidence import Evidence, Point
from generation.experiments.intervals import Difference, Estimate
from generation.experiments.metrics import METRICS, Metric
from generation.models import Arm, Call, Experiment

MISMATCH = 0.001  # below this chance the arms were not filled as planned


class Verdict(Enum):
    """What may be said of an arm against the control."""

    NOT_ENOUGH = "not_enough"
    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"


@dataclass(frozen=True)
class Reading:
    """One metric of one arm. `difference` is to the control, None for the control itself."""

    arm: Arm
    estimate: Estimate | None
    difference: Difference | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Outcome:
    metric: Metric
    readings: Sequence[Reading]


@dataclass(frozen=True)
class Filling:
    """How many units of an arm were asked, and how many it would have been as planned."""

    arm: Arm
    units: int
    expected: float


@dataclass(frozen=True)
class Report:
    """All that an experiment has shown until then. `chance`: of arms filled so unevenly, if all is well."""

    experiment: Experiment
    until: datetime
    fillings: Sequence[Filling]
    chance: float
    outcomes: Sequence[Outcome]

    @property
    def is_early(self) -> bool:
        """Whoever stops as soon as a difference shows finds differences that are none."""
        return any(filling.units < self.experiment.minimum for filling in self.fillings if filling.arm.is_open)

    @property
    def is_mismatched(self) -> bool:
        return self.chance < MISMATCH

    def outcome(self, metric: str) -> Outcome:
        return next(each for each in self.outcomes if each.metric.name == metric)


def report(evidence: Evidence) -> Report:
    experiment = evidence.experiment
    fillings = filled(experiment, evidence.arms)
    chance = intervals.mismatch([each.units for each in fillings], [each.expected for each in fillings])
    outcomes = [outcome(evidence, metric) for metric in METRICS.values()]
    return Report(experiment, evidence.until, fillings, chance, outcomes)


def filled(experiment: Experiment, arms: Sequence[Arm]) -> list[Filling]:
    """By units that have really been asked: an arm that cannot be rendered is given and never exposed."""
    column = "assignment" if experiment.prompt_id else "chain_assignment"
    is_exposed = Exists(Call.objects.filter(**{column: OuterRef("pk")}))
    counted: dict[UUID, int] = {arm.id: 0 for arm in arms}
    drawn: dict[int, int] = {}
    rows = experiment.assignments.filter(is_exposed).values_list("arm", "plan").annotate(n=Count("id"))
    for arm_id, plan, count in rows.order_by("arm", "plan"):
        counted[arm_id] += count
        drawn[plan] = drawn.get(plan, 0) + count
    planned = assignments.expected(experiment, arms, drawn)
    return [Filling(arm, counted[arm.id], expected) for arm, expected in zip(arms, planned, strict=True)]


def outcome(evidence: Evidence, metric: Metric) -> Outcome:
    """Nothing is said of an arm before so many of its units, and of the control's, were asked for this very metric."""
    last = evidence.whole(metric)
    control = next((arm for arm in evidence.arms if arm.is_control), None)
    comparisons = sum(arm.is_open and not arm.is_control for arm in evidence.arms)
    confidence = intervals.shared(intervals.CONFIDENCE, comparisons)
    readings = []
    for arm in evidence.arms:
        mine, theirs = last.get(arm.id), last.get(control.id) if control else None
        found, is_enough = None, False
        if arm is not control and mine and theirs:
            found = intervals.difference(mine, theirs, confidence, is_share=metric.form == "share")
            is_enough = min(mine.n, theirs.n) >= evidence.experiment.minimum
        verdict = None if arm is control else judge(metric, found if is_enough else None)
        readings.append(Reading(arm, mine, found, verdict))
    return Outcome(metric, readings)


def judge(metric: Metric, found: Difference | None) -> Verdict:
    if found is None:
        return Verdict.NOT_ENOUGH
    if not found.is_certain:
        return Verdict.NO_DIFFERENCE
    return Verdict.BETTER if (found.value > 0) == metric.is_good else Verdict.WORSE


def series(evidence: Evidence, metrics: Iterable[Metric]) -> dict[str, dict[UUID, list[Point]]]:
    """By metric and arm, what was known at each point in time, from the beginning on."""
    lines: dict[str, dict[UUID, list[Point]]] = {}
    for metric in metrics:
        by_arm: dict[UUID, list[Point]] = {arm.id: [] for arm in evidence.arms}
        for bucket, estimates in evidence.estimates(metric):
            for arm_id, estimate in estimates.items():
                if estimate is not None:
                    by_arm[arm_id].append(Point(evidence.at(bucket), estimate))
        lines[metric.name] = by_arm
    return lines
