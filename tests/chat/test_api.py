"""REST of conversations: what goes in and out, and who is let in."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from chat import messages, sessions
from chat.models import Message, Session
from generation.carrier import Carrier
from generation.models import Call, Document, Event, Feedback, Run, RunState
from memory import files
from memory.base.database import db as in_database
from memory.models import User
from tests.chat.conftest import Say, answered
from tests.generation.conftest import Demo, ended
from tests.people import People
from tests.rest import Rest, told

QUESTION = "What is a loop in Python?"


@pytest.fixture
def owner(house: People) -> Rest:
    return Rest(house.owner)


def rest(user: User) -> Rest:
    return Rest(user)


def said(owner: Rest, text: str = QUESTION, **facts: Any) -> dict[str, Any]:
    answer = owner.post("chat/messages", {"text": text, **facts})
    assert answer.status_code == 202, answer.content
    return dict(answer.json())


# --- saying something


def test_what_is_said_begins_a_conversation(owner: Rest, course: Document) -> None:
    turn = said(owner, context=[{"kind": "document", "id": str(course.id)}], agent="neo")
    session = owner.get(f"chat/sessions/{turn['session']}").json()
    assert (session["title"], session["agent"], session["state"]) == (QUESTION, "neo", "active")
    assert [each["id"] for each in session["context"]] == [str(course.id)]
    page = owner.get(f"chat/sessions/{turn['session']}/messages").json()
    assert [each["id"] for each in page["items"]] == [turn["message"], turn["reply"]]
    question, reply = page["items"]
    assert (question["speaker"], question["text"], question["state"]) == ("user", QUESTION, "done")
    assert (reply["agent"], reply["state"], reply["run"], reply["last_seq"]) == ("neo", "writing", turn["run"], 1)


def test_the_same_key_answers_with_the_same_turn(owner: Rest) -> None:
    first, second = (
        owner.post("chat/messages", {"text": QUESTION}, **{"Idempotency-Key": "one"}).json() for _ in range(2)
    )
    assert first == second
    refused = owner.post("chat/messages", {"text": "Else?"}, **{"Idempotency-Key": "one"})
    assert told(refused) == (409, "conflict.key_reused")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": ""}, (422, "validation.message_empty")),
        ({"text": "x" * 50_001}, (422, "validation.message_too_long")),
        ({"text": "Hello", "agent": "writer"}, (404, "not_found.agent")),
        ({"text": "Hello", "session": str(uuid4())}, (404, "not_found.session")),
        ({"text": "Hello", "after": str(uuid4())}, (404, "not_found.message")),
        ({"text": "Hello", "files": [str(uuid4())]}, (404, "not_found.file")),
        ({"text": "Hello", "context": [{"kind": "document", "id": str(uuid4())}]}, (404, "not_found.document")),
        ({"text": "Hello", "context": [{"kind": "planet", "id": str(uuid4())}]}, (422, "validation.request")),
        ({"text": "Hello", "more": 1}, (422, "validation.request")),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(owner: Rest, body: Any, expected: tuple[int, str]) -> None:
    assert told(owner.post("chat/messages", body)) == expected
    assert not Message.objects.exists()
    assert not Run.objects.exists()


def test_too_many_open_answers_are_refused_with_a_time(owner: Rest, settings: Settings) -> None:
    settings.TURNS_OPEN_PER_USER = 1
    said(owner)
    refused = owner.post("chat/messages", {"text": QUESTION})
    assert told(refused) == (429, "limit.turns_open")
    assert refused.headers["Retry-After"] == "10"


def test_a_document_of_elsewhere_is_no_part_of_it(owner: Rest, house: People) -> None:
    theirs = rest(house.stranger).post("documents", {"kind": "note", "title": "Theirs"}).json()
    body = {"text": QUESTION, "context": [{"kind": "document", "id": theirs["id"]}]}
    assert told(owner.post("chat/messages", body)) == (404, "not_found.document")


async def test_a_file_is_read_and_its_use_is_told(owner: Rest, house: People, carrier: Carrier) -> None:
    file = await in_database(files.store, house.owner, house.workspace, "notes.txt", b"Loops repeat what they hold.")
    turn = await in_database(lambda: said(owner, files=[str(file.id)]))
    await ended(await in_database(lambda: Run.objects.get(id=turn["run"])))
    reply = (await in_database(owner.get, f"chat/messages/{turn['reply']}")).json()
    seen = {each["what"]: each for each in reply["seen"]["seen"]}
    assert (seen["file"]["name"], seen["file"]["decision"]) == ("notes.txt", "kept")
    assert seen["question"]["tokens_after"] > 0


# --- the tree


async def test_other_words_and_another_answer_stand_beside(owner: Rest, say: Say, carrier: Carrier) -> None:
    first = await say(QUESTION)
    await answered(first)
    other = (await in_database(owner.post, f"chat/messages/{first.message.id}/edit", {"text": "In Ruby?"})).json()
    await ended(await in_database(lambda: Run.objects.get(id=other["run"])))
    again = (await in_database(owner.post, f"chat/messages/{other['reply']}/regenerate", {"agent": "anima"})).json()
    await ended(await in_database(lambda: Run.objects.get(id=again["run"])))

    def branch() -> list[dict[str, Any]]:
        return list(owner.get(f"chat/sessions/{first.session.id}/messages").json()["items"])

    question, reply = await in_database(branch)
    assert (question["id"], question["siblings"]) == (other["message"], [str(first.message.id), other["message"]])
    assert (reply["id"], reply["siblings"]) == (again["reply"], [other["reply"], again["reply"]])
    assert reply["agent"] == "anima"
    await in_database(owner.post, f"chat/messages/{first.message.id}/show")
    assert [each["id"] for each in await in_database(branch)] == [str(first.message.id), str(first.reply.id)]
    await in_database(owner.post, f"chat/messages/{other['message']}/show")
    assert [each["id"] for each in await in_database(branch)] == [other["message"], again["reply"]]


@pytest.mark.parametrize("verb", ["edit", "regenerate"])
def test_the_same_key_is_one_more_answer_and_not_two(owner: Rest, verb: str) -> None:
    turn, other = said(owner), said(owner, "Another?")
    body = {"text": "In Ruby?"} if verb == "edit" else {}
    path, key = f"chat/messages/{turn['message']}/{verb}", {"Idempotency-Key": "again"}
    first, second = (owner.post(path, body, **key).json() for _ in range(2))
    assert first == second
    assert Run.objects.filter(line=turn["session"]).count() == 2
    refused = owner.post(f"chat/messages/{other['message']}/regenerate", {}, **key)
    assert told(refused) == (409, "conflict.key_reused")


def test_an_answer_is_nobodys_to_say_otherwise(owner: Rest) -> None:
    turn = said(owner)
    assert told(owner.post(f"chat/messages/{turn['reply']}/edit", {"text": "No."})) == (409, "session.not_yours")


def test_what_waits_is_withdrawn_with_its_text(owner: Rest) -> None:
    first = said(owner)
    second = said(owner, "Never mind.", session=first["session"])
    assert owner.post(f"chat/messages/{second['message']}/withdraw").json() == {"text": "Never mind."}
    page = owner.get(f"chat/sessions/{first['session']}/messages").json()
    assert [each["id"] for each in page["items"]] == [first["message"], first["reply"]]


def test_a_long_branch_comes_by_pages_from_its_end(owner: Rest, house: People) -> None:
    turn = said(owner)
    session = Session.objects.get(id=turn["session"])
    chain(session, 75)
    seen: list[str] = []
    before = None
    for _ in range(3):
        page = owner.get(f"chat/sessions/{session.id}/messages", **({"before": before} if before else {})).json()
        seen = [each["id"] for each in page["items"]] + seen
        before = page["before"]
    assert before is None
    assert len(seen) == 77
    assert seen == [str(each.id) for each in messages.branch(session.leaf_id, 100)]


def chain(session: Session, length: int) -> None:
    """So many more messages, one after another."""
    parent = session.leaf
    rows = []
    for n in range(length):
        is_answer, text = n % 2, f"Number {n}"
        facts = {"speaker": "agent", "parts": [{"type": "text", "text": text}]} if is_answer else {"speaker": "user"}
        rows.append(Message(session=session, parent=parent, text=text, **facts))
        parent = rows[-1]
    Message.objects.bulk_create(rows)
    session.leaf = parent
    session.save()


# --- the conversation


def test_it_is_named_archived_found_and_deleted(owner: Rest) -> None:
    turn = said(owner, "Où en est l’œuvre ?")
    other = said(owner, "Something else.")
    path = f"chat/sessions/{turn['session']}"
    assert owner.patch(path, {"title": "  Été \n 2026 "}).json()["title"] == "Été 2026"
    found = [owner.get("chat/sessions", q=words).json()["items"] for words in ("ete", "oeuvre", "nothing")]
    assert [[each["id"] for each in items] for items in found] == [[turn["session"]], [turn["session"]], []]
    assert owner.patch(path, {"archived": True}).json()["state"] == "archived"
    assert [each["id"] for each in owner.get("chat/sessions").json()["items"]] == [other["session"]]
    assert [each["id"] for each in owner.get("chat/sessions", state="archived").json()["items"]] == [turn["session"]]
    assert owner.delete(path).status_code == 204
    assert told(owner.get(path)) == (404, "not_found.session")
    assert told(owner.get(f"chat/messages/{turn['message']}")) == (404, "not_found.message")
    assert told(owner.post("chat/messages", {"text": "Once more", "session": turn["session"]}))[0] == 404
    assert sessions.bury() is False
    assert not Run.objects.filter(line=turn["session"]).exists()
    assert not Message.objects.filter(session=turn["session"]).exists()


async def test_a_conversation_that_is_deleted_while_it_is_answered_goes_when_that_has_stopped(
    owner: Rest, say: Say, carrier: Carrier, demo: Demo
) -> None:
    first = await say(QUESTION)
    await answered(first)
    await ended(await in_database(lambda: Run.objects.get(kind="title")))
    demo.set(first_token_ms=200, tokens_per_second=20)
    turn = await say("Explain loops in about 400 words.", session=first.session)
    while not await in_database(lambda: Event.objects.filter(run=turn.run, type="content_delta").exists()):
        await asyncio.sleep(0.02)
    assert (await in_database(owner.delete, f"chat/sessions/{turn.session.id}")).status_code == 204
    await in_database(sessions.bury)
    assert (await ended(turn.run)).state == RunState.CANCELLED
    await in_database(sessions.bury)
    assert not await in_database(Run.objects.exists), "nor the one that named it"
    calls = await in_database(lambda: list(Call.objects.values_list("run", "messages", "variables")))
    assert [any(each) for each in calls] == [False] * 3


def test_a_long_conversation_goes_at_once(owner: Rest) -> None:
    turn = said(owner)
    chain(Session.objects.get(id=turn["session"]), 3_000)
    assert owner.delete(f"chat/sessions/{turn['session']}").status_code == 204
    assert sessions.bury() is False
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"session": True}, {"context": True}, {"agent": "neo"}, {"files": True}, {"text": "Something else?"}],
    ids=lambda change: next(iter(change)),
)
def test_the_same_key_for_anything_else_is_refused(
    owner: Rest, house: People, course: Document, change: dict[str, Any]
) -> None:
    first = owner.post("chat/messages", {"text": QUESTION}, **{"Idempotency-Key": "one"}).json()
    file = files.store(house.owner, house.workspace, "notes.txt", b"Loops.")
    meant = {
        "session": first["session"],
        "context": [{"kind": "document", "id": str(course.id)}],
        "files": [str(file.id)],
    }
    body = {"text": QUESTION, **{name: meant[name] if value is True else value for name, value in change.items()}}
    assert told(owner.post("chat/messages", body, **{"Idempotency-Key": "one"})) == (409, "conflict.key_reused")
    assert told(owner.post("panels", {"text": QUESTION}, **{"Idempotency-Key": "one"})) == (409, "conflict.key_reused")
    again = owner.post(f"chat/messages/{first['message']}/regenerate", {}, **{"Idempotency-Key": "one"})
    assert told(again) == (409, "conflict.key_reused")
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"title": " "}, (422, "validation.title_empty")),
        ({"title": "x" * 201}, (422, "validation.title_too_long")),
        ({"agent": "writer"}, (404, "not_found.agent")),
    ],
)
def test_a_change_that_does_not_fit_changes_nothing(owner: Rest, body: Any, expected: tuple[int, str]) -> None:
    turn = said(owner)
    before = owner.get(f"chat/sessions/{turn['session']}").json()
    assert told(owner.patch(f"chat/sessions/{turn['session']}", {"archived": True, **body})) == expected
    assert owner.get(f"chat/sessions/{turn['session']}").json() == before


def test_what_is_said_brings_an_archived_conversation_back_to_the_top(owner: Rest) -> None:
    first, second = said(owner, "One?"), said(owner, "Two?")
    owner.patch(f"chat/sessions/{first['session']}", {"archived": True})
    said(owner, "Again?", session=first["session"])
    listed = [each["id"] for each in owner.get("chat/sessions").json()["items"]]
    assert listed == [first["session"], second["session"]]


def test_what_it_is_about_is_added_and_taken_out(owner: Rest, course: Document) -> None:
    turn = said(owner)
    path = f"chat/sessions/{turn['session']}"
    for _ in range(2):
        linked = owner.post(f"{path}/context", {"kind": "document", "id": str(course.id)}).json()
        assert [each["id"] for each in linked["context"]] == [str(course.id)]
    assert [each["id"] for each in owner.get("chat/sessions", document=str(course.id)).json()["items"]] == [
        turn["session"]
    ]
    assert owner.delete(f"{path}/context/{course.id}").json()["context"] == []


async def test_a_fork_goes_its_own_way(
    owner: Rest, say: Say, carrier: Carrier, course: Document, house: People
) -> None:
    first = await say(QUESTION, context=[("document", course.id)])
    reply = await answered(first)
    second = await say("And in Ruby?", session=first.session)
    await answered(second)
    body = {"message": str(first.reply.id)}
    fork = (await in_database(owner.post, f"chat/sessions/{first.session.id}/fork", body)).json()
    assert fork["forked_from"] == str(first.session.id)
    assert [each["id"] for each in fork["context"]] == [str(course.id)]

    def branch() -> list[dict[str, Any]]:
        return list(owner.get(f"chat/sessions/{fork['id']}/messages").json()["items"])

    copied = await in_database(branch)
    assert [each["text"] for each in copied] == [QUESTION, reply.text]
    assert (await in_database(owner.delete, f"chat/sessions/{first.session.id}")).status_code == 204
    assert [each["parts"] for each in await in_database(branch)] == [[], reply.parts], "it needs nothing of the other"


async def test_a_fork_leaves_behind_what_is_not_finished(owner: Rest, say: Say) -> None:
    turn = await say(QUESTION)
    fork = (await in_database(owner.post, f"chat/sessions/{turn.session.id}/fork")).json()
    assert (await in_database(owner.get, f"chat/sessions/{fork['id']}/messages")).json()["items"] == []


# --- thumbs


async def test_a_thumb_belongs_to_the_call_and_can_be_taken_back(owner: Rest, say: Say, carrier: Carrier) -> None:
    reply = await answered(await say(QUESTION))
    path = f"chat/messages/{reply.id}/feedback"
    down = (await in_database(owner.post, path, {"is_good": False, "reason": "Too long."})).json()
    assert down["feedback"] == {"is_good": False, "reason": "Too long."}
    up = (await in_database(owner.post, path, {"is_good": True})).json()
    assert up["feedback"] == {"is_good": True, "reason": ""}
    assert await in_database(lambda: Feedback.objects.get().call_id) == reply.call_id
    none = (await in_database(owner.post, path, {"is_good": None})).json()
    assert none["feedback"] is None
    refused = await in_database(owner.post, path, {"is_good": False, "reason": "x" * 501})
    assert told(refused) == (422, "validation.reason_too_long")


def test_there_is_nothing_to_think_of_before_an_answer(owner: Rest) -> None:
    turn = said(owner)
    refused = owner.post(f"chat/messages/{turn['message']}/feedback", {"is_good": True})
    assert told(refused) == (409, "session.no_answer")


# --- strangers


def test_a_teammate_cannot_read_my_conversation_nor_hear_its_run(owner: Rest, house: People) -> None:
    turn = said(owner)
    for other in (house.teammate, house.viewer, house.stranger):
        them = rest(other)
        assert them.get("chat/sessions").json()["items"] == []
        for path in (
            f"chat/sessions/{turn['session']}",
            f"chat/sessions/{turn['session']}/messages",
            f"chat/messages/{turn['reply']}",
            f"runs/{turn['run']}",
            f"runs/{turn['run']}/events",
        ):
            assert them.get(path).status_code == 404, path
        assert told(them.post("chat/messages", {"text": "Me, too", "session": turn["session"]})) == (
            404,
            "not_found.session",
        )
        assert them.post(f"runs/{turn['run']}/cancel").status_code == 404
    assert not any(each["id"] == turn["run"] for each in rest(house.teammate).get("runs").json()["items"])


def test_a_member_no_more_is_shut_out_of_their_own(owner: Rest, house: People) -> None:
    turn = said(rest(house.teammate), workspace=str(house.workspace.id))
    house.workspace.memberships.filter(user=house.teammate).delete()
    assert told(rest(house.teammate).get(f"chat/sessions/{turn['session']}")) == (404, "not_found.session")


def test_a_viewer_may_speak(house: People) -> None:
    said(rest(house.viewer), workspace=str(house.workspace.id))
