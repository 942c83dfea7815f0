"""The check of a chain: each model is asked two tiny questions, and what it can do is told."""

import io
from html import unescape
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from generation import chain_check
from generation.llm.values import Timeouts
from generation.models import Agent, Call
from memory.models import User
from tests import instructions
from tests.generation.conftest import Demo, forget_pauses
from tests.people import People, staff
from tests.rest import Rest, told

pytestmark = pytest.mark.django_db

ALL = ["reachable", "streams", "schema", "tools", "usage", "price"]


@pytest.fixture
def keeper(people: People, demo: Demo) -> User:
    instructions.give()
    return staff("keeper", "view_agent", "change_agent")


def give(*models: str, agent: str = "writer") -> None:
    Agent.objects.filter(name=agent).update(chain=list(models))


def check(keeper: User, agent: str = "writer") -> dict[str, Any]:
    answer = Rest(keeper).post(f"agents/{agent}/check")
    assert answer.status_code == 200
    return dict(answer.json())


def aspects(checked: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["holds"] for each in checked["aspects"]}


def codes(checked: dict[str, Any]) -> set[str]:
    return {each["error"]["error_code"] for each in checked["aspects"] if each["error"]}


def post(user: User, agent: str = "writer") -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/admin/generation/agent/{agent}/check/")


def commanded(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_models", *arguments, stdout=out)
    return int(end.value.code or 0), out.getvalue()


def test_a_good_model_can_do_everything(keeper: User, demo: Demo) -> None:
    done = check(keeper)
    (only,) = done["models"]
    assert (only["model"], only["is_good"], done["is_good"]) == ("demo:demo", True, True)
    assert aspects(only) == dict.fromkeys(ALL, True)
    assert (only["cost_usd"], done["cost_usd"]) == (0, 0)
    assert only["first_word_ms"] >= 0
    assert demo.stats()["requests"] == 2, "two tiny questions"


def test_it_leaves_no_call_and_no_mark_of_the_breaker(keeper: User) -> None:
    give("demo:fault-500")
    for _ in range(4):
        check(keeper)
    assert not Call.objects.exists()
    (first, *_rest) = Rest(keeper).get("models/health").json()["models"]
    assert {each["rests_for"] for each in Rest(keeper).get("models/health").json()["models"]} == {0}
    assert first["verdict"] == "not_asked"


def test_each_model_of_the_chain_is_asked_and_told_apart(keeper: User) -> None:
    give("demo:fault-401", "demo:demo", "mistral:large", "demo:demo")
    done = check(keeper)
    dead, good, unknown = done["models"]
    assert [each["model"] for each in done["models"]] == ["demo:fault-401", "demo:demo", "mistral:large"]
    assert (done["is_good"], good["is_good"]) == (False, True)
    assert aspects(dead) == {"reachable": False, **dict.fromkeys(ALL[1:5], None), "price": True}
    assert codes(dead) == {"model.unauthorised"}
    assert codes(unknown) == {"model.unknown_provider"}
    assert aspects(unknown)["price"] is False
    assert unknown["cost_usd"] is None


@pytest.mark.parametrize(
    ("model", "wrong", "code"),
    [
        ("demo:fault-bad-schema", {"schema": False}, "model.not_as_asked"),
        ("demo:fault-tool-garbage", {"reachable": True, "tools": False}, "model.tool_arguments"),
        ("demo:fault-reset", {"reachable": False}, "model.reset"),
        ("demo:fault-cut", {"reachable": True, "streams": None}, "model.cut"),
        ("demo:fault-html", {"reachable": False}, "model.not_a_stream"),
    ],
)
def test_what_a_model_cannot_do_is_told_with_its_reason(
    keeper: User, model: str, wrong: dict[str, Any], code: str
) -> None:
    give(model)
    (only,) = check(keeper)["models"]
    assert wrong.items() <= aspects(only).items()
    assert code in codes(only)
    assert not only["is_good"]


def test_a_model_that_never_begins_is_given_up_soon(keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_check, "TIMEOUTS", Timeouts(connect=1, first_token=0.2, idle=0.2, total=1))
    give("demo:fault-hang")
    assert codes(check(keeper)["models"][0]) == {"model.first_token"}


# --- the page


def test_the_page_of_an_agent_has_a_button_and_its_answer_is_a_page(keeper: User) -> None:
    give("demo:fault-401", "demo:demo")
    client = Client()
    client.force_login(keeper)
    shown = unescape(client.get("/admin/generation/agent/writer/change/").content.decode())
    assert 'action="/admin/generation/agent/writer/check/"' in shown
    assert "note/section" in shown
    asked = client.get("/admin/generation/agent/writer/check/").content.decode()
    assert "two tiny questions" in asked
    answer = unescape(post(keeper).content.decode())
    assert "The first choice cannot do all that is asked of it." in answer
    assert "The provider does not accept the key." in answer
    assert "This cost $0.000000." in answer
    give("demo:demo")
    assert "The first choice can do all that is asked of it." in post(keeper).content.decode()


def test_while_one_check_runs_another_is_refused_in_words(keeper: User) -> None:
    with chain_check.alone():
        assert "Models are being checked already." in post(keeper).content.decode()
        assert told(Rest(keeper).post("agents/writer/check")) == (409, "conflict.check_running")
    assert check(keeper)["is_good"]


def test_a_chain_that_names_no_model_is_said(keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "nonsense")
    assert "The models of writer cannot be read." in post(keeper).content.decode()
    assert told(Rest(keeper).post("agents/writer/check")) == (422, "validation.chain")
    assert told(Rest(keeper).post("agents/nobody/check")) == (404, "not_found.agent")


def test_who_may_not_change_an_agent_may_not_spend_on_it(keeper: User, people: People, demo: Demo) -> None:
    reader = staff("reader", "view_agent")
    assert post(people.stranger).status_code == 302
    assert post(reader).status_code == 403
    assert told(Rest(people.owner).post("agents/writer/check")) == (403, "permission.staff")
    assert told(Rest(reader).post("agents/writer/check")) == (403, "permission.right")
    shown = people.client(reader).get("/admin/generation/agent/writer/change/").content.decode()
    assert "writer/check/" not in shown
    assert demo.stats()["requests"] == 0


# --- the command


def test_the_command_tells_all_agents_and_ends_well(keeper: User, demo: Demo) -> None:
    code, out = commanded()
    assert code == 0
    assert "demo:demo" in out
    assert demo.stats()["requests"] == 2, "18 agents, one model"


def test_the_command_ends_with_1_when_a_first_choice_fails(keeper: User) -> None:
    give("demo:fault-401", "demo:demo")
    code, out = commanded("writer", "planner")
    assert code == 1
    assert "writer: its first choice demo:fault-401 is not good." in out
    assert "planner: its" not in out
    assert commanded("planner")[0] == 0
    give("demo:demo", "demo:fault-401")
    assert commanded("writer")[0] == 0, "a later choice may fail"


def test_the_command_speaks_json_and_names_who_is_unknown(keeper: User) -> None:
    code, out = commanded("writer", "--json")
    assert (code, orjson.loads(out)[0]["agent"]) == (0, "writer")
    with pytest.raises(CommandError, match="There is no agent nobody"):
        call_command("check_models", "nobody")


def test_pauses_of_others_do_not_matter(keeper: User) -> None:
    forget_pauses()
    assert check(keeper)["is_good"]
