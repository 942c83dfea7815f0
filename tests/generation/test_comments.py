"""What people say about a document: threads and comments by verb and by REST; who hears, who may, who finds nothing."""

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import comments, documents, mentions, sections, thread_pictures, threads
from generation.models import Comment, Document, Mention, Section, Seen, Thread
from memory import workspaces
from memory.base import news
from memory.base.database import db
from memory.base.errors import ScriptoriumError
from memory.base.ranks import spread
from memory.history import By
from memory.models import Role, User
from tests.password import PASSWORD
from tests.people import People, staff
from tests.rest import Rest, told


@pytest.fixture
def commenter(people: People) -> User:
    user = User.objects.create_user("commenter", "commenter@example.org", PASSWORD, first_name="Inès")
    workspaces.add_member(people.workspace, user, Role.COMMENTER, by=people.owner)
    return user


@pytest.fixture
def section(note: Document, people: People) -> Section:
    fields = {"title": "Why", "content": "One *two* three & four."}
    return sections.add(note, "section", fields, By.person(people.owner))


@pytest.fixture
def thread(section: Section, commenter: User) -> Thread:
    return threads.begin(section, "Why so short?", commenter, quote="One two three")


def code_of(verb: Callable[..., Any], *args: Any, **how: Any) -> str:
    with pytest.raises(ScriptoriumError) as refused:
        verb(*args, **how)
    return refused.value.code


def drawn(user: User, thread: Thread) -> dict[str, Any]:
    return thread_pictures.picture(user, thread.id)


# --- begin and reply


def test_a_thread_begins_with_a_comment_about_a_section_its_document_or_a_field(
    people: People, note: Document, section: Section, commenter: User
) -> None:
    about_section = threads.begin(section, " Why?\r\n\x00 ", commenter, field="content", assignee="teammate")
    about_document = threads.begin(note, "Who reads this?", people.owner, field="title")
    assert (about_section.document, about_section.section) == (note, section)
    assert (about_section.field, about_section.assignee) == ("content", people.teammate)
    assert about_section.comments.get().text == "Why?"
    assert (about_document.section, about_document.is_open) == (None, True)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"text": " \n "}, "validation.comment_empty"),
        ({"text": "x" * 5_001}, "validation.comment_too_long"),
        ({"field": "nonsense"}, "validation.path"),
        ({"field": "content/" + "x" * 300}, "validation.path"),
        ({"field": "/"}, "validation.path"),
        ({"quote": "x" * 1_001}, "validation.quote_too_long"),
        ({"assignee": "stranger"}, "validation.assignee"),
    ],
)
def test_what_does_not_fit_begins_nothing(people: People, section: Section, facts: dict[str, str], code: str) -> None:
    assert code_of(threads.begin, section, **{"text": "Why?", "by": people.owner, **facts}) == code
    assert not Thread.objects.exists()


def test_viewers_read_commenters_write_and_strangers_find_nothing(people: People, thread: Thread) -> None:
    section = sections.visible(people.owner, thread.section_id or uuid4())
    assert code_of(threads.begin, section, "Me, too", people.viewer) == "permission.role"
    assert code_of(comments.reply, thread, "Me, too", people.viewer) == "permission.role"
    assert code_of(threads.begin, section, "Me, too", people.stranger) == "not_found.workspace"
    assert drawn(people.viewer, thread)["comments"][0]["text"] == "Why so short?"
    assert code_of(threads.visible, people.stranger, thread.id) == "not_found.thread"
    assert code_of(comments.visible, people.stranger, thread.comments.get().id) == "not_found.comment"
    assert not threads.listing(people.stranger, thread.document, threads.ALL).exists()
    assert Comment.objects.count() == 1


def test_the_same_request_writes_once(people: People, section: Section, thread: Thread) -> None:
    first = threads.begin(section, "Twice", people.owner, key="a")
    assert threads.begin(section, "Twice", people.owner, key="a") == first
    said = comments.reply(thread, "Once", people.owner, "b")
    assert comments.reply(thread, "Once", people.owner, "b") == said
    assert code_of(comments.reply, thread, "Else", people.owner, "b") == "conflict.comment_key"
    assert code_of(comments.reply, first, "Once", people.owner, "b") == "conflict.comment_key"
    assert code_of(threads.begin, section.document, "Twice", people.owner, key="a") == "conflict.comment_key"
    assert comments.reply(thread, "Once", people.teammate, "b") != said
    assert comments.reply(thread, "Once", people.owner, "\x00") != comments.reply(thread, "Once", people.owner, "")


def test_two_requests_at_once_write_once(people_committed: People) -> None:
    people = people_committed
    note = documents.create("note", "Loops", {}, user=people.owner, workspace=people.workspace)
    gate = threading.Barrier(4)

    def write() -> None:
        gate.wait()
        threads.begin(note, "Once", people.owner, key="a")
        connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert Comment.objects.count() == Thread.objects.count() == 1


def test_threads_and_comments_are_bounded(people: People, thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MOST_THREADS", 1)
    monkeypatch.setattr(comments, "MOST_COMMENTS", 2)
    assert code_of(threads.begin, thread.document, "One more", people.owner) == "limit.threads"
    comments.reply(thread, "Two", people.owner)
    assert code_of(comments.reply, thread, "Three", people.owner) == "limit.comments"


# --- edit and delete


def test_authors_alone_change_what_they_said(people: People, thread: Thread, commenter: User) -> None:
    comment = thread.comments.get()
    assert code_of(comments.edit, comment, "Mine", people.owner) == "permission.author"
    assert code_of(comments.edit, comment, "Mine", people.viewer) == "permission.role"
    comments.edit(comment, "Why so short?", commenter)
    assert Comment.objects.get().edited_at is None
    comments.edit(comment, "Why so long?", commenter)
    comment.refresh_from_db()
    assert (comment.text, comment.edited_at is None) == ("Why so long?", False)
    Comment.objects.all().delete()
    assert code_of(comments.edit, comment, "Gone", commenter) == "not_found.comment"
    Thread.objects.all().delete()
    assert code_of(comments.edit, comment, "Gone", commenter) == "not_found.thread"


def test_what_was_answered_leaves_a_stub_and_an_empty_thread_goes(
    people: People, thread: Thread, commenter: User
) -> None:
    first = thread.comments.get()
    reply = comments.reply(thread, "Because, @viewer.", people.teammate)
    assert code_of(comments.delete, reply, commenter) == "permission.role"
    assert comments.delete(first, commenter)
    stub, kept = drawn(people.viewer, thread)["comments"]
    assert (stub["is_deleted"], stub["text"], kept["text"]) == (True, "", "Because, @viewer.")
    assert code_of(comments.visible, commenter, first.id) == "not_found.comment"
    assert not comments.delete(reply, people.owner)
    assert not Thread.objects.exists()
    assert not Mention.objects.exists()


def test_a_reply_in_the_middle_goes_without_a_trace(people: People, thread: Thread) -> None:
    middle = comments.reply(thread, "Two", people.teammate)
    comments.reply(thread, "Three", people.owner)
    assert comments.delete(middle, people.teammate)
    assert [each["text"] for each in drawn(people.owner, thread)["comments"]] == ["Why so short?", "Three"]


def test_who_left_is_somebody_who_left(people: People, thread: Thread, commenter: User) -> None:
    threads.assign(thread, commenter, people.owner)
    commenter.delete()
    left = drawn(people.owner, thread)
    assert (left["user"], left["assignee"], left["comments"][0]["user"]) == (None, None, None)
    page = people.client(people.owner).get(f"/documents/{thread.document_id}/comments/").content.decode()
    assert "Somebody who left" in page


# --- close, reopen, assign


def test_editors_settle_any_thread_and_commenters_their_own(people: People, thread: Thread, commenter: User) -> None:
    other = threads.begin(thread.document, "Else", people.owner)
    assert code_of(threads.close, other, commenter) == "permission.role"
    assert code_of(threads.assign, other, commenter, commenter) == "permission.role"
    threads.assign(other, commenter, people.teammate)
    threads.close(threads.visible(commenter, other.id), commenter)
    threads.close(thread, commenter)
    threads.close(thread, people.teammate)
    closed = Thread.objects.get(id=thread.id)
    assert (closed.closed_by, closed.is_open) == (commenter, False), "it was closed already"
    assert code_of(comments.reply, closed, "More", people.owner) == "conflict.thread_closed"
    threads.reopen(closed, people.teammate)
    assert Thread.objects.get(id=thread.id).is_open
    assert code_of(threads.close, thread, people.viewer) == "permission.role"
    assert code_of(threads.assign, thread, people.stranger, people.owner) == "validation.assignee"
    threads.assign(thread, None, people.owner)


# --- mentions


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Look, @teammate.", ["teammate"]),
        ("@teammate and @owner, @teammate", ["owner", "teammate"]),
        ("@stranger @nobody teammate mail@teammate @", []),
        ("(@ann.b) @ann...", ["ann", "ann.b"]),
    ],
)
def test_members_of_the_workspace_are_named_and_nobody_else(
    people: People, section: Section, text: str, named: list[str]
) -> None:
    for name in ("ann", "ann.b"):
        user = User.objects.create_user(name, f"{name}@example.org", PASSWORD)
        workspaces.add_member(people.workspace, user, Role.VIEWER, by=people.owner)
    threads.begin(section, text, people.owner)
    assert sorted(Mention.objects.values_list("user__username", flat=True)) == named


def test_an_edit_names_others(people: People, section: Section) -> None:
    comment = threads.begin(section, "@teammate look", people.owner).comments.get()
    comments.edit(comment, "@viewer look", people.owner)
    assert [each.user for each in Mention.objects.all()] == [people.viewer]


def test_a_text_is_cut_where_it_names_somebody() -> None:
    cut = mentions.pieces("Ask @ann. Or @bob, a@ann", {"ann"})
    assert cut == [("Ask ", False), ("@ann", True), (". Or @bob, a@ann", False)]


def test_members_are_offered_by_user_name_or_name(people: People, commenter: User) -> None:
    assert mentions.offered(people.workspace, "ines") == [commenter]
    assert mentions.offered(people.workspace, "TEAM") == [people.teammate]
    assert people.stranger not in mentions.offered(people.workspace, "")


# --- what is new to whom


def test_what_concerns_me_is_new_until_i_have_looked(people: People, section: Section, commenter: User) -> None:
    thread = threads.begin(section, "@owner look", commenter)
    aside = threads.begin(section, "Nobody is named", commenter)
    assert [threads.unread(each) for each in (people.owner, people.teammate, commenter)] == [1, 0, 0]
    threads.look(people.owner, [thread.id, aside.id])
    assert threads.unread(people.owner) == 0
    assert not Seen.objects.filter(thread=aside, user=people.owner).exists(), "it does not concern them"
    comments.reply(thread, "And?", commenter)
    assert threads.unread(people.owner) == 1
    comments.reply(thread, "I have looked", people.owner)
    assert threads.unread(people.owner) == 0
    threads.assign(aside, people.teammate, people.owner)
    assert threads.unread(people.teammate) == 1
    assert drawn(people.teammate, aside)["is_new"]
    assert not drawn(people.owner, aside)["is_new"]
    threads.close(aside, people.owner)
    assert threads.unread(people.teammate) == 0


async def test_pages_of_the_document_and_those_concerned_hear_of_it(people_committed: People, ringing: None) -> None:
    people = people_committed
    owner, teammate = people.owner, people.teammate
    note = await db(lambda: documents.create("note", "Loops", {}, user=people.owner, workspace=people.workspace))
    rung: list[dict[str, Any]] = []
    news.bell.listen(news.CHANGED, rung.append)

    async def heard(verb: Callable[..., Any], *args: Any) -> list[set[str]]:
        rung.clear()
        await db(verb, *args)
        await asyncio.sleep(0.05)
        assert {each["kind"] for each in rung} <= {"thread"}
        return [{topic.replace(str(note.id), "it") for topic in each["topics"]} for each in rung]

    him, her = f"user.{owner.pk}", f"user.{teammate.pk}"
    try:
        assert await heard(threads.begin, note, "@owner look", teammate) == [{"document.it", him}]
        thread = await db(lambda: Thread.objects.whole().get())
        assert await heard(comments.reply, thread, "More", teammate) == [{"document.it", him}]
        assert await heard(threads.assign, thread, teammate, owner) == [{"document.it", him, her}]
        assert await heard(threads.close, thread, owner) == [{"document.it", him, her}]
        assert await heard(threads.close, thread, owner) == []
        assert await heard(threads.assign, thread, None, owner) == [{"document.it", him, her}]
        assert {each["id"] for each in rung} == {str(thread.id)}
        await db(threads.reopen, thread, owner)
        await db(workspaces.add_member, people.workspace, teammate, Role.OWNER, owner)
        await db(workspaces.remove_member, people.workspace, owner.pk, teammate)
        assert await heard(comments.reply, thread, "Alone", teammate) == [{"document.it"}], "who left hears nothing"
    finally:
        news.bell.forget(news.CHANGED, rung.append)


# --- words that are not there any more


def test_it_says_when_the_words_it_speaks_of_are_gone(people: People, section: Section, thread: Thread) -> None:
    by = By.person(people.owner)
    assert not drawn(people.viewer, thread)["is_changed"]
    sections.edit(section, {"content": "Again: one *two*. One *two* three & four"}, by)
    assert not drawn(people.viewer, thread)["is_changed"], "they stand elsewhere"
    entity = threads.begin(section, "And?", people.owner, quote="three & four", field="content")
    sections.edit(section, {"title": "Wherefore"}, by)
    assert not drawn(people.viewer, entity)["is_changed"]
    sections.edit(section, {"content": "Four."}, by)
    assert drawn(people.viewer, thread)["is_changed"]
    assert drawn(people.viewer, entity)["is_changed"]


def test_words_of_lists_of_things_and_of_the_document_are_found(people: People, course: Document) -> None:
    by = By.person(people.owner)
    chapter = sections.add(course, "chapter", {"title": "One"}, by)
    asked = [{"text": "Why repeat?", "answers": [{"text": "To be brief", "is_correct": True}, {"text": "No"}]}]
    paper = sections.add(course, "evaluation", {"questions": asked}, by, parent=chapter)
    thread = threads.begin(paper, "Why?", people.owner, quote="To be  brief")
    titled = threads.begin(course, "Whose?", people.owner, quote="Loops")
    sections.edit(paper, {"time_limit": 20}, by)
    documents.edit(course, {"description": "Of all sorts."}, by)
    assert not drawn(people.owner, thread)["is_changed"]
    assert not drawn(people.owner, titled)["is_changed"]
    documents.edit(course, {"title": "Rounds"}, by)
    assert drawn(people.owner, Thread.objects.get(id=titled.id))["is_changed"]


def test_a_thread_about_what_was_removed_says_so(people: People, section: Section, thread: Thread) -> None:
    assert drawn(people.owner, thread)["place"] == "Section 1"
    sections.remove(section, By.person(people.owner))
    assert drawn(people.owner, thread)["is_removed"]


# --- the bin


def test_threads_of_what_lies_in_the_bin_are_hidden_and_go_when_it_is_emptied(
    people: People, thread: Thread, commenter: User
) -> None:
    threads.assign(thread, people.teammate, people.owner)
    documents.bin(thread.document, people.owner)
    assert code_of(threads.visible, people.owner, thread.id) == "not_found.thread"
    assert code_of(comments.reply, thread, "More", commenter) == "not_found.thread"
    assert code_of(threads.begin, thread.document, "More", commenter) == "conflict.binned"
    assert threads.unread(people.teammate) == 0
    documents.empty_bin(people.workspace, people.owner)
    assert not Thread.objects.exists()
    assert not Comment.objects.exists()


# --- REST


def test_a_program_begins_answers_closes_and_takes_back(people: People, section: Section, commenter: User) -> None:
    rest, owner = Rest(commenter), Rest(people.owner)
    body = {
        "section": str(section.id),
        "field": "content",
        "quote": "three",
        "text": "@owner why?",
        "assignee": "owner",
    }
    made = rest.post(f"documents/{section.document_id}/threads", body, **{"Idempotency-Key": "a"})
    again = rest.post(f"documents/{section.document_id}/threads", body, **{"Idempotency-Key": "a"})
    assert (made.status_code, made.json()) == (201, again.json())
    thread = made.json()
    assert thread["assignee"] == {"username": "owner", "name": "owner"}
    assert thread["comments"][0]["mentions"] == [thread["assignee"]]
    assert owner.get("threads").json()["items"][0]["is_new"] is True
    said = owner.post(f"threads/{thread['id']}/comments", {"text": "Because."}).json()["comments"][1]
    changed = owner.patch(f"comments/{said['id']}", {"text": "Because, look."}).json()
    assert [each["text"] for each in changed["comments"]] == ["@owner why?", "Because, look."]
    closed = owner.patch(f"threads/{thread['id']}", {"state": "closed", "assignee": None}).json()
    assert (closed["state"], closed["assignee"], closed["closed_by"]["username"]) == ("closed", None, "owner")
    assert owner.patch(f"threads/{thread['id']}", {"state": "open"}).json()["closed_at"] is None
    assert owner.patch(f"threads/{thread['id']}", {"assignee": "commenter"}).json()["assignee"]["name"] == "Inès"
    assert owner.delete(f"comments/{said['id']}").status_code == 204
    assert rest.get(f"threads/{thread['id']}").json()["comments"][0]["text"] == "@owner why?"
    assert told(owner.post(f"documents/{section.document_id}/threads", {"text": ""})) == (
        422,
        "validation.comment_empty",
    )


def test_a_program_of_a_stranger_or_a_viewer_is_refused(people: People, thread: Thread) -> None:
    comment = thread.comments.get().id
    doors: list[tuple[str, str, Any]] = [
        ("POST", f"documents/{thread.document_id}/threads", {"text": "Hm"}),
        ("POST", f"threads/{thread.id}/comments", {"text": "Hm"}),
        ("PATCH", f"threads/{thread.id}", {"state": "closed"}),
        ("PATCH", f"comments/{comment}", {"text": "Hm"}),
        ("DELETE", f"comments/{comment}", None),
    ]
    for method, path, body in doors:
        assert Rest(people.stranger).send(method, path, body).status_code == 404, path
        assert Rest(people.viewer).send(method, path, body).status_code == 403, path
    for path in (f"documents/{thread.document_id}/threads", f"threads/{thread.id}"):
        assert Rest(people.stranger).get(path).status_code == 404
        assert Rest(people.viewer).get(path).status_code == 200
    assert Rest(people.stranger).get("threads").json()["items"] == []


def test_threads_come_by_state_and_page_open_ones_first(
    people: People, note: Document, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_pictures, "MOST_SHOWN", 2)
    made = [threads.begin(section if n % 2 else note, f"{n}", people.teammate) for n in range(5)]
    for n in (1, 4):
        threads.close(made[n], people.owner)
    threads.assign(made[2], people.owner, people.teammate)
    rest, path = Rest(people.owner), f"documents/{note.id}/threads"

    def listed(**query: Any) -> list[str]:
        answer = rest.get(path, **query).json()
        said = [each["comments"][0]["text"] for each in answer["items"]]
        return said + (listed(**{**query, "cursor": answer["cursor"]}) if answer["cursor"] else [])

    assert listed() == ["3", "2", "0", "4", "1"]
    assert listed(state="open") == ["3", "2", "0"]
    assert listed(state="closed") == ["4", "1"]
    assert listed(state="mine") == ["2"]
    assert listed(section=str(section.id)) == ["3", "1"]
    assert told(rest.get(path, state="nonsense")) == (422, "validation.choice")
    assert told(rest.get(path, cursor="nonsense"))[0] == 422
    assert listed(cursor=str(UUID(int=0))) == ["3", "2", "0", "4", "1"]


# --- pages


@pytest.fixture
def house(people_committed: People) -> People:
    """Committed: the page of a document is one snapshot, which needs a transaction of its own."""
    return people_committed


@pytest.fixture
def page_of(house: People) -> Callable[..., str]:
    def read(document: Document, who: str = "owner", path: str = "", **headers: str) -> str:
        client = house.client(getattr(house, who))
        answer = client.get(f"/documents/{document.id}/{path}", headers=headers)
        assert answer.status_code == 200
        return answer.content.decode()

    return read


@pytest.fixture
def large(house: People) -> Document:
    """Two hundred sections, each with three threads of two comments."""
    document = documents.create("note", "Large", {}, user=house.owner, workspace=house.workspace)
    rows = Section.objects.bulk_create(
        Section(document=document, type="section", key=f"section-{n}", rank=rank, fields={"title": f"{n}"})
        for n, rank in enumerate(spread(200))
    )
    made = Thread.objects.bulk_create(
        Thread(document=document, section=row, user=house.owner, assignee=house.teammate)
        for row in rows
        for _ in range(3)
    )
    Comment.objects.bulk_create(
        Comment(thread=thread, user=user, text="Why?") for thread in made for user in (house.owner, house.viewer)
    )
    return document


def asked(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return sum(each["sql"] not in ("BEGIN", "COMMIT") for each in seen.captured_queries)


def test_many_threads_cost_a_page_nothing_more(house: People, large: Document) -> None:
    client = house.client(house.teammate)
    assert asked(client, f"/documents/{large.id}/") <= 12
    assert asked(client, f"/documents/{large.id}/comments/?of=all") <= 13
    assert asked(client, "/comments/") <= 9
    assert asked(client, "/comments/unread/") <= 4
    assert client.get("/comments/unread/").content == b"600"


def test_the_margin_says_how_many_are_open_where(house: People, page_of: Callable[..., str]) -> None:
    note = documents.create("note", "Loops", {}, user=house.owner, workspace=house.workspace)
    by = By.person(house.owner)
    first = sections.add(note, "section", {"title": "Why"}, by)
    second = sections.add(note, "section", {"title": "How"}, by)
    begun = [threads.begin(about, "Hm", house.owner) for about in (first, first, note)]
    threads.close(begun[0], house.owner)

    def marks(who: str) -> list[str]:
        found = re.findall(r'id="comments-([\w-]+)".*?</svg>(.*?)</a>', page_of(note, who), re.DOTALL)
        return [dict(found).get(str(each.id), "") for each in (note, first, second)]

    assert marks("owner") == ["1 comment", "1 comment", "Comment"]
    assert marks("viewer") == ["1 comment", "1 comment", ""]
    stamps = re.compile(rf"{first.id}:(\w+)")
    before = stamps.findall(page_of(note))
    threads.begin(first, "More", house.owner)
    assert stamps.findall(page_of(note)) != before, "a live page asks for the section again"


def test_forms_begin_answer_assign_close_and_open_again(people: People, section: Section, commenter: User) -> None:
    client = people.client(commenter)
    address = f"/documents/{section.document_id}/comments/"
    said = {"text": "@owner why?", "section": section.id, "field": "content", "assignee": "owner", "key": "a"}
    for _ in range(2):
        assert client.post(address, said)["Location"] == f"{address}?section={section.id}"
    thread = Thread.objects.get()
    here = f"{address}#thread-{thread.id}"
    assert client.get(f"/threads/{thread.id}/")["Location"] == here
    assert client.post(f"/threads/{thread.id}/reply/", {"text": "So?", "key": "b"})["Location"] == here
    assert "selected" in client.get(f"/threads/{thread.id}/assign/").content.decode()
    client.post(f"/threads/{thread.id}/assign/", {"assignee": ""})
    assert Thread.objects.get().assignee is None
    client.post(f"/threads/{thread.id}/assign/", {"assignee": "teammate"})
    assert Thread.objects.get().assignee == people.teammate
    closed = client.post(f"/threads/{thread.id}/close/")["Location"]
    assert closed == f"{address}?of=all#thread-{thread.id}"
    assert "Closed by Inès" in client.get(address, {"of": "closed"}).content.decode()
    assert "Nobody has said anything here." in client.get(address, {"section": str(section.id)}).content.decode()
    assert client.post(f"/threads/{thread.id}/reopen/")["Location"] == here
    first, second = thread.comments.order_by("id")
    client.post(f"/comments/{second.id}/edit/", {"text": "Well?"})
    page = client.get(address).content.decode()
    assert re.search(r'<b class="name">@owner</b> why\?</p>.*Well\?</p>', page, re.DOTALL)
    assert client.post(f"/comments/{second.id}/delete/")["Location"] == here
    assert client.post(f"/comments/{first.id}/delete/")["Location"] == address
    assert "No comment yet." in client.get(address).content.decode()


def test_fragments_take_the_place_of_what_they_were(people: People, section: Section, commenter: User) -> None:
    client = Client(headers={"HX-Request": "true"})
    client.force_login(commenter)
    address = f"/documents/{section.document_id}/comments/"
    listed = client.post(address, {"text": "Why?", "section": section.id, "key": "a"}).content.decode()
    assert listed.strip().startswith('<div id="comments"')
    assert "Section 1" in listed
    thread = Thread.objects.get()
    row = client.post(f"/threads/{thread.id}/close/").content.decode()
    assert row.startswith(f'<article class="comment" id="thread-{thread.id}"')
    assert client.get(address, {"part": "threads"}).content.decode().strip().startswith('<div id="threads"')
    assert "</form>" in client.get(f"/threads/{thread.id}/assign/").content.decode()
    offered = client.get(f"/documents/{section.document_id}/members/", {"q": "in"}).content.decode()
    assert re.findall('data-name="([^"]*)"', offered) == ["commenter"]
    assert not client.get(f"/documents/{section.document_id}/members/", {"q": "zz"}).content.strip()
    assert client.post(f"/comments/{thread.comments.get().id}/delete/").content == b""
    refused = client.post(address, {"text": "", "key": "b"})
    assert (refused.status_code, refused["HX-Retarget"]) == (422, "#told")


def test_a_long_list_goes_on(people: People, section: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_pictures, "MOST_SHOWN", 1)
    for text in ("First", "Second"):
        threads.begin(section, f"{text}, @owner", people.teammate)
    client = people.client(people.owner)
    for address in (f"/documents/{section.document_id}/comments/", "/comments/"):
        page = client.get(address).content.decode()
        assert "Second, " in page
        assert "First, " not in page
        following = re.search(r'hx-get="([^"]*cursor=[^"]*)"', page)
        assert following
        rest = client.get(following[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).content.decode()
        assert rest.startswith("<article")
        assert "First, " in rest


def test_what_waits_for_me_is_listed_whatever_the_workspace_until_i_have_looked(
    people: People, section: Section, commenter: User
) -> None:
    assert "Nothing waits for you." in people.client(people.owner).get("/comments/").content.decode()
    elsewhere = workspaces.create("Reading room", people.owner)
    other = documents.create("note", "", {}, user=people.owner, workspace=elsewhere)
    workspaces.add_member(elsewhere, commenter, Role.COMMENTER, by=people.owner)
    threads.begin(other, "@owner here", commenter)
    thread = threads.begin(section, "@owner there", commenter)
    client = people.client(people.owner)
    page = client.get("/comments/").content.decode()
    assert page.index("</b> there") < page.index("</b> here")
    assert page.count(">New</span>") == 2
    assert client.get("/comments/unread/").content == b"2"
    assert client.post("/comments/unread/", {"id": [thread.id, "nonsense"]}).content == b"1"
    assert people.client(people.stranger).post("/comments/unread/", {"id": [thread.id]}).content == b"0"


def test_pages_of_strangers_and_viewers(people: People, thread: Thread) -> None:
    comment = thread.comments.get().id
    forms = [f"/threads/{thread.id}/{verb}/" for verb in ("reply", "close", "reopen", "assign")]
    forms += [f"/comments/{comment}/{verb}/" for verb in ("edit", "delete")]
    address = f"/documents/{thread.document_id}/comments/"
    for path in (*forms, address):
        assert people.client(people.stranger).post(path, {"text": "Hm"}).status_code == 404, path
        assert people.client(people.viewer).post(path, {"text": "Hm"}).status_code == 403, path
    page = people.client(people.viewer).get(address).content.decode()
    assert "Why so short?" in page
    assert "<textarea" not in page[page.index('id="comments"') :]
    owner = people.client(people.owner)
    assert owner.get(address, {"section": "nonsense"}).status_code == 422
    assert owner.get(address, {"section": str(uuid4())}).status_code == 404
    assert owner.get(address, {"of": "nonsense"}).status_code == 422


def test_staff_see_that_something_is_said_and_not_what(people: People, thread: Thread) -> None:
    client = people.client(staff("keeper", "view_thread"))
    for path in ("", f"{thread.id}/change/"):
        page = client.get(f"/admin/generation/thread/{path}").content.decode()
        assert "commenter" in page
        assert "Why so short?" not in page
