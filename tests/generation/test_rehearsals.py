"""Versions rehearsed: what they would send is seen beforehand, a model is asked without a trace, and who may what."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as house_settings
from django.test import AsyncClient, Client
from django.utils import timezone, translation
from django.utils.translation import gettext
from pytest_django.fixtures import Settings
from redis import Redis
from structlog.testing import capture_logs

from generation import prompts, rehearsals, runs, samples
from generation.models import Agent, Call, Document, Event, Prompt, PromptVersion, Run, Step
from generation.orders import Order
from generation.registry import recipe_of
from memory.base.database import db as in_database
from memory.models import User
from tests import instructions
from tests.generation.conftest import Demo
from tests.patience import PATIENCE_SECONDS
from tests.people import People, staff
from tests.rest import Rest, told

SLOT = "note/outline"
HOSTILE = "<script>window.__xss = 1</script>" * 3_200  # 100 kB
RIGHTS = ("view_promptversion", "add_promptversion")


@pytest.fixture
def furnished(people: People) -> People:
    instructions.give()
    return people


@pytest.fixture
def two(furnished: People) -> tuple[PromptVersion, PromptVersion]:
    """The one in production, and one that is tried."""
    return two_versions()


def two_versions() -> tuple[PromptVersion, PromptVersion]:
    old = prompts.current(SLOT)
    return old, prompts.add_version(old.prompt, old.text.replace("Plan the note.", "Plan a long note."))


def page_of(version: PromptVersion, door: str = "preview") -> str:
    return f"/admin/generation/promptversion/{version.id}/{door}/"


def look(user: User, version: PromptVersion, **form: Any) -> tuple[int, str]:
    """The page as it is opened, or as the form is sent."""
    client = Client()
    client.force_login(user)
    answer = client.post(page_of(version), whole(**form)) if form else client.get(page_of(version))
    return answer.status_code, unescape(answer.content.decode())


def whole(**form: Any) -> dict[str, Any]:
    """The form as a browser sends it."""
    variables = {"brief": "On loops.", "sources": "", "title": ""}
    known = {"do": "preview", "beside": "", "call": "", "variables": variables, "said": "", "agent": "planner"}
    filled = {**known, "model": "demo:demo", **form}
    given = filled["variables"]
    return {**filled, "variables": given if isinstance(given, str) else json.dumps(given)}


def sent(page: str) -> list[str]:
    return re.findall(r'(?s)<pre class="prompt-text" tabindex="0">(.*?)</pre>', page)


# --- samples


@pytest.mark.parametrize("file", prompts.files(), ids=lambda file: file.slot)
def test_the_sample_of_every_slot_has_all_its_variables_and_renders(file: prompts.PromptFile) -> None:
    prompt = Prompt(slot=file.slot, agent=file.agent, variables=list(file.variables))
    assert set(file.variables) <= set(samples.samples()[file.slot])
    version = PromptVersion(prompt=prompt, number=1, text=file.text)
    assert all(message.content for message in prompts.render(version, samples.of(prompt)).messages)


def test_what_nobody_wrote_a_sample_of_is_empty() -> None:
    assert samples.of(Prompt(slot="test/slot", variables=["whom"])) == {"whom": ""}


# --- the page


def test_a_version_is_seen_as_it_would_be_sent_beside_the_one_in_production(two: Any) -> None:
    old, new = two
    status, page = look(staff("clerk", RIGHTS[0]), new)
    assert status == 200
    assert len(sent(page)) == 4
    assert "A note for new colleagues" in sent(page)[1]
    assert "Plan a long note." in sent(page)[1]
    assert "Plan the note." in sent(page)[3]
    assert re.search(r"about \d+ tokens · demo:demo · \$0.0000 to ask, at most \$0.0000 with the answer", page)
    assert "<ins>a long</ins>" in page
    assert f"/promptversion/{old.id}/try/" in page
    assert "To try it against a model takes the right to write versions." in page
    assert 'value="try"' not in page


def test_the_version_in_production_stands_alone(two: Any) -> None:
    _, page = look(staff("clerk", *RIGHTS), two[0])
    assert len(sent(page)) == 2
    assert 'value="try"' in page


def test_the_slot_and_the_version_lead_there(two: Any) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("keeper", "keeper@example.org"))
    for page in (f"promptversion/{two[1].id}/change/", "prompt/note_2Foutline/change/"):
        shown = client.get(f"/admin/generation/{page}").content.decode()
        assert "Preview and try" in shown


def test_a_message_that_only_one_version_sends_is_told_as_such(furnished: People) -> None:
    old = prompts.current(SLOT)
    new = prompts.add_version(old.prompt, "[user]\n{{ brief }}{{ sources }}{{ title }}")
    _, page = look(staff("clerk", RIGHTS[0]), new)
    assert len(sent(page)) == 3
    assert re.search(r"(?s)<h4>user</h4>.*<del>", page[page.index("What differs") :])


def test_values_are_edited_before_they_are_rendered(two: Any) -> None:
    variables = {"brief": "On quokkas.", "sources": "", "title": "Quokkas"}
    _, page = look(staff("clerk", *RIGHTS), two[1], variables=variables, beside=str(two[0].id))
    assert [("On quokkas." in text, "called: Quokkas" in text) for text in sent(page)[1::2]] == [(True, True)] * 2


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ('{"brief": "typed, ', "This is not JSON."),
        ('["typed"]', "Variables are one JSON object"),
        ('{"brief": "typed", "sources": ""}', "Missing: title"),
        ('{"brief": "typed", "sources": "", "title": "", "whom": ""}', "too many: whom"),
        ('{"typed": ' + "[" * 100 + "]" * 100 + "}", "nested too deeply"),
    ],
)
def test_what_is_wrong_with_values_is_said_and_what_was_typed_stays(two: Any, variables: str, says: str) -> None:
    for do in ("preview", "try"):
        status, page = look(staff(f"clerk-{do}", *RIGHTS), two[1], variables=variables, do=do)
        assert status == 200
        assert says in page
        assert f"{variables}</textarea>" in page


def test_no_model_is_named_so(two: Any) -> None:
    _, page = look(staff("clerk", *RIGHTS), two[1], model="nonsense")
    assert "Write them as provider:model." in page
    assert sent(page) == []


def test_a_text_without_a_person_is_followed_by_what_one_says(furnished: People) -> None:
    version = prompts.current("agents/assistant")
    clerk = staff("clerk", *RIGHTS)
    _, page = look(clerk, version)
    assert "How long should a note be, and why?" in sent(page)[1]
    variables = samples.of(version.prompt)
    _, page = look(clerk, version, variables=variables, said="Hello there.", agent="assistant")
    assert sent(page)[1] == "Hello there."


def test_a_price_that_nobody_knows_is_said(two: Any) -> None:
    _, page = look(staff("clerk", *RIGHTS), two[1], model="openai:unheard-of")
    assert "price not known" in page
    _, page = look(staff("other", *RIGHTS), two[1], model="openai:gpt-5")
    assert re.search(r"\$0.0\d\d\d to ask, at most \$0.06", page)


def test_what_the_environment_says_is_shown(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPT_VERSION_NOTE_OUTLINE", "1")
    assert "PROMPT_VERSION_NOTE_OUTLINE" in look(staff("clerk", *RIGHTS), two[1])[1]


def test_a_hostile_text_is_shown_as_text(two: Any) -> None:
    client = Client()
    client.force_login(staff("clerk", *RIGHTS))
    variables = {"brief": HOSTILE, "sources": "", "title": "</pre><script>"}
    page = client.post(page_of(two[1]), whole(variables=variables, beside=str(two[0].id))).content.decode()
    assert "<script>window" not in page
    assert page.count("&lt;script&gt;window.__xss = 1&lt;/script&gt;") > 9_000


def test_it_is_read_in_french(two: Any) -> None:
    clerk = staff("clerk", *RIGHTS)
    clerk.language = "fr"
    clerk.save()
    client = Client(headers={"accept-language": "fr"})
    client.force_login(clerk)
    page = client.get(page_of(two[1]))
    assert page.headers["Content-Language"] == "fr"
    with translation.override("fr"):
        said = gettext("Back to the version")
    assert said != "Back to the version"
    assert said in unescape(page.content.decode())


def test_who_may_not_sees_nothing(two: Any, furnished: People) -> None:
    for user in (staff("nobody"), staff("other", "read_call")):
        assert look(user, two[1])[0] == 403
    assert look(furnished.owner, two[1])[0] == 302
    viewer = staff("viewer-of-versions", RIGHTS[0])
    assert look(viewer, two[1], do="try")[0] == 403
    client = Client()
    client.force_login(viewer)
    assert client.post(page_of(two[1], "try"), whole()).status_code == 403
    client.force_login(staff("clerk", *RIGHTS))
    assert client.get(page_of(two[1], "try")).status_code == 405
    assert client.post(page_of(two[1], "try"), whole(agent="nobody")).status_code == 422
    assert client.get(f"/admin/generation/promptversion/{uuid4()}/preview/").status_code == 404


# --- past calls


@pytest.fixture
def past(furnished: People) -> Call:
    return past_call(furnished, "Secret loops.")


def past_call(people: People, brief: str, **run_facts: Any) -> Call:
    order = Order("Three sections on loops.", title="Loops")
    run = runs.start(recipe_of("note"), order, user=people.owner, workspace=people.workspace)[0]
    Run.objects.filter(id=run.id).update(**run_facts)
    facts = {"attempt": 1, "epoch": 1, "reason": "first", "agent": "planner", "provider": "demo", "model": "demo"}
    return Call.objects.create(
        run=run,
        workspace=people.workspace,
        user=people.owner,
        step="outline",
        prompt_version=prompts.current(SLOT),
        messages=[{"role": "user", "content": brief}],
        variables={"brief": brief, "sources": "", "title": ""},
        **facts,
    )


def test_the_values_of_a_past_call_are_filled_in_and_it_is_said_whose_they_are(two: Any, past: Call) -> None:
    clerk = staff("clerk", *RIGHTS, "read_call")
    _, page = look(clerk, two[1])
    assert "a call of owner in “Scriptorium”" in page
    assert "Secret loops." not in page
    with capture_logs() as log:
        _, page = look(clerk, two[1], do="fill", call=str(past.id))
    assert "Secret loops." in sent(page)[1]
    assert "belongs to owner, in the workspace “Scriptorium”" in page
    assert {"event": "call_shown", "call": str(past.id), "by": str(clerk.pk)}.items() <= log[0].items()


def test_past_calls_take_a_right_of_their_own(two: Any, past: Call) -> None:
    clerk = staff("clerk", *RIGHTS)
    _, page = look(clerk, two[1])
    assert "a call of" not in page
    assert "The values of past calls are shown to those who may read what was sent to models." in page
    _, page = look(clerk, two[1], do="fill", call=str(past.id))
    assert "Secret loops." not in page
    assert told(Rest(clerk).post(f"prompts/{SLOT}/render", {"call": str(past.id)})) == (403, "permission.right")


def test_what_was_forgotten_or_said_in_private_is_offered_to_nobody(two: Any, furnished: People, past: Call) -> None:
    clerk = staff("clerk", *RIGHTS, "read_call")
    private = past_call(furnished, "Whispered.", is_private=True)
    Call.objects.filter(id=past.id).update(variables=None, messages=None)
    assert rehearsals.offered(two[0].prompt, clerk) == []
    for call in (past, private):
        assert told(Rest(clerk).post(f"prompts/{SLOT}/render", {"call": str(call.id)})) == (404, "not_found.call")
    furnished.owner.is_staff = furnished.owner.is_superuser = True
    furnished.owner.save()
    assert [call.id for call in rehearsals.offered(two[0].prompt, furnished.owner)] == [private.id]


# --- answers


@pytest.fixture
def clerk(house: People) -> User:
    return staff("clerk", *RIGHTS)


async def signed_in(user: User) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(user)
    return client


async def streamed(client: AsyncClient, version: PromptVersion, **form: Any) -> list[dict[str, str]]:
    answer: Any = await client.post(page_of(version, "try"), whole(do="try", **form))
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    return [part async for part in parts_of(answer)]


async def parts_of(answer: Any) -> AsyncIterator[dict[str, str]]:
    async for chunk in answer.streaming_content:
        for line in chunk.decode().splitlines():
            if line.startswith("data: "):
                yield json.loads(line[6:])


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in (Run, Call, Document, Step, Event)}


async def test_an_answer_comes_as_it_is_written_and_ends_with_its_figures(clerk: User, demo: Demo) -> None:
    version = await in_database(prompts.current, SLOT)
    demo.set(tokens_per_second=200)
    before = await in_database(rows)
    parts = await streamed(await signed_in(clerk), version)
    assert len(parts) > 5
    assert all("content" in part or "reasoning" in part for part in parts[:-1])
    assert "".join(part.get("content", "") for part in parts).strip()
    said = unescape(parts[-1]["html"])
    assert re.search(r"demo:demo · first word after \d+ ms · \d+ ms in all · \d+ tokens in, \d+ out", said)
    assert "$0.0000 · ended by “stop”" in said
    assert await in_database(rows) == before


async def test_two_versions_answer_at_the_same_time(clerk: User, demo: Demo) -> None:
    versions = await in_database(two_versions)
    client = await signed_in(clerk)
    demo.set(first_token_ms=1_000)
    beside = str(versions[0].id)
    asked = [asyncio.create_task(streamed(client, version, beside=beside)) for version in versions]
    until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while demo.stats()["in_flight"] < 2:
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.02)
    for parts in await asyncio.gather(*asked):
        assert parts[-1]["html"]


async def test_who_stops_reading_ends_the_request_to_the_provider(clerk: User, demo: Demo) -> None:
    version = await in_database(prompts.current, SLOT)
    demo.set(tokens_per_second=10)
    client = await signed_in(clerk)
    reading = asyncio.create_task(streamed(client, version))
    while not demo.stats()["in_flight"]:
        await asyncio.sleep(0.02)
    reading.cancel()
    await asyncio.wait([reading])
    until = asyncio.get_running_loop().time() + 2
    while demo.stats()["in_flight"]:
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0.02)
    assert demo.stats()["cut_by_client"] == 1


async def test_a_fault_is_told_in_words_and_asked_once(clerk: User, demo: Demo) -> None:
    version = await in_database(prompts.current, SLOT)
    demo.set(rules=[{"contains": "On loops.", "fault": "429"}])
    client = await signed_in(clerk)
    (end,) = await streamed(client, version)
    assert "The provider has too much to do." in end["html"]
    assert demo.stats()["requests"] == 1
    (end,) = await streamed(client, version, model="elsewhere:model")
    assert "There is no provider elsewhere." in end["html"]


async def test_without_a_script_the_whole_answers_stand_on_the_page(clerk: User, demo: Demo) -> None:
    old, new = await in_database(two_versions)
    before = await in_database(rows)
    client = await signed_in(clerk)
    form = whole(do="try", beside=str(old.id), variables={"brief": "On quokkas.", "sources": "", "title": ""})
    answer: Any = await client.post(page_of(new), form)
    page = b"".join([chunk async for chunk in answer.streaming_content]).decode()
    assert page.count("first word after") == 2
    assert "On quokkas." in page
    assert await in_database(rows) == before


async def test_what_it_used_is_in_the_log_and_counts_against_the_day(
    clerk: User, demo: Demo, settings: Settings
) -> None:
    version = await in_database(prompts.current, SLOT)
    client = await signed_in(clerk)
    with capture_logs() as log:
        await streamed(client, version)
    (line,) = [each for each in log if each["event"] == "prompt_tried"]
    assert {
        "by": str(clerk.pk),
        "slot": SLOT,
        "version": 1,
        "model": "demo:demo",
        "cost_usd": 0.0,
    }.items() <= line.items()
    with Redis.from_url(house_settings.REDIS_URL) as redis:
        (key,) = redis.keys(f"tries:{clerk.pk}:*")
        assert int(redis.hget(key, "tokens") or 0) == line["tokens_in"] + line["tokens_out"]
    settings.BUDGET_USER_DAY_TOKENS = 6_000  # less than a planner may write
    (end,) = await streamed(client, version)
    assert "Your budget for today is spent." in end["html"]
    assert demo.stats()["requests"] == 1
    settings.BUDGET_USER_DAY_TOKENS = 10_000
    assert len(await streamed(client, version)) > 1


async def test_calls_of_the_same_day_count_too(clerk: User, house: People, demo: Demo, settings: Settings) -> None:
    version = await in_database(prompts.current, SLOT)

    def spend() -> None:
        call = past_call(house, "Loops.")
        Call.objects.filter(id=call.id).update(user=clerk, state="done", tokens_in=9_000, created_at=timezone.now())

    await in_database(spend)
    settings.BUDGET_USER_DAY_TOKENS = 10_000
    client = await signed_in(clerk)
    (end,) = await streamed(client, version)
    assert "Your budget for today is spent." in end["html"]
    await in_database(lambda: Call.objects.update(created_at=timezone.now() - timedelta(days=2)))
    assert len(await streamed(client, version)) > 1


async def test_where_nothing_can_be_counted_nothing_is_asked(clerk: User, demo: Demo, settings: Settings) -> None:
    version = await in_database(prompts.current, SLOT)
    client = await signed_in(clerk)
    settings.REDIS_URL = "redis://127.0.0.1:1"
    (end,) = await streamed(client, version)
    assert "What tries cost cannot be counted now." in end["html"]
    assert demo.stats()["requests"] == 0


# --- REST


def test_a_program_sees_what_would_be_sent(two: Any) -> None:
    rest = Rest(staff("clerk", RIGHTS[0]))
    seen = rest.post(f"prompts/{SLOT}/render", {}).json()
    assert (seen["slot"], seen["version"], seen["agent"], seen["model"]) == (SLOT, 1, "planner", "demo:demo")
    assert [message["role"] for message in seen["messages"]] == ["system", "user"]
    assert seen["tokens"] > 100
    assert seen["cost_usd"] == 0
    variables = {"brief": "On quokkas.", "sources": "", "title": ""}
    seen = rest.post(f"prompts/{SLOT}/render", {"version": 2, "variables": variables, "model": "openai:gpt-5"}).json()
    assert "On quokkas." in seen["messages"][1]["content"]
    assert "Plan a long note." in seen["messages"][1]["content"]
    assert 0 < seen["cost_usd"] < seen["most_usd"]
    seen = rest.post(f"prompts/{SLOT}/render", {"text": "[user]\r\nOn {{ brief }}{{ title }}{{ sources }}"}).json()
    assert seen["version"] is None
    assert seen["messages"][0]["content"].startswith("On A note for new colleagues")
    assert PromptVersion.objects.filter(prompt=SLOT).count() == 2


def test_a_program_replaces_some_values_of_a_past_call(two: Any, past: Call) -> None:
    rest = Rest(staff("clerk", RIGHTS[0], "read_call"))
    body = {"call": str(past.id), "variables": {"title": "Quokkas"}}
    said = rest.post(f"prompts/{SLOT}/render", body).json()["messages"][1]["content"]
    assert "Secret loops." in said
    assert "called: Quokkas" in said


WRONG = [
    ({"version": 9}, 404, "not_found.version"),
    ({"version": 1, "text": "[user]\nLoops"}, 422, "validation.version_or_text"),
    ({"text": "[user]\n{{ whom }}"}, 422, "validation.prompt_version"),
    ({"variables": {"brief": "x"}}, 422, "validation.prompt_variables"),
    ({"agent": "nobody"}, 404, "not_found.agent"),
    ({"model": "nonsense"}, 422, "validation.chain"),
    ({"version": 0}, 422, "validation.request"),
    (b"nonsense", 422, "validation.json"),
]


@pytest.mark.parametrize("door", ["render", "try"])
def test_what_a_program_asks_wrongly_is_told_by_name(door: str, house: People) -> None:
    rest = Rest(staff("clerk", *RIGHTS))
    for body, status, code in WRONG:
        assert told(rest.post(f"prompts/{SLOT}/{door}", body)) == (status, code)
    assert told(rest.post(f"prompts/note/nothing/{door}", {})) == (404, "not_found.prompt")


def test_a_program_without_the_right_is_told_which_it_takes(house: People) -> None:
    viewer = Rest(staff("viewer-of-versions", RIGHTS[0]))
    refused = viewer.post(f"prompts/{SLOT}/try", {})
    assert told(refused) == (403, "permission.right")
    assert refused.json()["details"] == {"needed": "generation.add_promptversion"}
    assert told(Rest(house.stranger).post(f"prompts/{SLOT}/render", {})) == (403, "permission.staff")
    assert told(Rest(house.owner).post(f"prompts/{SLOT}/try", {})) == (403, "permission.staff")
    session = Client(enforce_csrf_checks=True)
    session.force_login(staff("clerk", *RIGHTS))
    forged = session.post(f"/api/v1/prompts/{SLOT}/try", b"{}", content_type="application/json")
    assert told(forged) == (403, "permission.csrf")


async def test_a_program_gets_the_whole_answer_with_its_figures(clerk: User, house: People, demo: Demo) -> None:
    await in_database(two_versions)
    before = await in_database(rows)
    headers = await in_database(house.bearer, clerk)
    address = f"/api/v1/prompts/{SLOT}/try"
    body = json.dumps({"version": 2, "agent": "writer"})
    answer = await AsyncClient().post(address, body, content_type="application/json", headers=headers)
    tried = answer.json()
    assert (answer.status_code, tried["version"], tried["agent"], tried["model"]) == (200, 2, "writer", "demo:demo")
    assert tried["content"]
    assert (tried["finish_reason"], tried["cost_usd"], tried["is_estimate"]) == ("stop", 0, False)
    assert (tried["tokens_in"], tried["tokens_out"]) == (demo.stats()["tokens_in"], demo.stats()["tokens_out"])
    demo.set(rules=[{"contains": "A note for new colleagues", "fault": "500"}])
    answer = await AsyncClient().post(address, body, content_type="application/json", headers=headers)
    assert told(answer) == (503, "model.server_error")
    assert await in_database(rows) == before


def test_agents_are_offered_with_their_limits(two: Any) -> None:
    Agent.objects.filter(name="writer").update(temperature=None, max_tokens=77)
    _, page = look(staff("clerk", *RIGHTS), two[1])
    assert "Writer (at most 77 tokens)" in page
    assert "Planner (temperature 0.4, at most 6000 tokens)" in page
