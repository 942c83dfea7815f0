"""An experiment as its page shows it: how its arms are filled, what they have shown, what speaks against deciding."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext, ngettext

from generation import prompts, saying
from generation.experiments import evidence, intervals, lifecycle, outcomes, plots, wording
from generation.experiments.evidence import Evidence
from generation.experiments.metrics import METRICS, Metric
from generation.experiments.outcomes import Outcome, Report
from generation.models import (
    OPEN_EXPERIMENTS,
    OPEN_STATES,
    Critique,
    Experiment,
    ExperimentState,
    RunState,
)
from memory import sentences
from memory.base.errors import ScriptoriumError


@dataclass(frozen=True)
class Row:
    """A metric in the table: of each arm its figure, and how it differs from the control."""

    metric: Metric
    title: str
    cells: list[dict[str, Any]]
    plot: plots.Plot | None


@dataclass(frozen=True)
class Watch:
    """An experiment as its page shows it."""

    experiment: Experiment
    report: Report
    main: list[Row]
    others: list[Row]
    problem: str
    cautions: list[str]
    planned: str
    critique: str

    @property
    def is_draft(self) -> bool:
        return self.experiment.state == ExperimentState.DRAFT

    @property
    def is_running(self) -> bool:
        return self.experiment.state == ExperimentState.RUNNING

    @property
    def is_over(self) -> bool:
        return self.experiment.state == ExperimentState.STOPPED


def watch(experiment_id: UUID) -> Watch:
    related = ("prompt", "agent", "critique__claim")
    experiment = Experiment.objects.select_related(*related).get(id=experiment_id)
    read = Evidence(experiment)
    report = outcomes.report(read)
    first = [experiment.metric, *experiment.guards]
    lines = outcomes.series(read, METRICS.values())
    rows = {
        each.metric.name: row(each, plots.plot(each.metric, read.arms, lines[each.metric.name], read.begin))
        for each in report.outcomes
    }
    main = [rows.pop(name) for name in first if name in rows]
    problem = problem_of(experiment) if experiment.state == ExperimentState.DRAFT else ""
    against = cautions(experiment, "")
    told = planned(experiment), critique_of(experiment)
    return Watch(experiment, report, main, list(rows.values()), problem, against, *told)


def critique_of(experiment: Experiment) -> str:
    """How far the critic has come who was asked last; nothing before one was asked."""
    run = experiment.critique
    if run is None:
        return ""
    asked = len(run.options["calls"])
    if run.claim.state in OPEN_STATES:
        said = ngettext(
            "A critic is reading {n} answer: {percent}.", "A critic is reading {n} answers: {percent}.", asked
        )
        return said.format(n=asked, percent=saying.percent(run.progress))
    scored = Critique.objects.filter(run=run).count()
    told = gettext("The critic who was asked last has scored {n} of {all} answers.").format(n=scored, all=asked)
    if run.claim.state == RunState.FAILED and run.error:
        return f"{told} {sentences.say(str(run.error.get('error_code')), run.error.get('params') or {})}"
    return told


def planned(experiment: Experiment) -> str:
    """What the planned sample can find, going by what the target does anyway; nothing before it has done enough."""
    known = None if experiment.state == ExperimentState.STOPPED else evidence.baseline(experiment)
    if known is None or not known.error:
        return ""
    metric = METRICS[experiment.metric]
    said = gettext(
        "In the last {days} days “{metric}” was {value}, over {units} units. Two arms of {minimum} units find a"
        " difference of {found} in four of five cases; half of that takes four times as many."
    )
    told = said.format(
        days=evidence.BASELINE_DAYS,
        metric=wording.title(metric),
        value=wording.value(metric, known.value),
        units=known.n,
        minimum=experiment.minimum,
        found=wording.change(metric, intervals.found_by(known, experiment.minimum)).lstrip("+"),
    )
    if metric.form != "share" or not 0 < known.value < 1:
        return told
    halved = gettext("To see it halved takes {n} units of each arm, if each is asked once.")
    return f"{told} {halved.format(n=intervals.needed(known.value, known.value / 2))}"


def row(outcome: Outcome, plot: plots.Plot | None) -> Row:
    metric = outcome.metric
    cells = [
        {
            "arm": reading.arm.name,
            "figure": wording.value(metric, reading.estimate.value) if reading.estimate else "—",
            "n": reading.estimate.n if reading.estimate else 0,
            "difference": wording.difference(metric, reading.difference) if reading.difference else "",
            "verdict": wording.verdict(reading.verdict),
            "mood": reading.verdict.value if reading.verdict else "control",
        }
        for reading in outcome.readings
    ]
    return Row(metric, wording.title(metric), cells, plot)


def cautions(experiment: Experiment, deed: str) -> list[str]:
    """What speaks against deciding it now."""
    found = []
    slot = experiment.prompt_id
    if slot and (number := prompts.override_of(slot)):
        said = gettext("The environment sets version {number} ({name}). It wins, until it is taken out there.")
        found.append(said.format(number=number, name=prompts.override_name(slot)))
    if experiment.state in OPEN_EXPERIMENTS and (problem := problem_of(experiment)):
        found.append(problem)
    if deed in {"stop", "promote"} and experiment.plans:
        filled = outcomes.filled(experiment, list(experiment.arms.all()))
        early = [each for each in filled if each.arm.is_open and each.units < experiment.minimum]
        if early:
            fewest = min(each.units for each in early)
            said = gettext(
                "The smallest arm has {n} of {minimum} units. Who stops as soon as a difference shows finds differences"
                " that are none."
            )
            found.append(said.format(n=fewest, minimum=experiment.minimum))
    return found


def problem_of(experiment: Experiment) -> str:
    """Why it could not be started: not yet, or not any more as it stands."""
    try:
        lifecycle.check(experiment)
    except ScriptoriumError as error:
        return sentences.say(error.code, error.params)
    return ""
