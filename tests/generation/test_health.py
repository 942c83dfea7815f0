"""The health of models: a first choice that does not answer is seen within the hour, whoever answers in its place."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from generation.carrier import Carrier
from generation.models import Agent, Call, RunState
from memory.base.database import db as in_database
from memory.base.ids import new_id
from memory.models import User
from tests import instructions
from tests.generation.conftest import Demo, Start, ended, forget_pauses
from tests.people import People, staff
from tests.rest import Rest, told

HEALTH = "/admin/generation/agent/health/"
BRIEF = "Four sections on loops in Python."


def page(user: User, path: str = HEALTH, **headers: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def of(user: User, model: str) -> dict[str, Any]:
    """What REST says of a model."""
    answer = Rest(user).get("models/health")
    assert answer.status_code == 200
    return next(each for each in answer.json()["models"] if each["model"] == model)


@pytest.fixture
def keeper(people: People) -> User:
    instructions.give()
    forget_pauses()
    return staff("keeper", "view_agent", "change_agent")


@pytest.fixture
def call(people: People) -> Any:
    """A call as the engine leaves it."""

    def make(model: str = "demo:demo", state: str = "done", code: str = "", **facts: Any) -> Call:
        provider, _, name = model.partition(":")
        ago = facts.pop("ago", timedelta(minutes=5))
        at = timezone.now() - ago
        known: dict[str, Any] = {
            "workspace": people.workspace,
            "user": people.owner,
            "step": "outline",
            "attempt": 1,
            "epoch": 1,
            "reason": "first",
            "agent": "writer",
            "first_token_ms": 100 if state == "done" else None,
            "duration_ms": 1_000,
            "error": {"error_code": code, "params": {}} if code else None,
        }
        return Call.objects.create(
            id=new_id(), provider=provider, model=name, state=state, created_at=at, settled_at=at, **known | facts
        )

    return make


# --- a chain whose first model always fails


async def test_a_dead_first_choice_is_named_with_who_answers_instead(
    carrier: Carrier, start: Start, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "demo:fault-401, demo:second")
    assert (await ended(await start(brief=BRIEF))).state == RunState.DONE
    keeper = await sync_to_async(staff)("keeper", "view_agent")
    shown = await in_database(page, keeper)
    first = shown.index("demo:fault-401")
    assert "is dead." in shown[first : first + 300]
    assert "demo:second answered in its place 4 times." in shown[first : first + 600]
    assert "The provider does not accept the key." in shown
    assert "first choice of Writer" in shown
    assert first < shown.index("demo:second") < shown.index("demo:demo")
    told = await in_database(of, keeper, "demo:fault-401")
    assert (told["verdict"], told["answered"], told["failed"], told["failed_in_a_row"]) == ("dead", 0, 4, 4)
    assert told["last_error"]["error_code"] == "model.unauthorised"
    assert told["first_choice_of"] == ["writer"]
    second = await in_database(of, keeper, "demo:second")
    assert (second["verdict"], second["answered"], second["later_choice_of"]) == ("well", 4, ["writer"])
    for path in ("", "writer/change/"):
        beside = await in_database(page, keeper, f"/admin/generation/agent/{path}")
        assert "is dead." in beside
        assert "demo:second answered in its place 4 times." in beside
    assert "is dead." not in await in_database(page, keeper, "/admin/generation/agent/planner/change/")


async def test_one_that_is_skipped_because_it_rests_still_shows(
    carrier: Carrier, start: Start, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skipped, it makes no call: the answers of the others tell."""
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "demo:fault-500, demo:second")
    assert (await ended(await start(brief=BRIEF))).state == RunState.DONE
    keeper = await sync_to_async(staff)("keeper", "view_agent")
    before = await in_database(of, keeper, "demo:fault-500")
    assert before["rests_for"] > 0
    assert (await ended(await start(brief=BRIEF))).state == RunState.DONE
    after = await in_database(of, keeper, "demo:fault-500")
    assert (after["verdict"], after["failed"]) == ("dead", before["failed"])
    assert [(one["model"], one["times"]) for one in after["instead"]] == [("demo:second", 8)]
    shown = await in_database(page, keeper)
    assert "demo:second answered in its place 8 times." in shown
    assert "s more" in shown or "one more failure and it rests again" in shown


@pytest.mark.django_db
def test_a_first_choice_that_was_only_ever_skipped_is_dead(keeper: User, call: Any) -> None:
    Agent.objects.filter(name="writer").update(chain=["demo:gone", "demo:second"])
    call("demo:second", reason="next_model")
    told = of(keeper, "demo:gone")
    assert (told["verdict"], told["failed"], told["instead"][0]["times"]) == ("dead", 0, 1)
    assert "demo:second answered in its place once." in page(keeper)


async def test_who_answers_at_its_second_try_answers_in_its_place_too(
    carrier: Carrier, start: Start, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "demo:fault-401, demo:fault-500-x1")
    assert (await ended(await start(brief=BRIEF))).state == RunState.DONE
    keeper = await sync_to_async(staff)("keeper", "view_agent")
    told = await in_database(of, keeper, "demo:fault-401")
    assert [(one["model"], one["times"]) for one in told["instead"]] == [("demo:fault-500-x1", 4)]
    second = await in_database(of, keeper, "demo:fault-500-x1")
    assert (second["verdict"], second["answered"], second["instead"]) == ("ailing", 4, [])


async def test_a_chain_that_was_changed_since_does_not_hide_who_failed(
    carrier: Carrier, start: Start, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "demo:fault-401, demo:second")
    assert (await ended(await start(brief=BRIEF))).state == RunState.DONE
    monkeypatch.delenv("AGENT_WRITER_CHAIN")
    keeper = await sync_to_async(staff)("keeper", "view_agent")
    told = await in_database(of, keeper, "demo:fault-401")
    assert (told["verdict"], told["first_choice_of"], told["instead"][0]["times"]) == ("dead", [], 4)
    shown = await in_database(page, keeper)
    assert "in no chain now" in shown
    assert "is dead." not in shown, "nobody's first choice"
    assert (await in_database(of, keeper, "demo:demo"))["instead"] == []


@pytest.mark.django_db
def test_a_model_whose_provider_is_not_set_up_is_dead_before_anybody_asks(keeper: User) -> None:
    Agent.objects.filter(name="writer").update(chain=["mistral:large", "demo:demo"])
    told = of(keeper, "mistral:large")
    assert (told["verdict"], told["last_error"]["error_code"]) == ("dead", "model.unknown_provider")
    assert "There is no provider mistral." in page(keeper)


# --- verdicts


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ("+++++", "well"),
        ("+++++++++-", "well"),
        ("+++-", "ailing"),
        ("-", "ailing"),
        ("--", "ailing"),
        ("---", "dead"),
        ("+---", "ailing"),
        ("++-----", "dead"),
        ("-----+", "ailing"),
        ("rrrrrr", "ailing"),
        ("++xxx", "well"),
    ],
)
def test_the_verdict_goes_by_how_its_calls_ended(keeper: User, call: Any, ends: str, verdict: str) -> None:
    """+ answered, - failed, r refused the question, x was broken off from outside."""
    kinds = {
        "+": ("done", ""),
        "-": ("failed", "model.server_error"),
        "r": ("failed", "model.refusal"),
        "x": ("failed", "internal.CancelledError"),
    }
    for n, end in enumerate(ends):
        state, code = kinds[end]
        call("demo:demo", state, code, ago=timedelta(minutes=30 - n))
    assert of(keeper, "demo:demo")["verdict"] == verdict


@pytest.mark.django_db
def test_times_are_told_of_the_middle_one_and_of_the_slowest(keeper: User, call: Any) -> None:
    for n in range(1, 22):
        call("demo:demo", duration_ms=n * 1_000, first_token_ms=n * 10)
    told = of(keeper, "demo:demo")
    assert told["duration_ms"] == {"p50": 11_000, "p95": 20_000}
    assert told["first_word_ms"] == {"p50": 110, "p95": 200}
    shown = page(keeper)
    assert "11.0\u00a0s" in shown
    assert "110\u00a0ms" in shown


@pytest.mark.django_db
def test_what_is_older_than_an_hour_is_forgotten(keeper: User, call: Any) -> None:
    call("demo:demo", "failed", "model.server_error", ago=timedelta(minutes=61))
    assert of(keeper, "demo:demo")["verdict"] == "not_asked"


@pytest.mark.django_db
def test_nobody_asked_is_said(keeper: User) -> None:
    shown = page(keeper)
    assert "No model has answered or failed in this hour" in shown
    assert "not asked" in shown
    assert "first choice of 18 agents" in shown


@pytest.mark.django_db
def test_without_redis_the_page_says_so(keeper: User, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "Redis does not answer" in page(keeper)
    answer = Rest(keeper).get("models/health").json()
    assert answer["knows_rests"] is False
    assert "Redis does not answer" in page(keeper, "/admin/generation/agent/writer/change/")


@pytest.mark.django_db
def test_a_chain_that_names_no_model_is_said(keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "nonsense")
    assert "The models of writer cannot be read." in page(keeper)
    assert Rest(keeper).get("models/health").json()["unreadable"] == ["writer"]
    assert page(keeper, "/admin/generation/agent/writer/change/")


# --- the page


@pytest.mark.django_db
def test_the_page_asks_for_itself_again(keeper: User) -> None:
    shown = page(keeper)
    assert 'hx-trigger="every 15s"' in shown
    assert '<meta http-equiv="refresh" content="30">' in shown


@pytest.mark.django_db
def test_it_speaks_french(keeper: User, call: Any) -> None:
    for _ in range(3):
        call("demo:demo", "failed", "model.server_error")
    shown = page(keeper, **{"accept-language": "fr"})
    assert '<html lang="fr"' in shown
    assert "Le fournisseur" in shown


@pytest.mark.django_db
def test_many_calls_ask_no_more_questions_of_the_database(
    keeper: User, call: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(30):
        call(f"demo:{n}", "failed" if n % 2 else "done", "model.reset" if n % 2 else "", reason="next_model")
    client = Client()
    client.force_login(keeper)
    with django_assert_max_num_queries(8):
        assert client.get(HEALTH).status_code == 200


@pytest.mark.django_db
def test_an_agents_page_names_the_slots_that_name_it(keeper: User, demo: Demo) -> None:
    assert "No prompt names this agent." in page(keeper, "/admin/generation/agent/tactical/change/")


# --- who may


@pytest.mark.django_db
def test_strangers_and_staff_without_the_right_see_nothing(keeper: User, people: People) -> None:
    other = staff("other")
    assert people.client(people.stranger).get(HEALTH).status_code == 302
    assert people.client(other).get(HEALTH).status_code == 403
    assert told(Rest(people.owner).get("models/health")) == (403, "permission.staff")
    assert told(Rest(other).get("models/health")) == (403, "permission.right")
    assert "Health of models" not in page(other, "/admin/")
    assert "Health of models" in page(keeper, "/admin/")


def test_staff_sees_what_searches_the_web(keeper: User, settings: Settings) -> None:
    settings.WEB_SEARCH = "none"
    assert "Web search: not configured." in page(keeper)
    settings.WEB_SEARCH, settings.SEARXNG_URL = "searxng", "https://who:secret@searx.example:8443/engine"
    assert "Web search: SearXNG at searx.example:8443." in page(keeper)
    assert "secret" not in page(keeper)
    settings.WEB_SEARCH, settings.TAVILY_API_KEY = "tavily", "tvly-CANARY"
    assert "Web search: Tavily at api.tavily.com." in page(keeper)
    assert "CANARY" not in page(keeper)
