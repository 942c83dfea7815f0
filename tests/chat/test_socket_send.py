"""Speaking through the socket: a message is taken, its answer followed, stopped, and heard of by one's other pages."""

from typing import Any
from uuid import uuid4

import pytest

from chat.models import Message, MessageState, Session
from generation.carrier import Carrier
from generation.models import Document, Run
from memory import tokens
from memory.base.database import db as in_database
from tests.chat.conftest import Say
from tests.chat.test_socket import Open, Page, open_page
from tests.generation.conftest import Demo, ended
from tests.people import People

__all__ = ["open_page"]

QUESTION = "What is a loop in Python?"


async def followed(page: Page, run: str) -> list[dict[str, Any]]:
    """All events of the run, to its end."""
    await page.send(type="follow", run=run, since=0)
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != "done":
        events += (await page.hear("events"))["events"]
    return events


async def test_what_is_sent_is_answered_under_its_eyes(
    open_page: Open, carrier: Carrier, house: People, course: Document
) -> None:
    page = await open_page(house.owner)
    words = 'Change the description to "Loops."'
    await page.send(type="send", key="k", text=words, context=[{"kind": "document", "id": str(course.id)}])
    taken = await page.hear("accepted")
    assert taken["key"] == "k"
    events = await followed(page, taken["run"])
    kinds = [event["type"] for event in events if event["type"] not in ("status", "step", "model", "usage")]
    told = list(dict.fromkeys(kinds))
    assert told == [
        "reasoning_delta",
        "tool_call_start",
        "tool_call_delta",
        "object",
        "tool_call_result",
        "content_delta",
        "done",
    ]
    arguments = "".join(event["data"]["text"] for event in events if event["type"] == "tool_call_delta")
    assert '"value": "Loops."' in arguments
    (result,) = [event["data"] for event in events if event["type"] == "tool_call_result"]
    assert (result["step"], result["name"], len(result["changes"])) == ("round-1/tool-1", "update_description", 1)
    reply = await in_database(lambda: Message.objects.get(id=taken["reply"]))
    assert reply.state == MessageState.DONE


async def test_the_same_key_is_one_message(open_page: Open, house: People) -> None:
    page = await open_page(house.owner)
    taken = []
    for _ in range(2):
        await page.send(type="send", key="k", text=QUESTION)
        taken.append(await page.hear("accepted"))
    assert taken[0] == taken[1]
    assert await in_database(Session.objects.count) == 1


async def test_an_answer_is_stopped(open_page: Open, carrier: Carrier, house: People, demo: Demo) -> None:
    demo.set(first_token_ms=10_000)
    page = await open_page(house.owner)
    await page.send(type="send", key="k", text=QUESTION)
    taken = await page.hear("accepted")
    await page.send(type="stop", run=taken["run"])
    assert (await page.hear("accepted"))["run"] == taken["run"]
    run = await in_database(lambda: Run.objects.get(id=taken["run"]))
    assert (await ended(run)).state == "cancelled"


async def test_a_viewer_stops_their_own_answer(open_page: Open, carrier: Carrier, house: People, demo: Demo) -> None:
    demo.set(first_token_ms=10_000)
    page = await open_page(house.viewer)
    await page.send(type="send", key="k", text=QUESTION, workspace=str(house.workspace.id))
    taken = await page.hear("accepted")
    await page.send(type="stop", run=taken["run"])
    run = await in_database(lambda: Run.objects.get(id=taken["run"]))
    assert (await ended(run)).state == "cancelled"


async def test_the_panel_is_asked(open_page: Open, carrier: Carrier, house: People) -> None:
    page = await open_page(house.owner)
    await page.send(type="send", key="k", text=QUESTION, panel=True)
    taken = await page.hear("accepted")
    await followed(page, taken["run"])
    replies = await in_database(lambda: list(Message.objects.filter(run=taken["run"]).values_list("agent", flat=True)))
    assert sorted(replies) == ["anima", "neo", "nexus"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"text": QUESTION}, "validation.key"),
        ({"key": "k", "text": ""}, "validation.message_empty"),
        ({"key": "k", "text": QUESTION, "session": str(uuid4())}, "not_found.session"),
        ({"key": "k", "text": QUESTION, "session": "one"}, "not_found.session"),
        ({"key": "k", "text": QUESTION, "context": "all"}, "validation.list"),
        ({"key": "k", "text": QUESTION, "files": ["x"]}, "not_found.file"),
        ({"key": "k", "text": QUESTION, "agent": "writer"}, "not_found.agent"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_key(
    open_page: Open, house: People, frame: dict[str, Any], code: str
) -> None:
    page = await open_page(house.owner)
    await page.send(type="send", **frame)
    refused = await page.hear("error")
    assert (refused["error_code"], refused.get("key")) == (code, frame.get("key"))
    assert not await in_database(Message.objects.exists)


async def test_strangers_say_nothing_hear_nothing_and_stop_nothing(open_page: Open, say: Say, house: People) -> None:
    turn = await say(QUESTION)
    for other in (house.teammate, house.stranger):
        page = await open_page(other)
        await page.send(type="send", key="k", text="Me, too", session=str(turn.session.id))
        assert (await page.hear("error"))["error_code"] == "not_found.session"
        await page.send(type="follow", run=str(turn.run.id), since=0)
        assert (await page.hear("error"))["error_code"] == "not_found.run"
        await page.send(type="stop", run=str(turn.run.id))
        assert (await page.hear("error"))["error_code"] == "not_found.run"


async def test_a_token_that_only_reads_says_nothing(open_page: Open, house: People) -> None:
    _, secret = await in_database(tokens.issue, house.owner, "reader", ["read"])
    page = await open_page(origin="", token=secret)
    await page.hear("accepted")
    await page.send(type="send", key="k", text=QUESTION)
    assert (await page.hear("error"))["error_code"] == "permission.scope"


async def test_ones_other_pages_hear_of_it_and_nobody_elses(
    open_page: Open, say: Say, carrier: Carrier, house: People
) -> None:
    mine, theirs = await open_page(house.owner), await open_page(house.teammate)
    for page, user in ((mine, house.owner), (theirs, house.teammate)):
        await page.send(type="watch", topics=[f"user.{user.pk}", f"workspace.{house.workspace.id}"])
        await page.hear("accepted")
    turn = await say(QUESTION)
    told = [await mine.hear("changed") for _ in range(2)]
    assert {(frame["kind"], frame["topic"]) for frame in told} >= {("session", f"user.{house.owner.pk}")}
    await ended(turn.run)
    await theirs.send(type="ping")
    assert (await theirs.hear())["type"] == "pong"
