"""Experiments in the admin: designed on a form, watched with tables and plots, decided by one button and a reason."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import DjangoAssertNumQueries

from generation import prompts
from generation.experiments import intervals, plots, wording
from generation.experiments.intervals import Difference, Estimate
from generation.experiments.metrics import METRICS
from generation.models import Decision, Experiment, ExperimentState, PromptVersion, Run, Unit
from memory.models import User
from tests.generation.experiments.conftest import SLOT, Compare, a_run, versions
from tests.people import People, staff
from tests.things import a_call, fill_the_arms

PLACE = "/admin/generation/experiment/"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def page(user: User, path: str) -> str:
    answer = client_of(user).get(f"{PLACE}{path}")
    assert answer.status_code == 200, answer
    return unescape(answer.content.decode())


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(user: User, path: str, form: dict[str, Any]) -> Any:
    return client_of(user).post(f"{PLACE}{path}", form)


def form(**changes: Any) -> dict[str, Any]:
    versions(2)
    first, second = (PromptVersion.objects.get(prompt=SLOT, number=n).pk for n in (1, 2))
    arms: dict[str, Any] = {"arms-TOTAL_FORMS": 2, "arms-INITIAL_FORMS": 0}
    arms |= {"arms-0-name": "control", "arms-0-version": first, "arms-0-share": 1, "arms-0-is_control": "on"}
    arms |= {"arms-1-name": "more", "arms-1-version": second, "arms-1-share": 1}
    facts = {"title": "More words", "prompt": SLOT, "agent": "", "unit": "run", "metric": "success"}
    return {**facts, "guards": ["cost"], "minimum": 50, **arms, **changes}


def test_an_experiment_is_designed_on_a_form_and_started_with_a_reason(keeper: User) -> None:
    assert "selected" in page(keeper, f"add/?prompt={SLOT}")
    made = post(keeper, "add/", form())
    assert made.status_code == 302, made.content
    experiment = Experiment.objects.get()
    assert (experiment.state, experiment.created_by, experiment.guards) == ("draft", keeper, ["cost"])
    assert [(arm.name, arm.is_control) for arm in experiment.arms.all()] == [("control", True), ("more", False)]
    draft = page(keeper, f"{experiment.pk}/change/")
    assert f"{experiment.pk}/start/now/" in draft
    assert "It cannot be started yet." not in draft
    post(keeper, f"{experiment.pk}/start/now/", {"reason": "to see"})
    experiment.refresh_from_db()
    assert experiment.state == ExperimentState.RUNNING
    running = page(keeper, f"{experiment.pk}/change/")
    assert "Nothing is said of differences before each arm has 50 units." in running
    assert 'name="_save"' not in running
    assert "draft → running" in running


def test_a_form_says_what_is_wrong_and_keeps_what_was_typed(keeper: User) -> None:
    both = post(keeper, "add/", form(agent="planner"))
    told = unescape(both.content.decode())
    assert "An experiment is about one prompt or one agent." in told
    assert "More words" in told
    assert Experiment.objects.count() == 0


def test_a_draft_says_why_it_cannot_be_started(keeper: User) -> None:
    post(keeper, "add/", form(**{"arms-0-is_control": ""}))
    experiment = Experiment.objects.get()
    draft = page(keeper, f"{experiment.pk}/change/")
    assert "An experiment has 2 to 4 arms, one of them its control." in draft
    assert f"{experiment.pk}/start/now/" not in draft
    told = post(keeper, f"{experiment.pk}/start/now/", {"reason": "to see"}).content.decode()
    assert "An experiment has 2 to 4 arms, one of them its control." in told


def test_a_chain_is_written_as_a_line(keeper: User) -> None:
    arms = {f"arms-{n}-version": "" for n in (0, 1)}
    arms |= {"arms-0-chain": "demo:a, demo:b", "arms-1-chain": "demo:c"}
    post(keeper, "add/", form(prompt="", agent="planner", **arms))
    experiment = Experiment.objects.get()
    assert [arm.chain for arm in experiment.arms.all()] == [["demo:a", "demo:b"], ["demo:c"]]
    assert "demo:a, demo:b" in page(keeper, f"{experiment.pk}/change/")


def test_a_page_shows_arms_figures_verdicts_and_plots(compare: Compare, keeper: User, run: Run) -> None:
    experiment = compare(1, 1, minimum=60, guards=["latency"])
    fill_the_arms(experiment, run, 60)
    shown = page(keeper, f"{experiment.pk}/change/")
    assert 'data-mood="better"' in shown
    assert re.search(r"\+\d[\d.]* points \(from \+\d[\d.]* to \+\d[\d.]*\)", shown)
    assert shown.partition("<details>")[0].count("<svg viewBox") == 2
    assert shown.count('class="band"') == 2 * shown.count("<svg viewBox") > 10
    assert "Nothing is said of differences" not in shown
    assert "The arms are not filled as planned." not in shown
    assert "NaN" not in shown


def test_a_draft_says_what_its_sample_can_find(compare: Compare, keeper: User, people: People) -> None:
    experiment = compare(1, 1, unit=Unit.RUN, is_started=False)
    place = f"{experiment.pk}/change/"
    assert "find a difference of" not in page(keeper, place)
    standing = prompts.current(SLOT)
    for n in range(10):
        run = a_run(people.owner, people.workspace)
        a_call(run, None, prompt_version=standing, state="failed" if n < 2 else "done", tokens_in=1, tokens_out=1)
    assert "“success” was 80.0%, over 10 units. Two arms of 100 units find a difference of 16.7 points" in page(
        keeper, place
    )
    assert "To see it halved takes 20 units of each arm" in page(keeper, place)
    Experiment.objects.filter(pk=experiment.pk).update(unit=Unit.USER)
    assert "find a difference of" not in page(keeper, place)  # all of them are one person's


def test_a_page_of_many_units_asks_little(
    compare: Compare, keeper: User, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    experiment = compare(1, 1)
    fill_the_arms(experiment, run, 100)
    client = client_of(keeper)
    with django_assert_max_num_queries(30):
        assert client.get(f"{PLACE}{experiment.pk}/change/").status_code == 200


def test_arms_that_are_filled_unevenly_are_told_loudly(compare: Compare, keeper: User, run: Run) -> None:
    experiment = compare(1, 1)
    fill_the_arms(experiment, run, 80)
    experiment.plans = [{"control": 1, "more": 9}]
    experiment.save()
    assert "The arms are not filled as planned." in page(keeper, f"{experiment.pk}/change/")


def test_each_decision_is_one_button_with_a_reason(compare: Compare, keeper: User) -> None:
    experiment = compare(1, 1)
    arm = experiment.arms.get(name="more")
    place = f"{experiment.pk}/arms"
    assert "The smallest arm has 0 of 100 units." in page(keeper, f"{place}/{arm.pk}/promote/")
    third = PromptVersion.objects.get(prompt=SLOT, number=versions(3))
    added = {"name": "most", "share": 1, "version": third.pk, "reason": "a third"}
    assert post(keeper, f"{place}/add/", added).status_code == 302
    most = experiment.arms.get(name="most")
    assert post(keeper, f"{place}/{most.pk}/close/", {"reason": "too much"}).status_code == 302
    assert post(keeper, f"{experiment.pk}/pause/now/", {"reason": "wait"}).status_code == 302
    assert post(keeper, f"{place}/{arm.pk}/promote/", {"reason": "it wins"}).status_code == 302
    assert prompts.current(SLOT).number == 2
    shown = page(keeper, f"{experiment.pk}/change/")
    for said in ("a third", "too much", "wait", "it wins", "v1 → v2", "paused → stopped"):
        assert said in shown
    last = Decision.objects.filter(experiment=experiment)[0]
    assert f"decision/{last.pk}/undo/" in shown
    told = post(keeper, f"{experiment.pk}/stop/now/", {"reason": "again"}).content.decode()
    assert "This experiment does not run." in told


@pytest.mark.parametrize("path", ["{0}/nonsense/now/", "{0}/arms/{1}/nonsense/", "{1}/start/now/"])
def test_what_is_not_there_is_not_found(compare: Compare, keeper: User, path: str) -> None:
    experiment = compare(1, 1)
    arm = experiment.arms.get(name="more")
    assert client_of(keeper).get(f"{PLACE}{path.format(experiment.pk, arm.pk)}").status_code == 404


def test_who_may_only_look_decides_nothing_and_strangers_see_nothing(compare: Compare, people: People) -> None:
    experiment = compare(1, 1)
    viewer = staff("watcher", "view_experiment")
    shown = page(viewer, f"{experiment.pk}/change/")
    assert "Put in production…" not in shown
    arm = experiment.arms.get(name="more")
    for path in ("stop/now/", f"arms/{arm.pk}/promote/", f"arms/{arm.pk}/close/", "arms/add/"):
        assert client_of(viewer).get(f"{PLACE}{experiment.pk}/{path}").status_code == 403
        assert post(viewer, f"{experiment.pk}/{path}", {"reason": "mine"}).status_code == 403
    only = staff("only", "run_experiment", "view_experiment")
    assert client_of(only).get(f"{PLACE}{experiment.pk}/arms/{arm.pk}/promote/").status_code == 403
    assert client_of(people.stranger).get(f"{PLACE}{experiment.pk}/change/").status_code == 302
    experiment.refresh_from_db()
    assert (experiment.state, experiment.arms.filter(is_open=True).count()) == (ExperimentState.RUNNING, 2)


def test_an_override_is_visible_and_wins(compare: Compare, keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = compare(1, 1)
    monkeypatch.setenv("PROMPT_VERSION_NOTE_OUTLINE", "1")
    said = "The environment sets version 1 (PROMPT_VERSION_NOTE_OUTLINE). It wins"
    assert said in page(keeper, f"{experiment.pk}/change/")
    version = PromptVersion.objects.get(prompt=SLOT, number=2)
    answer = client_of(keeper).get(f"/admin/generation/promptversion/{version.pk}/production/")
    assert said in unescape(answer.content.decode())
    assert prompts.current(SLOT).number == 1


def test_the_page_speaks_french(compare: Compare, keeper: User, run: Run) -> None:
    experiment = compare(1, 1, minimum=40)
    fill_the_arms(experiment, run, 40)
    User.objects.filter(pk=keeper.pk).update(language="fr")
    client = client_of(keeper)
    client.cookies["django_language"] = "fr"
    shown = unescape(client.get(f"{PLACE}{experiment.pk}/change/", headers={"accept-language": "fr"}).content.decode())
    for said in ("Mettre en production…", "points (de", "Toutes les autres mesures", "unités"):
        assert said in shown


# --- figures in words and pictures


@pytest.mark.parametrize(
    ("metric", "amount", "said"),
    [
        ("success", 0.1234, "12.3%"),
        ("success", 0.0, "0%"),
        ("success", 1.0, "100%"),
        ("cost", 0.00123, "$0.0012"),
        ("latency", 432.4, "432 ms"),
        ("latency", 12_345.0, "12.3 s"),
        ("tokens", 1_234.5, "1,234"),
    ],
)
def test_figures_are_written_in_their_measure(metric: str, amount: float, said: str) -> None:
    assert wording.value(METRICS[metric], amount) == said


def test_differences_are_written_with_sign_and_interval() -> None:
    points = wording.difference(METRICS["success"], Difference(-0.06, -0.0983, -0.021))
    assert points == "−6.00 points (from −9.83 to −2.10)"
    slower = wording.difference(METRICS["latency"], Difference(1_500, 900, 2_100))
    assert slower == "+1.50 s (from +0.9000 to +2.10)"


def test_a_tick_has_no_places_that_say_nothing() -> None:
    assert [wording.tick(METRICS["success"], n) for n in (0.05, 0.5, 0.125)] == ["5%", "50%", "12.5%"]
    assert wording.tick(METRICS["tokens"], 2_000) == "2,000"


@pytest.mark.parametrize(("least", "step"), [(0.03, 0.05), (1, 1), (13, 20), (0.0007, 0.001), (600, 1000)])
def test_ticks_stand_at_round_values(least: float, step: float) -> None:
    assert plots.round_step(least) == pytest.approx(step)


def test_what_never_varied_is_found_by_no_sample() -> None:
    assert intervals.found_by(Estimate(0.5, 0.0, 10), 100) == 0
    assert intervals.found_by(Estimate(0.12, 0.0325, 100), 354) == pytest.approx(0.0684, abs=0.001)
