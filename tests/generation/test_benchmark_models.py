"""`manage.py benchmark_models`: what agents are really asked, put to several models, and what came of it."""

import io
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from generation import prompts
from generation.benchmark_figures import repeated, slowest
from generation.carrier import Carrier
from generation.llm.prices import PRICES, price
from generation.models import Agent, Call
from memory.base.database import db as in_database
from tests import instructions
from tests.generation.conftest import Demo, Start, ended
from tests.people import People


@pytest.fixture
def instructed(db: None, demo: Demo) -> None:
    instructions.give()


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("benchmark_models", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def results(*arguments: str) -> list[dict[str, Any]]:
    return list(orjson.loads(run(*arguments, "--json")[0]))


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo model costs something."""
    monkeypatch.setitem(PRICES, "demo:dear", price("1000", "1000", "1000"))


def test_each_slot_of_an_agent_is_put_to_each_model_of_its_chain(instructed: None, demo: Demo) -> None:
    Agent.objects.filter(name="planner").update(chain=["demo:demo", "demo:second"])
    out, err = run("--agent", "planner", "--rounds", "2")
    slots = [prompt.slot for prompt in prompts.files() if prompt.agent == "planner"]
    for slot in slots:
        assert slot in out
    assert out.count("demo:second") == len(slots) >= 4
    assert out.count("100 %") == 2 * len(slots)
    assert "$0.000000" in out
    assert f"0 of {len(slots)} slots filled as for a person" in out
    assert "cut*" in out
    assert "Proxies" in out
    assert demo.stats()["requests"] == 4 * len(slots)
    assert not Call.objects.exists()


def test_every_slot_of_the_house_can_be_asked_with_samples(instructed: None) -> None:
    found = results("--rounds", "1")
    assert {each["slot"] for each in found} == {prompt.slot for prompt in prompts.files()}
    assert {each["answered"] for each in found} == {1}
    assert all(each["total_ms_p50"] >= each["first_word_ms_p50"] for each in found)


def test_a_model_that_fails_is_compared_too(instructed: None) -> None:
    good, bad = results("--agent", "writer", "--model", "demo:demo", "--model", "demo:fault-401", "--rounds", "1")[:2]
    assert (good["model"], good["answered"], good["errors"]) == ("demo:demo", 1, {})
    assert (bad["answered"], bad["errors"], bad["proxy_words"]) == (0, {"model.unauthorised": 1}, None)
    assert (bad["tokens_in"], bad["cost_usd"]) == (0, 0)
    out, _ = run("--agent", "writer", "--model", "demo:fault-401", "--rounds", "1")
    assert "The provider does not accept the key." in out


def test_an_answer_that_runs_into_its_limit_is_a_proxy(instructed: None) -> None:
    (only,) = results("--agent", "graphviz", "--model", "demo:fault-length", "--rounds", "1")
    assert (only["answered"], only["proxy_cut"]) == (0, 1)


async def test_a_question_is_filled_as_it_was_for_a_person_unless_that_is_not_wanted(
    carrier: Carrier, start: Start, demo: Demo
) -> None:
    await ended(await start(brief="Three sections on the tides of Brittany."))
    demo.set(rules=[{"contains": "the tides of Brittany", "content": "Tides."}])
    mine = await in_database(results, "--agent", "writer", "--rounds", "1")
    words = {each["slot"]: each["proxy_words"] for each in mine}
    assert words["note/section"] == 1
    assert words["course/lesson"] > 1
    others = await in_database(results, "--agent", "writer", "--rounds", "1", "--samples")
    assert {each["slot"]: each["proxy_words"] for each in others}["note/section"] > 1


def test_what_costs_is_asked_about_first(instructed: None, dear: None, demo: Demo) -> None:
    with pytest.raises(CommandError, match="Say --yes"):
        run("--agent", "writer", "--model", "demo:dear")
    assert demo.stats()["requests"] == 0
    found = results("--agent", "writer", "--model", "demo:dear", "--rounds", "1", "--yes")
    assert all(each["cost_usd"] > 0 for each in found)


def test_on_a_terminal_one_may_say_no(
    instructed: None, dear: None, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _question: "n")
    with pytest.raises(CommandError, match="Nothing was asked"):
        run("--agent", "writer", "--model", "demo:dear")
    assert demo.stats()["requests"] == 0
    monkeypatch.setattr("builtins.input", lambda _question: "y")
    assert "$" in run("--agent", "writer", "--model", "demo:dear", "--rounds", "1")[0]


def test_an_unknown_price_is_unknown_and_asked_about(instructed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PRICES, "demo:*")
    with pytest.raises(CommandError, match="Say --yes"):
        run("--agent", "writer", "--model", "demo:new")
    assert {each["cost_usd"] for each in results("--agent", "writer", "--rounds", "1", "--yes")} == {None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--agent", "nobody"), "There is no agent nobody"),
        (("--model", "nonsense"), "cannot be read"),
        (("--rounds", "0"), "--rounds takes"),
        (("--agent", "tactical"), "No prompt names these agents"),
    ],
)
def test_what_does_not_fit_is_said(instructed: None, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)


def test_lines_that_stood_there_before_are_counted() -> None:
    line = "A line that is long enough to count."
    assert repeated(f"{line}\n{line}\nAnother line that is long enough.\nShort.\nShort.") == pytest.approx(1 / 3)
    assert repeated("") == 0


def test_of_few_times_the_slowest_is_told() -> None:
    assert (slowest([]), slowest([7]), slowest([1, 9])) == (None, 7, 9)


def test_people_are_not_needed(people: People, instructed: None) -> None:
    assert results("--agent", "closing", "--agent", "analyst", "--rounds", "1")
