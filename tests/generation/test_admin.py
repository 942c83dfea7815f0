"""Staff at the work: runs to look at and to stop, prompts to put in force, chains to change."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote as admin_quote
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from generation import documents, prompts, runs, sections, time_line
from generation.models import Agent, Call, Claim, Decision, PromptVersion, Run, RunState, Step
from generation.orders import Order
from generation.registry import recipe_of
from memory import history, workspaces
from memory.history import By
from memory.models import AuthorKind, Change, Role, User
from tests import instructions
from tests.people import People

pytestmark = pytest.mark.django_db

SLOT = "note/outline"


@pytest.fixture
def keeper(people: People) -> User:
    """A superuser who has a part in the workspace."""
    instructions.give()
    user = User.objects.create_superuser("keeper", "keeper@example.org")
    workspaces.add_member(people.workspace, user, Role.EDITOR, by=people.owner)
    return user


@pytest.fixture
def run(people: People) -> Run:
    order = Order("Three sections on loops.", title="Loops")
    return runs.start(recipe_of("note"), order, user=people.owner, workspace=people.workspace)[0]


def page_of(user: User, path: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/admin/generation/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def act(user: User, model: str, action: str, *chosen: UUID) -> Any:
    client = Client()
    client.force_login(user)
    form = {"action": action, "_selected_action": [str(one) for one in chosen]}
    return client.post(f"/admin/generation/{model}/", form, follow=True)


def post(user: User, path: str, form: dict[str, Any]) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/admin/generation/{path}", form)


def test_a_run_is_seen_with_the_state_of_its_claim(keeper: User, run: Run) -> None:
    assert "queued" in page_of(keeper, "run/")
    shown = page_of(keeper, f"run/{run.id}/change/")
    assert "Loops" in shown
    assert 'name="_save"' not in shown


def test_what_was_asked_of_the_model_is_not_shown(keeper: User, run: Run) -> None:
    assert "Three sections on loops." not in page_of(keeper, f"run/{run.id}/change/")


@pytest.fixture
def story(run: Run) -> Run:
    """An outline that was asked for twice, and a section that fell back."""
    begun = timezone.now() - timedelta(seconds=10)
    Run.objects.filter(pk=run.pk).update(started_at=begun, finished_at=begun + timedelta(seconds=8))
    error = {"error_code": "model.rate_limited", "params": {}}
    Step.objects.create(
        run=run, key="outline", state="done", attempts=2, started_at=begun, finished_at=begun + timedelta(seconds=4)
    )
    Step.objects.create(
        run=run,
        key="section-1",
        state="fallback",
        is_fallback=True,
        attempts=1,
        text="Secret answer",
        error={"error_code": "model.refusal", "params": {}},
        started_at=begun + timedelta(seconds=4),
        finished_at=begun + timedelta(seconds=8),
    )
    facts = {"run": run, "workspace": run.workspace, "user": run.user, "epoch": 1, "agent": "planner"}
    facts |= {"provider": "openai", "model": "small", "messages": [{"role": "user", "content": "Secret question"}]}
    Call.objects.create(
        **facts,
        step="outline",
        attempt=1,
        reason="first",
        state="failed",
        error=error,
        duration_ms=50,
        created_at=begun + timedelta(seconds=1),
    )
    Call.objects.create(
        **facts,
        step="outline",
        attempt=2,
        reason="retry",
        state="done",
        tokens_in=1200,
        tokens_out=345,
        cost_usd="0.0123",
        first_token_ms=87,
        duration_ms=2500,
        created_at=begun + timedelta(seconds=1.5),
    )
    return run


def test_the_time_line_of_a_run_says_who_answered_what_it_cost_and_what_went_wrong(keeper: User, story: Run) -> None:
    page = page_of(keeper, f"run/{story.id}/change/")
    line = page[page.index("story-head") : page.index("</section>")]
    for said in (
        "2 steps", "2 calls", "1200 tokens in, 345 out", "$0.0123", "1 call made again", "1 fallback", "openai:small",
        "87 ms", "2.5 s", "<b>retry</b>", "1 without a price",
        "The provider has too much to do.", "The model declined to answer.",
    ):  # fmt: skip
        assert said in line, said
    assert 'data-state="fallback"' in line
    assert "Secret" not in page


def test_bars_lie_where_things_happened(keeper: User, story: Run) -> None:
    lines = time_line.of(story.id).lines
    outline, section = (line.stretch for line in lines)
    assert outline
    assert section
    assert (outline.x, outline.x + outline.width) == (0, section.x)
    assert section.x + section.width == 1000
    for line in lines:
        assert all(0 <= call.stretch.x <= 1000 - call.stretch.width for call in line.calls)


def test_a_run_that_has_done_nothing_has_an_empty_time_line(keeper: User, run: Run) -> None:
    assert "Nothing has happened yet." in page_of(keeper, f"run/{run.id}/change/")


def test_what_was_taken_over_took_no_time_of_this_run(story: Run) -> None:
    Step.objects.filter(key="outline").update(copied_from=story.id)
    assert time_line.of(story.id).lines[0].stretch is None


def test_a_time_line_of_many_steps_asks_little(
    keeper: User, story: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Step.objects.bulk_create(Step(run=story, key=f"part-{n}") for n in range(200))
    client = Client()
    client.force_login(keeper)
    with django_assert_max_num_queries(12):
        page = client.get(f"/admin/generation/run/{story.id}/change/").content.decode()
    assert page.count('<tr class="step">') == 202


def test_staff_without_the_right_sees_no_time_line(story: Run) -> None:
    client = Client()
    client.force_login(User.objects.create_user("staff", "staff@example.org", is_staff=True))
    assert client.get(f"/admin/generation/run/{story.id}/change/").status_code == 403


def test_a_run_is_stopped_through_its_verb(keeper: User, run: Run) -> None:
    act(keeper, "run", "cancel", run.id)
    assert Claim.objects.get(run=run).state == RunState.CANCELLED
    assert LogEntry.objects.get().user == keeper


def test_a_stranger_stops_nothing_even_as_superuser(people: People, keeper: User, run: Run) -> None:
    stranger = User.objects.create_superuser("other", "other@example.org")
    told = act(stranger, "run", "cancel", run.id).content.decode()
    assert "This workspace does not exist" in told
    assert Claim.objects.get(run=run).state == RunState.QUEUED


def test_a_new_text_is_a_new_version_and_changes_nothing_in_force(keeper: User) -> None:
    before = prompts.current(SLOT)
    answer = post(
        keeper, "promptversion/add/", {"prompt": SLOT, "text": "[user]\r\nOther", "message": "shorter", "accept": "on"}
    )
    assert answer.status_code == 302
    new = PromptVersion.objects.filter(prompt_id=SLOT).first()
    assert new is not None
    assert (new.number, new.author, new.from_file) == (before.number + 1, keeper, False)
    assert new.digest == prompts.digest("[user]\nOther")
    assert prompts.current(SLOT) == before


def test_a_text_that_no_engine_can_read_is_refused_in_words(keeper: User) -> None:
    answer = post(keeper, "promptversion/add/", {"prompt": SLOT, "text": "[user]\n{% nonsense %}", "message": ""})
    assert "Line 2: This cannot be read: Invalid block tag: &#x27;nonsense&#x27;" in answer.content.decode()
    assert PromptVersion.objects.filter(prompt_id=SLOT).count() == 1


def test_a_text_is_checked_before_it_is_kept(keeper: User) -> None:
    whole = prompts.current(SLOT).text
    unknown = post(keeper, "promptversion/add/", {"prompt": SLOT, "text": f"{whole}\n{{{{ whom }}}}", "message": ""})
    line = whole.count("\n") + 2
    assert f"Line {line}: “whom” is no variable of this prompt." in unescape(unknown.content.decode())
    given = {"prompt": SLOT, "text": "[user]\nOther", "message": ""}
    left_out = post(keeper, "promptversion/add/", given)
    assert "“brief” is given to this prompt, and it says nothing of it." in unescape(left_out.content.decode())
    assert PromptVersion.objects.filter(prompt_id=SLOT).count() == 1
    assert post(keeper, "promptversion/add/", {**given, "accept": "on"}).status_code == 302
    assert PromptVersion.objects.filter(prompt_id=SLOT).count() == 2


def test_a_new_version_begins_as_the_one_in_production(keeper: User) -> None:
    shown = page_of(keeper, f"prompt/{admin_quote(SLOT)}/change/")
    assert "{{ brief }}" in shown
    assert f"promptversion/add/?prompt={SLOT}" in shown
    begun = unescape(page_of(keeper, f"promptversion/add/?prompt={SLOT}"))
    assert "<code>{{ brief }}</code>" in begun
    assert prompts.current(SLOT).text.splitlines()[1] in begun


def test_an_address_that_is_no_version_is_not_there(keeper: User) -> None:
    client = Client()
    client.force_login(keeper)
    for path in ("promptversion/nonsense/change/", "experiment/nonsense/change/"):
        assert client.get(f"/admin/generation/{path}").status_code in (302, 404)


def test_two_versions_are_compared_word_by_word(keeper: User, people: People) -> None:
    old = prompts.current(SLOT)
    new = prompts.add_version(old.prompt, old.text.replace("{{ brief }}", "{{ order }}", 1), message="other words")
    assert f"promptversion/{old.id}/to/{new.id}/" in page_of(keeper, f"promptversion/{new.id}/change/")
    shown = page_of(keeper, f"promptversion/{old.id}/to/{new.id}/")
    assert ("<del>brief</del>" in shown, "<ins>order</ins>" in shown) == (True, True)
    client = Client()
    staff = User.objects.create_user("clerk", "clerk@example.org", is_staff=True)
    client.force_login(staff)
    assert client.get(f"/admin/generation/promptversion/{old.id}/to/{new.id}/").status_code == 403
    client.force_login(people.stranger)
    assert client.get(f"/admin/generation/promptversion/{old.id}/to/{new.id}/").status_code in (302, 403)


def test_a_slot_goes_out_and_comes_in(keeper: User, people: People) -> None:
    version = prompts.current(SLOT)
    prompts.add_version(version.prompt, f"{version.text}More.\n", author=keeper, message="more")
    client = Client()
    client.force_login(keeper)
    sent = client.get(f"/admin/generation/prompt/export/{SLOT}/")
    assert sent.headers["Content-Disposition"] == 'attachment; filename="note-outline.json"'
    PromptVersion.objects.filter(prompt=SLOT, number=2).delete()

    def bring(content: bytes) -> str:
        upload = SimpleUploadedFile("slot.json", content, "application/json")
        answer = client.post("/admin/generation/prompt/import/", {"file": upload}, follow=True)
        assert answer.status_code == 200
        return unescape(answer.content.decode())

    assert "1 version was added." in bring(sent.content)
    assert "0 versions were added." in bring(sent.content)
    assert PromptVersion.objects.filter(prompt=SLOT).count() == 2
    assert LogEntry.objects.count() == 1
    assert "Import a slot" in page_of(keeper, "prompt/")
    assert "JSON" in bring(b"nonsense").partition('role="alert"')[2][:200]
    assert "This is no slot that was exported here." in bring(b"{}")
    clerk = User.objects.create_user("clerk", "clerk@example.org", is_staff=True)
    for other in (clerk, people.stranger):
        client.force_login(other)
        for where in (f"export/{SLOT}/", "import/"):
            assert client.get(f"/admin/generation/prompt/{where}").status_code in (302, 403)


def test_a_slot_is_not_deleted(keeper: User) -> None:
    assert post(keeper, f"prompt/{admin_quote(SLOT)}/delete/", {"post": "yes"}).status_code == 403
    assert prompts.current(SLOT)


def test_slots_are_listed_with_how_often_they_were_asked(keeper: User, run: Run) -> None:
    version = prompts.current(SLOT)
    facts = {"run": run, "workspace": run.workspace, "user": run.user, "attempt": 1, "epoch": 1, "reason": "first"}
    for days in (0, 1, 8):
        call = Call.objects.create(
            step="outline", agent="planner", provider="demo", model="demo", prompt_version=version, **facts
        )
        Call.objects.filter(id=call.id).update(created_at=timezone.now() - timedelta(days=days))
    row = re.search(rf"(?s)>{SLOT}</a>.*?</tr>", page_of(keeper, "prompt/?q=outline"))
    assert row
    assert re.search(r">\s*2\s*<", row[0])


def test_a_version_never_changes(keeper: User) -> None:
    version = prompts.current(SLOT)
    post(keeper, f"promptversion/{version.id}/change/", {"prompt": SLOT, "text": "[user]\nOther", "message": "x"})
    version.refresh_from_db()
    assert "Other" not in version.text


def test_a_version_is_put_in_force_and_back(keeper: User) -> None:
    old = prompts.current(SLOT)
    new = prompts.add_version(old.prompt, "[user]\nOther")
    assert f"promptversion/{new.id}/production/" in page_of(keeper, f"promptversion/{new.id}/change/")
    assert "<ins>Other</ins>" in page_of(keeper, f"promptversion/{new.id}/production/")
    assert post(keeper, f"promptversion/{new.id}/production/", {"reason": ""}).status_code == 200
    assert prompts.current(SLOT) == old
    assert post(keeper, f"promptversion/{new.id}/production/", {"reason": "shorter"}).status_code == 302
    assert prompts.current(SLOT) == new
    assert "Roll back" in page_of(keeper, f"promptversion/{old.id}/change/")
    assert "Roll back" in page_of(keeper, f"promptversion/{old.id}/production/")
    post(keeper, f"promptversion/{old.id}/production/", {"reason": "too short"})
    assert prompts.current(SLOT) == old
    shown = unescape(page_of(keeper, f"prompt/{admin_quote(SLOT)}/change/"))
    for told in ("v1 → v2", "shorter", "v2 → v1", "too short", "keeper"):
        assert told in shown
    last = Decision.objects.first()
    assert last
    assert f"decision/{last.id}/undo/" in shown
    assert f"decision/{last.id}/undo/" in page_of(keeper, "decision/")
    post(keeper, f"decision/{last.id}/undo/", {"reason": "no, it was right"})
    assert prompts.current(SLOT) == new
    told_again = post(keeper, f"decision/{last.id}/undo/", {"reason": "once more"})
    assert "Something else was decided since." in told_again.content.decode()


def test_what_the_environment_says_is_shown(keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPT_VERSION_NOTE_OUTLINE", "1")
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "openai:large")
    assert "environment" in page_of(keeper, "prompt/").lower()
    assert "openai:large" in page_of(keeper, "agent/")


def agent_form(chain: str) -> dict[str, Any]:
    return {"title": "Writer", "role": "", "chain": chain, "temperature": "0.5", "max_tokens": "100", "max_rounds": "9"}


def test_a_chain_is_changed(keeper: User) -> None:
    unsaid = post(keeper, "agent/writer/change/", agent_form('["openai:small", "demo:demo"]'))
    assert "A reason is missing" in unsaid.content.decode()
    form = agent_form('["openai:small", "demo:demo"]') | {"reason": "cheaper", "temperature": "0.4"}
    post(keeper, "agent/writer/change/", form)
    writer = Agent.objects.get(name="writer")
    assert (writer.chain, writer.temperature) == (["openai:small", "demo:demo"], 0.4)
    decision = Decision.objects.get()
    assert (decision.before, decision.after["chain"], decision.reason) == ({"chain": []}, writer.chain, "cheaper")


def test_staff_say_which_tools_an_agent_may_use(keeper: User) -> None:
    post(keeper, "agent/writer/change/", agent_form("[]") | {"tools": "web_search, read_object ,"})
    writer = Agent.objects.get(name="writer")
    assert writer.tools == ["web_search", "read_object"]
    assert [writer.may_use(name) for name in ("read_object", "update_field")] == [True, False]
    assert 'value="web_search, read_object"' in page_of(keeper, "agent/writer/change/")
    post(keeper, "agent/writer/change/", agent_form("[]") | {"tools": ""})
    assert Agent.objects.get(name="writer").may_use("update_field")


@pytest.mark.parametrize("chain", ['["nonsense"]', '"openai:small"', "[1]", '{"a": 1}'])
def test_a_chain_that_names_no_model_is_refused_in_words(keeper: User, chain: str) -> None:
    answer = post(keeper, "agent/writer/change/", agent_form(chain))
    assert "provider:model" in answer.content.decode()
    assert Agent.objects.get(name="writer").chain == []


def test_a_document_is_seen_as_a_tree_with_its_runs_and_without_its_text(keeper: User, run: Run) -> None:
    assert run.document
    by = By.person(keeper)
    course = documents.create("course", "<b>Loops</b>", {}, user=keeper, workspace=run.workspace)
    chapter = sections.add(course, "chapter", {"title": "Secret"}, by)
    lesson = sections.add(course, "lesson", {}, by, parent=chapter)
    page = page_of(keeper, f"document/{course.id}/change/")
    assert f"<li>chapter {chapter.key}: draft, v1<ul><li>lesson {lesson.key}: draft, v1</li></ul></li>" in page
    assert "Secret" not in page
    assert "<b>Loops" not in page
    assert f"/admin/generation/run/{run.id}/change/" in page_of(keeper, f"document/{run.document.id}/change/")
    assert f"/admin/generation/document/{run.document.id}/change/" in page_of(keeper, f"run/{run.id}/change/")
    assert "Loops" in page_of(keeper, f"document/?q={course.id}")


def test_a_document_is_seen_with_what_was_done_to_it(keeper: User, run: Run) -> None:
    by = By.person(keeper)
    note = documents.create("note", "Note", {}, user=keeper, workspace=run.workspace)
    section = sections.add(note, "section", {}, by)
    (change,) = sections.edit(section, {"content": "Secret"}, by)
    page = page_of(keeper, f"document/{note.id}/change/")
    assert f"/admin/memory/change/{change.id}/change/" in page
    assert f"/admin/memory/change/?q={note.id}" in page
    assert "Secret" not in page


def memory_page(user: User, path: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(f"/admin/memory/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_changes_and_proposals_are_found_by_document_and_never_edited(keeper: User, run: Run) -> None:
    by = By.person(keeper)
    note = documents.create("note", "Note", {}, user=keeper, workspace=run.workspace)
    section = sections.add(note, "section", {"content": "Secret"}, by)
    sections.lock(section, by)
    machine = By(AuthorKind.RECIPE, keeper, run.id, "section-1")
    proposal = history.write_as_recipe(
        section, {"content": "Secret too"}, machine, read_version=1, group=run.id
    ).proposal
    assert proposal
    change = Change.objects.filter(object_id=section.id, path="content").get()
    for model, one in (("change", change.id), ("proposal", proposal.id)):
        assert str(one) in memory_page(keeper, f"{model}/?q={note.id}")
        assert str(one) not in memory_page(keeper, f"{model}/?q={run.document_id}")
        assert memory_page(keeper, f"{model}/?q=nonsense")
        page = memory_page(keeper, f"{model}/{one}/change/")
        assert "Secret" not in page
        assert 'name="_save"' not in page


def test_a_stranger_to_the_staff_sees_no_history(people: People, run: Run) -> None:
    for path in ("memory/change/", "memory/proposal/", f"generation/document/{run.document_id}/change/"):
        assert people.client(people.stranger).get(f"/admin/{path}").status_code == 302
