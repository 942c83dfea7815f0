"""What an experiment has shown: each metric is a query over rows, each figure is over units."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generation import documents, sections
from generation.experiments import outcomes
from generation.experiments.evidence import Evidence
from generation.experiments.intervals import Moments
from generation.experiments.metrics import METRICS
from generation.experiments.outcomes import Reading, Report, Verdict
from generation.models import Assignment, Call, Critique, Experiment, Feedback, Run, Step, Unit
from memory import history
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change
from tests.generation.experiments.conftest import Compare, a_run
from tests.people import People
from tests.things import a_call


class Lab:
    """Units of an experiment whose calls are what the test says."""

    def __init__(self, experiment: Experiment, people: People, run: Run) -> None:
        self.experiment, self.people, self.run = experiment, people, run
        Experiment.objects.filter(pk=experiment.pk).update(started_at=timezone.now() - timedelta(days=1))
        self.steps = 0

    def unit(self, arm: str, **facts: Any) -> Assignment:
        given = self.experiment.arms.get(name=arm)
        return Assignment.objects.create(experiment=self.experiment, unit=new_id(), arm=given, plan=0, **facts)

    def call(self, unit: Assignment, **facts: Any) -> Call:
        """A task of its own, unless a step is named."""
        self.steps += 1
        begun = facts.pop("created_at", timezone.now() - timedelta(hours=1))
        known = {"step": f"step-{self.steps}", "settled_at": begun + timedelta(seconds=2), "first_token_ms": 300}
        known |= {"tokens_in": 100, "tokens_out": 50, "cost_usd": "0.01", "created_at": begun}
        return a_call(self.run, unit, **{**known, **facts})

    def report(self) -> Report:
        return outcomes.report(Evidence(Experiment.objects.get(pk=self.experiment.pk)))

    def reading(self, metric: str, arm: str = "more") -> Reading:
        readings = self.report().outcome(metric).readings
        return next(each for each in readings if each.arm.name == arm)

    def value(self, metric: str, arm: str = "more") -> float:
        estimate = self.reading(metric, arm).estimate
        assert estimate, f"{metric} of {arm} is not known"
        return estimate.value


@pytest.fixture
def lab(compare: Compare, people: People, run: Run) -> Lab:
    return Lab(compare(1, 1, unit=Unit.RUN, minimum=2), people, run)


def test_before_anybody_came_nothing_is_said(lab: Lab) -> None:
    report = lab.report()
    assert (report.is_early, report.is_mismatched, [each.units for each in report.fillings]) == (True, False, [0, 0])
    for outcome in report.outcomes:
        assert [each.estimate for each in outcome.readings] == [None, None]
        assert [each.verdict for each in outcome.readings] == [None, Verdict.NOT_ENOUGH]


def test_a_task_that_was_asked_again_is_one_task(lab: Lab) -> None:
    first, second = lab.unit("more"), lab.unit("more")
    lab.call(first, step="one", state="failed", error={"error_code": "model.timeout"})
    lab.call(first, step="one", reason="retry", attempt=2)
    lab.call(first, step="two", state="failed", error={"error_code": "model.timeout"})
    lab.call(second, reason="next_model")
    lab.call(second, reason="repair")
    assert lab.value("success") == 3 / 4
    assert lab.value("retry") == 1 / 4
    assert lab.value("another_model") == 1 / 4
    assert lab.value("repair") == 1 / 4


def test_what_a_person_stopped_and_what_is_not_settled_says_nothing(lab: Lab) -> None:
    for unit in (lab.unit("more"), lab.unit("more")):
        lab.call(unit)
        lab.call(unit, state="failed", error={"error_code": "internal.CancelledError"})
        lab.call(unit, state="sent")
    assert lab.value("success") == 1
    assert lab.reading("success").estimate.n == 2  # type: ignore[union-attr]


def test_a_fallback_is_what_the_step_says(lab: Lab) -> None:
    for n, unit in enumerate((lab.unit("more"), lab.unit("more"))):
        for step, is_fallback in ((f"a{n}", n == 0), (f"b{n}", False)):
            Step.objects.create(
                run=lab.run, key=step, state="fallback" if is_fallback else "done", is_fallback=is_fallback
            )
            lab.call(unit, step=step)
        lab.call(unit)  # its step has not ended
    assert lab.value("fallback") == 1 / 4


def test_thumbs_are_counted_among_those_who_gave_one(lab: Lab) -> None:
    for good in (True, False):
        unit = lab.unit("more")
        said = lab.call(unit)
        lab.call(unit)
        Feedback.objects.create(call=said, user=lab.people.owner, is_good=good)
        Feedback.objects.create(call=said, user=lab.people.teammate, is_good=True)
    assert lab.value("thumbs") == 3 / 4


def test_a_critics_score_is_a_mean_over_what_was_scored(lab: Lab) -> None:
    for score in (4, 9):
        unit = lab.unit("more")
        Critique.objects.create(call=lab.call(unit), score=score)
        lab.call(unit)
    assert (lab.value("critic"), lab.reading("critic").estimate.n) == (6.5, 2)  # type: ignore[union-attr]
    assert lab.reading("critic", "control").estimate is None


def test_tokens_cost_and_times_are_means_and_an_unknown_price_is_no_price(lab: Lab) -> None:
    first, second = lab.unit("more"), lab.unit("more")
    lab.call(first, tokens_in=100, tokens_out=100, cost_usd="0.02")
    lab.call(second, tokens_in=300, tokens_out=100, cost_usd="0.04")
    lab.call(second, tokens_in=None, tokens_out=None, cost_usd=None)
    assert lab.value("tokens") == 300
    assert lab.value("cost") == pytest.approx(0.03)
    assert lab.value("latency") == pytest.approx(2_000)
    assert lab.value("first_token") == pytest.approx(300)


def test_the_time_to_an_answer_counts_from_the_first_try(lab: Lab) -> None:
    begun = timezone.now() - timedelta(hours=1)
    for unit in (lab.unit("more"), lab.unit("more")):
        step = f"of-{unit.id}"
        lab.call(unit, step=step, state="failed", created_at=begun)
        again = {"created_at": begun + timedelta(seconds=4), "settled_at": begun + timedelta(seconds=7)}
        lab.call(unit, step=step, reason="retry", **again)
    assert lab.value("latency") == pytest.approx(7_000)
    assert lab.value("first_token") == pytest.approx(4_300)


def test_quantiles_are_those_of_the_tasks(lab: Lab) -> None:
    begun = timezone.now() - timedelta(hours=1)
    for n in range(1, 101):
        lab.call(lab.unit("more"), created_at=begun, settled_at=begun + timedelta(seconds=n))
    assert lab.value("latency_p50") == pytest.approx(50_000)
    assert lab.value("latency_p95") == pytest.approx(95_000)


def test_what_people_undid_or_changed_is_what_the_version_wrote(lab: Lab) -> None:
    note = documents.create("note", "Loops", {}, user=lab.people.owner, workspace=lab.people.workspace)
    person = By.person(lab.people.owner)
    rows = []
    for n, unit in enumerate((lab.unit("more"), lab.unit("more"))):
        section = sections.add(note, "section", {"title": f"{n}"}, person)
        machine = By(AuthorKind.RECIPE, lab.people.owner, lab.run.id, f"section-{n}")
        history.write_as_recipe(section, {"content": "abcdefghij"}, machine, read_version=1, group=lab.run.id)
        lab.call(unit, step=f"section-{n}")
        rows.append(section)
    assert (lab.value("undone"), lab.value("edited")) == (0, 0)
    kept, undone = rows
    kept.refresh_from_db()
    sections.edit(kept, {"content": "abcdeXXXXX"}, person)
    written = type(kept).objects.get(pk=undone.pk)
    change = Change.objects.get(object_id=written.pk, path="content", author=AuthorKind.RECIPE)
    history.undo(change, lab.people.owner)
    assert lab.value("undone") == 1 / 2
    assert lab.value("edited") == pytest.approx((0.5 + 1) / 2)  # what was undone is gone, whole
    history.undo(Change.objects.get(undoes=change), lab.people.owner)
    mine = Change.objects.get(object_id=kept.pk, path="content", author=AuthorKind.PERSON)
    history.undo(mine, lab.people.owner)
    assert (lab.value("undone"), lab.value("edited")) == (0, 0)  # all stands again as it was written
    sections.approve(type(kept).objects.get(pk=kept.pk), person)
    assert lab.value("edited") == 0


def test_what_a_tool_wrote_belongs_to_the_step_that_wished_for_it(lab: Lab) -> None:
    note = documents.create("note", "Loops", {}, user=lab.people.owner, workspace=lab.people.workspace)
    for n, unit in enumerate((lab.unit("more"), lab.unit("more"))):
        section = sections.add(note, "section", {"title": f"{n}"}, By.person(lab.people.owner))
        tool = By(AuthorKind.TOOL, lab.people.owner, lab.run.id, f"round-{n}/tool-0", group=lab.run.id)
        sections.edit(section, {"content": "Other words."}, tool)
        lab.call(unit, step=f"round-{n}")
        lab.call(unit, step=f"titles-{n}")
    evidence = Evidence(Experiment.objects.get(pk=lab.experiment.pk))
    assert sum(columns["wrote"] for _place, columns in evidence.rows) == 2


def test_an_answer_that_did_not_fit_is_no_success(lab: Lab) -> None:
    for n, unit in enumerate((lab.unit("more"), lab.unit("more"))):
        Step.objects.create(run=lab.run, key=f"plan-{n}", state="fallback" if n else "done", is_fallback=bool(n))
        lab.call(unit, step=f"plan-{n}")
        lab.call(unit, step=f"plan-{n}", reason="repair", attempt=2)
    assert (lab.value("success"), lab.value("repair")) == (0.5, 1)


def test_what_an_experiment_has_shown_stays_when_runs_are_deleted(lab: Lab, compare: Compare) -> None:
    for unit in (lab.unit("more"), lab.unit("more")):
        run = a_run(lab.people.owner, lab.people.workspace)
        a_call(run, unit, step="one", state="failed", origin=run.id)
        a_call(run, unit, step="one", reason="retry", attempt=2, origin=run.id)
        run.delete()
    assert (lab.value("success"), lab.value("retry")) == (1, 1)


def test_an_arm_that_never_succeeds_is_worse(lab: Lab) -> None:
    fill(lab, "control", 40, 2)
    fill(lab, "more", 40, 40)
    assert lab.reading("success").verdict == Verdict.WORSE


def test_a_metric_waits_until_enough_units_were_asked_for_it(lab: Lab) -> None:
    Experiment.objects.filter(pk=lab.experiment.pk).update(minimum=40)
    for arm, good in (("control", True), ("more", False)):
        fill(lab, arm, 34, 0)
        for _ in range(6):
            Feedback.objects.create(call=lab.call(lab.unit(arm)), user=lab.people.owner, is_good=good)
    assert not lab.report().is_early
    assert lab.reading("thumbs").verdict == Verdict.NOT_ENOUGH


def test_an_arm_that_is_given_and_never_asked_is_a_mismatch(lab: Lab) -> None:
    fill(lab, "control", 60, 0)
    for _ in range(60):
        lab.unit("more")  # its text cannot be rendered, say
    report = lab.report()
    assert [each.units for each in report.fillings] == [60, 0]
    assert report.is_mismatched


def test_calls_of_one_unit_are_one_unit(lab: Lab) -> None:
    for rate, unit in enumerate((lab.unit("more"), lab.unit("more"), lab.unit("more"))):
        for n in range(10):
            lab.call(unit, state="failed" if n < rate * 5 else "done")
    known = Moments()
    for good in (10, 5, 0):
        known.add(good, 10)
    assert lab.reading("success").estimate == known.estimate()


def fill(lab: Lab, arm: str, units: int, failing: int) -> None:
    for n in range(units):
        lab.call(lab.unit(arm), state="failed" if n < failing else "done")


def test_a_difference_is_said_once_each_arm_has_its_minimum(lab: Lab) -> None:
    Experiment.objects.filter(pk=lab.experiment.pk).update(minimum=40)
    fill(lab, "control", 40, 20)
    fill(lab, "more", 39, 2)
    early = lab.reading("success")
    assert (early.verdict, lab.report().is_early) == (Verdict.NOT_ENOUGH, True)
    assert early.difference  # what is known is shown; only nothing is said of it
    fill(lab, "more", 1, 0)
    assert (lab.reading("success").verdict, lab.report().is_early) == (Verdict.BETTER, False)
    assert lab.reading("tokens").verdict == Verdict.NO_DIFFERENCE  # all alike


def test_worse_and_alike_are_told_apart(lab: Lab) -> None:
    fill(lab, "control", 40, 2)
    fill(lab, "more", 40, 20)
    assert lab.reading("success").verdict == Verdict.WORSE
    assert lab.reading("success", "control").verdict is None


def test_two_arms_that_are_alike_show_no_difference(lab: Lab) -> None:
    fill(lab, "control", 40, 8)
    fill(lab, "more", 40, 9)
    assert lab.reading("success").verdict == Verdict.NO_DIFFERENCE


def test_arms_that_are_not_filled_as_planned_are_told(lab: Lab) -> None:
    fill(lab, "control", 30, 0)
    fill(lab, "more", 90, 0)
    report = lab.report()
    assert report.is_mismatched
    assert [each.expected for each in report.fillings] == [60, 60]


def test_each_unit_is_expected_where_the_plan_of_its_time_put_it(lab: Lab) -> None:
    Experiment.objects.filter(pk=lab.experiment.pk).update(plans=[{"control": 1, "more": 1}, {"control": 1, "more": 3}])
    for _ in range(10):
        lab.call(lab.unit("control"))
    control, more = lab.experiment.arms.get(name="control"), lab.experiment.arms.get(name="more")
    for arm in (control, more, more, more):
        lab.call(Assignment.objects.create(experiment=lab.experiment, unit=new_id(), arm=arm, plan=1))
    assert [each.expected for each in lab.report().fillings] == [6, 8]


def test_the_series_ends_with_what_the_table_says(lab: Lab) -> None:
    day = timezone.now() - timedelta(hours=20)
    for n in range(12):
        for arm in ("control", "more"):
            lab.call(lab.unit(arm), state="failed" if n % 3 == 0 else "done", created_at=day + timedelta(hours=n))
    evidence = Evidence(Experiment.objects.get(pk=lab.experiment.pk))
    lines = outcomes.series(evidence, [METRICS["success"], METRICS["latency_p50"]])
    for metric in ("success", "latency_p50"):
        for reading in outcomes.report(evidence).outcome(metric).readings:
            points = lines[metric][reading.arm.id]
            assert (points[-1].estimate if points else None) == reading.estimate
            assert [point.at for point in points] == sorted(point.at for point in points)
            assert len(points) > 5 or metric == "latency_p50"  # which is not known of a few


def test_a_call_of_another_experiment_is_not_counted(lab: Lab, compare: Compare) -> None:
    other = Lab(compare(1, 1, agent="planner", unit=Unit.RUN, minimum=2), lab.people, lab.run)
    for _ in range(2):
        mine, theirs = lab.unit("more"), other.unit("more")
        lab.call(mine, chain_assignment=theirs, state="failed")
        lab.call(mine)
    assert (lab.value("success"), other.value("success")) == (0.5, 0)
