"""From the words on a page to the call that wrote them, its prompt, version, arm and model; and back."""

from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from generation import prompts, sections
from generation.models import Arm, Assignment, Call, Document, Run, Section
from memory import history, workspaces
from memory.history import By
from memory.models import AuthorKind, Role, User
from tests import instructions
from tests.people import People, staff
from tests.rest import Rest, told
from tests.things import a_call, an_experiment, start_a_note

SECRET = "What the brief said, word for word."


@pytest.fixture
def run(people: People) -> Run:
    instructions.give()
    return start_a_note(people.owner, people.workspace)


@pytest.fixture
def tracer(people: People) -> User:
    """Of the staff, with a part in the workspace."""
    user = staff("tracer", "view_call", "read_call", "view_run", "view_promptversion")
    workspaces.add_member(people.workspace, user, Role.EDITOR, by=people.owner)
    return user


@pytest.fixture
def section(people: People, run: Run) -> Section:
    """Begun by a person, written by a step of the run."""
    note = run.document
    assert isinstance(note, Document)
    made = sections.add(note, "section", {"title": "Loops"}, By.person(people.owner))
    machine = By(AuthorKind.RECIPE, people.owner, run.id, "section-1")
    history.write_as_recipe(made, {"content": "They repeat."}, machine, read_version=1, group=run.id)
    return made


@pytest.fixture
def call(run: Run) -> Call:
    sent = [{"role": "system", "content": "Write a section."}, {"role": "user", "content": SECRET}]
    version = prompts.current("note/section")
    return a_call(run, None, step="section-1", prompt_version=version, messages=sent, variables={"brief": SECRET})


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(user: User, path: str) -> str:
    answer = client_of(user).get(path, follow=True)
    assert answer.status_code == 200, (path, answer.status_code)
    return unescape(answer.content.decode())


def test_the_words_of_a_section_lead_to_the_call_that_wrote_them(
    tracer: User, section: Section, call: Call, run: Run
) -> None:
    other = a_call(run, None, step="section-2", prompt_version=call.prompt_version)
    menu = shown(tracer, f"/sections/{section.id}/tools/")
    assert f"/sections/{section.id}/trace/" in menu
    led = client_of(tracer).get(f"/sections/{section.id}/trace/")
    assert led["Location"].endswith(f"?run={run.id}&step=section-1")
    listed = shown(tracer, led["Location"])
    assert f"/admin/generation/call/{call.id}/change/" in listed
    assert str(other.id) not in listed
    assert "note/section v1" in listed


def test_a_call_shows_what_was_sent_and_the_way_back(tracer: User, section: Section, call: Call, run: Run) -> None:
    page = shown(tracer, f"/admin/generation/call/{call.id}/change/")
    for said in (SECRET, "demo:demo", "note/section v1", f"/documents/{run.document_id}/"):
        assert said in page
    assert f"/admin/generation/run/{run.id}/change/" in page
    assert f"/admin/generation/promptversion/{call.prompt_version_id}/change/" in page


def test_an_arm_is_named_by_the_calls_that_it_was_given_to(tracer: User, run: Run) -> None:
    keeper = User.objects.create_superuser("root", "root@example.org")
    arm = an_experiment(keeper)["arm"]
    given = Assignment.objects.create(experiment=Arm.objects.get(pk=arm).experiment, unit=run.id, arm_id=arm, plan=0)
    made = a_call(run, given, prompt_version=prompts.current("note/outline"))
    assert "Loops: more" in shown(tracer, f"/admin/generation/call/{made.id}/change/")
    assert Rest(tracer).get(f"calls/{made.id}").json()["arms"] == ["Loops: more"]


def test_what_was_sent_is_for_those_who_may_read_it(people: People, section: Section, call: Call) -> None:
    looker = staff("looker", "view_call")
    page = shown(looker, f"/admin/generation/call/{call.id}/change/")
    assert "note/section v1" in page
    assert SECRET not in page
    assert Rest(looker).get(f"calls/{call.id}").json()["messages"] is None
    # Who has no part in the workspace does not even find the section.
    assert client_of(looker).get(f"/sections/{section.id}/trace/").status_code == 404
    clerk = staff("clerk")
    assert client_of(clerk).get(f"/admin/generation/call/{call.id}/change/").status_code == 403
    assert told(Rest(clerk).get(f"calls/{call.id}")) == (403, "permission.right")


def test_a_conversation_is_its_owners_alone(tracer: User, call: Call, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(is_private=True)
    page = shown(tracer, f"/admin/generation/call/{call.id}/change/")
    assert SECRET not in page
    assert "conversations are their owner's alone" in page
    assert Rest(tracer).get(f"calls/{call.id}").json()["messages"] is None
    Run.objects.filter(pk=run.pk).update(user=tracer)
    assert SECRET in shown(tracer, f"/admin/generation/call/{call.id}/change/")


@pytest.mark.parametrize(
    "guess", ["messages__icontains", "variables__brief__startswith", "messages__0__content__startswith"]
)
def test_nobody_guesses_what_was_sent_by_filters(call: Call, guess: str) -> None:
    looker = client_of(staff("looker", "view_call"))
    for word in (SECRET[:4], "nothing"):
        answer = looker.get(f"/admin/generation/call/?{guess}={word}", follow=True)
        assert str(call.id) not in answer.content.decode() or answer.status_code == 400


def test_a_refusal_that_repeats_what_was_said_is_for_readers(call: Call, tracer: User) -> None:
    Call.objects.update(error={"error_code": "model.refusal", "params": {"detail": SECRET}}, messages=None)
    looker = staff("looker", "view_call")
    assert SECRET not in shown(looker, f"/admin/generation/call/{call.id}/change/")
    assert Rest(looker).get(f"calls/{call.id}").json()["error"] == {"error_code": "model.refusal"}
    assert Rest(tracer).get(f"calls/{call.id}").json()["error"]["params"] == {"detail": SECRET}


def test_a_call_is_found_by_its_id_or_its_runs(tracer: User, call: Call, run: Run) -> None:
    for what in (call.id, run.id, "section", "planner"):
        assert str(call.id) in shown(tracer, f"/admin/generation/call/?q={what}")
    assert str(call.id) not in shown(tracer, "/admin/generation/call/?q=nothing")


def test_members_and_strangers_trace_nothing(people: People, section: Section, call: Call) -> None:
    assert client_of(people.owner).get(f"/sections/{section.id}/trace/").status_code == 403
    assert "trace" not in shown(people.owner, f"/sections/{section.id}/tools/")
    assert client_of(people.stranger).get(f"/sections/{section.id}/trace/").status_code == 404
    for who in (people.owner, people.stranger):
        assert client_of(who).get(f"/admin/generation/call/{call.id}/change/").status_code == 302
        assert told(Rest(who).get(f"calls/{call.id}")) == (403, "permission.staff")
        assert told(Rest(who).get("calls")) == (403, "permission.staff")


def test_what_is_not_kept_any_more_is_said_so(tracer: User, call: Call) -> None:
    Call.objects.update(messages=None, variables=None)
    assert "It is not kept any more." in shown(tracer, f"/admin/generation/call/{call.id}/change/")
    assert Rest(tracer).get(f"calls/{call.id}").json()["messages"] is None


def test_a_script_follows_the_same_way(tracer: User, call: Call, run: Run) -> None:
    rest = Rest(tracer)
    (found,) = rest.get("calls", run=str(run.id), step="section-1").json()
    assert (found["id"], found["prompt"], found["version"]) == (str(call.id), "note/section", 1)
    assert "messages" not in found
    assert rest.get("calls", version=str(call.prompt_version_id)).json() == [found]
    assert rest.get(f"calls/{call.id}").json()["messages"][1]["content"] == SECRET
    nobody = UUID("00000000-0000-7000-8000-000000000000")
    assert told(rest.get(f"calls/{nobody}")) == (404, "not_found.call")


def test_what_a_person_wrote_was_asked_of_no_model(tracer: User, people: People, run: Run) -> None:
    note: Any = run.document
    own = sections.add(note, "section", {"title": "Mine"}, By.person(people.owner))
    assert client_of(tracer).get(f"/sections/{own.id}/trace/").status_code == 404


def test_a_change_in_the_history_leads_to_its_calls(tracer: User, section: Section, run: Run, people: People) -> None:
    sections.edit(Section.objects.get(pk=section.pk), {"content": "They go round."}, By.person(people.owner))
    page = shown(tracer, f"/documents/{run.document_id}/history/")
    assert page.count(f"?run={run.id}&step=section-1") == 1
    assert f"?run={run.id}" not in shown(people.owner, f"/documents/{run.document_id}/history/")


def test_a_hostile_text_is_only_text(tracer: User, run: Run) -> None:
    sent = [{"role": "user", "content": "<script>alert(1)</script>"}]
    made = a_call(run, None, messages=sent, prompt_version=prompts.current("note/section"))
    answer = client_of(tracer).get(f"/admin/generation/call/{made.id}/change/")
    assert b"<script>alert" not in answer.content
