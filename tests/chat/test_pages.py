"""The pages of conversations: request in, page out; what they show, and what a form does without a script."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat import sessions, turns
from chat.models import Message, Session, SessionState
from chat.turns import Words
from generation import documents
from generation.carrier import Carrier
from generation.models import Call, Document, Feedback, Run, RunState
from memory import files
from memory.base.database import db as in_database
from memory.history import By
from memory.models import Change
from tests.chat.conftest import UNDER_WAY, Say, answered, tools_of
from tests.chat.test_api import chain
from tests.generation.conftest import Demo, ended
from tests.people import People
from tests.uploads import line, pdf

QUESTION = "What is a loop in Python?"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def owner(house: People) -> Client:
    return house.client(house.owner)


def ask(house: People, text: str = QUESTION, **facts: Any) -> turns.Turn:
    return turns.take(house.owner, Words(text, **facts), workspace=house.workspace)


def page(client: Client, session: Session, **query: str) -> str:
    answer = client.get(f"/chat/{session.id}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_house_says_what_to_do(owner: Client) -> None:
    shown = owner.get("/chat/").content.decode()
    assert "Ask something, or say what is to be written or changed." in shown
    assert "What you ask stays here." in shown


def test_a_form_without_a_script_begins_a_conversation(owner: Client, house: People, course: Document) -> None:
    sent = owner.post("/chat/send/", {"text": QUESTION, "key": "one", "context": str(course.id), "agent": "neo"})
    session = Session.objects.get()
    assert sent["Location"] == f"/chat/{session.id}/"
    assert (session.agent, [each.id for each in sessions.about(session)]) == ("neo", [course.id])
    again = owner.post("/chat/send/", {"text": QUESTION, "key": "one", "context": str(course.id), "agent": "neo"})
    assert again["Location"] == sent["Location"]
    assert Message.objects.count() == 2, "the same form sent twice says it once"


def test_an_open_answer_shows_from_where_to_follow_it(owner: Client, house: People) -> None:
    turn = ask(house)
    shown = page(owner, turn.session)
    assert QUESTION in shown
    assert f'data-run="{turn.run.id}" data-seq="1"' in shown
    assert "The answer is being prepared." in shown
    assert re.search(r"<button[^>]*data-stop", shown)


def test_what_waits_offers_to_be_withdrawn(owner: Client, house: People) -> None:
    first = ask(house)
    turns.take(house.owner, Words("Never mind."), session=first.session)
    shown = page(owner, first.session)
    assert "It will be answered after the one before." in shown
    reply = Message.objects.order_by("id").last()
    assert reply
    answer = owner.post(f"/chat/messages/{reply.id}/withdraw/", headers=HTMX)
    assert '"text": "Never mind."' in answer["HX-Trigger"]
    assert "Never mind." not in answer.content.decode()


async def test_a_card_shows_what_was_changed_and_undoes_it(
    say: Say, carrier: Carrier, course: Document, owner: Client
) -> None:
    turn = await say('Change the description to "Loops, in short."', context=[("document", course.id)])
    (card,) = tools_of(await answered(turn))
    shown = await in_database(page, owner, turn.session)
    assert "Changed: description of “Loops”" in shown
    assert "<ins>Loops, in short.</ins>" in re.sub(r"\s+", " ", shown) or "in short" in shown
    undone = await in_database(
        lambda: owner.post(f"/chat/messages/{turn.reply.id}/undo/", {"change": card["changes"][0]}, headers=HTMX)
    )
    told = undone.content.decode()
    assert "Undone by owner" in told
    assert "Redo" in told
    assert await in_database(lambda: Document.objects.get(id=course.id).fields["description"]) == "All about loops."
    redo = await in_database(lambda: Change.objects.get(undoes=card["changes"][0]))
    await in_database(
        lambda: owner.post(f"/chat/messages/{turn.reply.id}/undo/", {"change": str(redo.id)}, headers=HTMX)
    )
    assert await in_database(lambda: Document.objects.get(id=course.id).fields["description"]) == "Loops, in short."


async def test_an_undo_that_would_wipe_out_a_later_change_is_refused_with_who_stands_in_the_way(
    say: Say, carrier: Carrier, course: Document, owner: Client, house: People
) -> None:
    turn = await say('Change the description to "Loops, in short."', context=[("document", course.id)])
    (card,) = tools_of(await answered(turn))
    await in_database(lambda: documents.edit(course, {"description": "By hand."}, By.person(house.teammate)))
    refused = await in_database(
        lambda: owner.post(f"/chat/messages/{turn.reply.id}/undo/", {"change": card["changes"][0]}, headers=HTMX)
    )
    assert refused.status_code == 409
    assert refused["HX-Retarget"] == f"#refused-{card['changes'][0]}"
    assert "teammate changed this later" in refused.content.decode()
    whole = await in_database(lambda: owner.post(f"/chat/messages/{turn.reply.id}/undo/", headers=HTMX))
    assert (whole.status_code, whole["HX-Retarget"]) == (409, f"#refused-{turn.reply.id}")
    assert await in_database(lambda: Document.objects.get(id=course.id).fields["description"]) == "By hand."


async def test_long_work_shows_its_card(say: Say, carrier: Carrier, owner: Client, demo: Demo) -> None:
    call = {"name": "start_run", "arguments": {"kind": "note", "brief": "Loops.", "title": "On loops"}}
    demo.set(rules=[{"contains": QUESTION, "calls": [call], "times": 1}])
    turn = await say(QUESTION)
    (card,) = tools_of(await answered(turn))
    shown = await in_database(page, owner, turn.session)
    assert f'data-of="{card["run"]}"' in shown
    assert "On loops" in shown


async def test_a_course_is_begun_with_the_file_that_came_with_the_question(
    say: Say, carrier: Carrier, owner: Client, demo: Demo, house: People
) -> None:
    """Its card, while it is written and when it is there, and the course that was made from the file."""
    asked = "Make me a deep course on loops"
    call = {"name": "start_run", "arguments": {"kind": "course", "brief": f"{asked}.", "title": "Loops in depth"}}
    demo.set(rules=[{"contains": asked, "calls": [call], "times": 1}])
    content = pdf(line("Loops repeat what they hold."))
    file = await in_database(files.store, house.owner, house.workspace, "loops.pdf", content)
    turn = await say(f"{asked}.", files=[file.id])
    reply = await answered(turn)
    (card,) = tools_of(reply)
    shown = await in_database(page, owner, turn.session)
    assert f'data-of="{card["run"]}"' in shown
    run = await in_database(lambda: Run.objects.get(id=card["run"]))
    stop = reverse("cancel_run", args=[run.id])
    assert f'action="{stop}"' in shown, "who began it can stop it from here"
    claim = await ended(run)
    assert claim.state == RunState.DONE
    given = await in_database(lambda: Call.objects.filter(run=run).order_by("id").first())
    assert "Loops repeat what they hold." in str(given and given.messages)
    shown = await in_database(page, owner, turn.session)
    assert f'href="{reverse("document", args=[run.document_id])}"' in shown
    assert f'action="{stop}"' not in shown


async def test_what_broke_off_is_folded_and_marked(say: Say, carrier: Carrier, owner: Client, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "cut", "times": 1}], **UNDER_WAY)
    turn = await say(QUESTION)
    reply = await answered(turn)
    assert [part["type"] for part in reply.parts] == ["broken", "reasoning", "text"], reply.usage
    shown = await in_database(page, owner, turn.session)
    assert "Broken off, and begun again" in shown


async def test_a_failed_answer_says_what_happened(say: Say, carrier: Carrier, owner: Client, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "401", "times": None}])
    turn = await say(QUESTION)
    await ended(turn.run)
    shown = await in_database(page, owner, turn.session)
    assert "This answer failed." in shown
    assert "The provider does not accept the key." in shown
    assert "Answer otherwise" in shown


async def test_what_the_model_saw_is_told(say: Say, carrier: Carrier, owner: Client, course: Document) -> None:
    turn = await say(QUESTION, context=[("document", course.id)])
    await answered(turn)
    shown = await in_database(page, owner, turn.session)
    assert "What the model saw" in shown
    assert re.search(r"<bdi>“Loops”</bdi></dt><dd>\d+</dd>", shown)
    assert "of 16000 tokens" in shown


async def test_thumbs_are_given_with_a_reason_and_taken_back(say: Say, carrier: Carrier, owner: Client) -> None:
    turn = await say(QUESTION)
    await answered(turn)
    path = f"/chat/messages/{turn.reply.id}/feedback/"
    down = await in_database(lambda: owner.post(path, {"good": "0"}, headers=HTMX))
    assert "What was wrong?" in down.content.decode()
    await in_database(lambda: owner.post(path, {"good": "0", "reason": "Too long."}, headers=HTMX))
    assert await in_database(lambda: Feedback.objects.get().reason) == "Too long."
    await in_database(lambda: owner.post(path, {"good": ""}, headers=HTMX))
    assert not await in_database(Feedback.objects.exists)
    assert (await in_database(lambda: owner.post(path, {"good": "7"}))).status_code == 422


async def test_branches_have_arrows(say: Say, carrier: Carrier, owner: Client) -> None:
    turn = await say(QUESTION)
    await answered(turn)
    other = await in_database(
        lambda: owner.post(f"/chat/messages/{turn.message.id}/edit/", {"text": "In Ruby?"}, headers=HTMX)
    )
    shown = other.content.decode()
    assert "In Ruby?" in shown
    assert "2 / 2" in shown
    back = await in_database(lambda: owner.post(f"/chat/messages/{turn.message.id}/show/", headers=HTMX))
    assert "1 / 2" in back.content.decode()


async def test_a_panel_stands_side_by_side(ask_panel: Say, carrier: Carrier, owner: Client) -> None:
    turn = await ask_panel(QUESTION)
    await ended(turn.run)
    shown = await in_database(page, owner, turn.session)
    assert (
        re.findall(r'class="message row panelist" id="message-', shown)
        == ['class="message row panelist" id="message-'] * 3
    )
    assert shown.count("Go on with this") == 2
    assert "Put their answers together" in shown
    made = await in_database(lambda: owner.post(f"/chat/messages/{turn.reply.id}/synthesis/"))
    await ended(await in_database(lambda: Run.objects.get(kind="synthesis")))
    assert made.status_code == 302
    assert "putting the answers together" in await in_database(page, owner, turn.session)


def test_a_conversation_is_named_archived_shared_copied_and_deleted(owner: Client, house: People) -> None:
    turn = ask(house)
    path = f"/chat/{turn.session.id}"
    owner.post(f"{path}/change/", {"title": "Mine"})
    assert "Mine" in owner.get("/chat/").content.decode()
    owner.post(f"{path}/change/", {"archived": "1"})
    assert "Mine" not in owner.get("/chat/").content.decode()
    assert "Mine" in owner.get("/chat/?state=archived").content.decode()
    assert owner.post(f"{path}/fork/").status_code == 302
    assert Session.objects.count() == 2
    owner.post(f"{path}/delete/")
    assert owner.get(f"{path}/").status_code == 404
    assert "Mine" not in owner.get("/chat/?state=archived").content.decode()


def test_a_link_lets_members_read_until_it_is_taken_back(owner: Client, house: People) -> None:
    turn = ask(house)
    owner.post(f"/chat/{turn.session.id}/share/")
    link = reverse("chat_shared", args=[Session.objects.get().secret])
    readers = {name: house.client(getattr(house, name)) for name in ("teammate", "viewer", "stranger")}
    assert QUESTION in readers["teammate"].get(link).content.decode()
    shown = readers["viewer"].get(link).content.decode()
    assert "<form" not in re.sub(r"(?s)<header class=.masthead.*?</header>|<aside class=.dock.*", "", shown)
    assert readers["stranger"].get(link).status_code == 404
    owner.post(f"/chat/{turn.session.id}/share/", {"shared": "0"})
    assert readers["teammate"].get(link).status_code == 404


def test_the_dock_shows_the_conversation_about_the_document(owner: Client, house: People, course: Document) -> None:
    ask(house, "About something else?")
    about = owner.get(f"/chat/dock/?document={course.id}").content.decode()
    assert "something else" not in about
    assert f'name="context" value="{course.id}"' in about
    ask(house, "About loops?", context=[("document", course.id)])
    ask(house, "Another?")
    assert "About loops?" in owner.get(f"/chat/dock/?document={course.id}").content.decode()
    assert "Another?" in owner.get("/chat/dock/").content.decode()
    assert "About loops?" not in owner.get(f"/chat/dock/?document={course.id}&new=1").content.decode()


def test_a_viewer_is_offered_nothing_that_writes(house: People) -> None:
    viewer = house.client(house.viewer)
    shown = viewer.get("/chat/").content.decode()
    assert "Attach files" not in shown
    assert viewer.post("/chat/send/", {"text": QUESTION}).status_code == 302


def test_a_long_conversation_shows_its_end_in_few_queries(owner: Client, house: People) -> None:
    turn = ask(house)
    chain(turn.session, 200)
    with CaptureQueriesContext(connection) as made:
        shown = page(owner, turn.session)
    assert "Number 199" in shown
    assert "Number 150" not in shown
    assert "What was said before" in shown
    asked = [each["sql"] for each in made.captured_queries if re.match(r"\s*(SELECT|WITH)", each["sql"])]
    assert len(asked) <= 12, asked
    before = re.search(r"before=([0-9a-f-]{36})", shown)
    assert before
    earlier = owner.get(f"/chat/{turn.session.id}/?before={before[1]}", headers=HTMX).content.decode()
    assert "Number 169" in earlier
    assert "Number 170" not in earlier


def test_it_is_told_in_french(owner: Client, house: People) -> None:
    house.owner.language = "fr"
    house.owner.save()
    shown = page(owner, ask(house).session)
    assert "La réponse se prépare." in shown


@pytest.mark.parametrize("state", [SessionState.DORMANT, SessionState.ARCHIVED])
def test_what_is_said_wakes_it(owner: Client, house: People, state: SessionState) -> None:
    turn = ask(house)
    Session.objects.update(state=state)
    owner.post("/chat/send/", {"text": "Again?", "session": str(turn.session.id)})
    assert Session.objects.get().state == SessionState.ACTIVE


def test_nobody_else_sees_it_or_does_anything_to_it(owner: Client, house: People) -> None:
    turn = ask(house)
    for other in (house.teammate, house.stranger):
        client = house.client(other)
        assert client.get(f"/chat/{turn.session.id}/").status_code == 404
        assert QUESTION not in client.get("/chat/").content.decode()
        assert client.post("/chat/send/", {"text": "Me, too", "session": str(turn.session.id)}).status_code == 404
        for verb in ("edit", "regenerate", "withdraw", "stop", "undo", "feedback", "show"):
            assert client.post(f"/chat/messages/{turn.reply.id}/{verb}/", {"text": "x"}).status_code == 404, verb
    assert Message.objects.count() == 2
