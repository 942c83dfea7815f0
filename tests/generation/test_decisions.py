"""What staff put in force: who, when, why; by the page and by REST; taken back as long as it stands."""

from typing import Any

import pytest

from generation import decisions, prompts
from generation.models import Agent, Decision, Deed, Prompt, PromptVersion
from memory.base.errors import Conflict, InvalidInput, PermissionRefused
from memory.models import User
from tests import instructions
from tests.people import People, staff
from tests.rest import Rest, told

SLOT = "note/outline"
TEXT = "[user]\n{{ brief }} {{ extra }}"


@pytest.fixture(autouse=True)
def synced(db: None) -> None:
    instructions.give()


@pytest.fixture
def promoter() -> User:
    return staff("promoter", "promote_prompt", "view_decision", "view_promptversion", "view_agent")


@pytest.fixture
def second() -> PromptVersion:
    return newer("second")


def newer(message: str) -> PromptVersion:
    standing = prompts.current(SLOT)
    return prompts.add_version(standing.prompt, f"{standing.text}{message}\n", message=message)


def test_a_promotion_keeps_who_when_and_why(promoter: User, second: PromptVersion) -> None:
    decisions.promote(second, promoter, "  it asks better  ")
    decision = Decision.objects.get()
    assert (decision.deed, decision.user, decision.reason) == (Deed.PROMOTE, promoter, "it asks better")
    assert (decision.before, decision.after) == ({"production": 1}, {"production": 2})
    assert prompts.current(SLOT) == second


def test_an_older_version_is_a_rollback(promoter: User, second: PromptVersion) -> None:
    decisions.promote(second, promoter, "better")
    first = second.prompt.versions.get(number=1)
    assert decisions.promote(first, promoter, "it was not").deed == Deed.ROLL_BACK
    assert prompts.current(SLOT) == first


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_nothing_is_decided(promoter: User, second: PromptVersion, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decisions.promote(second, promoter, reason)
    assert refused.value.code == "validation.reason"
    assert (prompts.current(SLOT).number, Decision.objects.count()) == (1, 0)


def test_what_is_in_force_already_is_no_decision(promoter: User) -> None:
    with pytest.raises(Conflict) as refused:
        decisions.promote(prompts.current(SLOT), promoter, "once more")
    assert refused.value.code == "conflict.in_force_already"


def test_who_lacks_the_right_decides_nothing(people: People, second: PromptVersion) -> None:
    for who in (staff("editor", "add_promptversion", "run_experiment", "change_prompt"), people.owner, people.stranger):
        with pytest.raises(PermissionRefused):
            decisions.promote(second, who, "mine")
        with pytest.raises(PermissionRefused):
            decisions.set_chain(Agent.objects.get(name="writer"), ["demo:other"], who, "mine")
    assert Decision.objects.count() == 0


def test_a_version_that_the_prompt_has_outgrown_is_not_put_in_force(promoter: User, second: PromptVersion) -> None:
    second.prompt.variables = ["brief"]
    second.prompt.save()
    with pytest.raises(InvalidInput) as refused:
        decisions.promote(PromptVersion.objects.get(pk=second.pk), promoter, "better")
    assert refused.value.code == "validation.prompt_version"
    assert refused.value.params["number"] == 2


def test_a_decision_is_taken_back_and_that_too(promoter: User, second: PromptVersion) -> None:
    first = decisions.promote(second, promoter, "better")
    undone = decisions.undo(first, promoter, "it was not")
    assert (prompts.current(SLOT).number, undone.undoes, undone.deed) == (1, first, Deed.UNDO)
    decisions.undo(undone, promoter, "it was")
    assert prompts.current(SLOT) == second


def test_what_was_decided_since_stands(promoter: User, second: PromptVersion) -> None:
    first = decisions.promote(second, promoter, "better")
    third = newer("third")
    decisions.promote(third, promoter, "better still")
    with pytest.raises(Conflict) as refused:
        decisions.undo(first, promoter, "no")
    assert refused.value.code == "conflict.decision_passed"
    assert prompts.current(SLOT) == third


def test_one_decision_is_not_taken_back_twice(promoter: User, second: PromptVersion) -> None:
    first = decisions.promote(second, promoter, "better")
    decisions.undo(first, promoter, "no")
    decisions.promote(second, promoter, "yes")
    with pytest.raises(Conflict):
        decisions.undo(first, promoter, "no, again")
    assert prompts.current(SLOT) == second


def test_what_the_prompt_has_outgrown_does_not_come_back_by_undoing(promoter: User, second: PromptVersion) -> None:
    decision = decisions.promote(second, promoter, "better")
    Prompt.objects.filter(pk=SLOT).update(variables=["other"])
    with pytest.raises(InvalidInput):
        decisions.undo(decision, promoter, "no")
    assert prompts.current(SLOT) == second


def test_a_chain_is_given_with_a_reason_and_taken_back(promoter: User) -> None:
    writer = Agent.objects.get(name="writer")
    decision = decisions.set_chain(writer, ["demo:a", "demo:b"], promoter, "cheaper")
    writer.refresh_from_db()
    assert writer.chain == ["demo:a", "demo:b"]
    decisions.undo(decision, promoter, "worse")
    writer.refresh_from_db()
    assert writer.chain == []


@pytest.mark.parametrize("chain", [["nonsense"], ["demo:"], [None]])
def test_a_chain_that_names_no_model_is_refused(promoter: User, chain: list[Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        decisions.set_chain(Agent.objects.get(name="writer"), chain, promoter, "why not")
    assert refused.value.code == "validation.chain"


def test_the_list_shows_the_way_back_to_who_may_go_it(promoter: User, second: PromptVersion, people: People) -> None:
    decision = decisions.promote(second, promoter, "better")
    listed = {
        who.username: people.client(who).get("/admin/generation/decision/").content.decode()
        for who in (promoter, staff("looker", "view_decision"))
    }
    assert all("better" in page for page in listed.values())
    assert [f"decision/{decision.id}/undo/" in listed[name] for name in ("promoter", "looker")] == [True, False]
    assert people.client(people.stranger).get("/admin/generation/decision/").status_code == 302


# --- by REST


def test_a_script_writes_a_version_puts_it_in_production_and_takes_it_back() -> None:
    editor = Rest(staff("editor", "view_promptversion", "add_promptversion", "promote_prompt", "view_decision"))
    shown = editor.get(f"prompts/{SLOT}").json()
    assert (shown["production"], len(shown["versions"])) == (1, 1)
    text = shown["versions"][0]["text"]
    written = editor.post(f"prompts/{SLOT}/versions", {"text": f"{text}More.\r\n", "message": "more"})
    assert (written.status_code, written.json()["number"], written.json()["author"]) == (201, 2, "editor")
    assert written.json()["warnings"] == []
    decided = editor.post(f"prompts/{SLOT}/production", {"version": 2, "reason": "more is better"})
    assert (decided.status_code, decided.json()["after"]) == (200, {"production": 2})
    assert [each["production"] for each in editor.get("prompts").json() if each["slot"] == SLOT] == [2]
    undone = editor.post(f"decisions/{decided.json()['id']}/undo", {"reason": "it is not"})
    assert undone.json()["after"] == {"production": 1}
    kept = editor.get("decisions", prompt=SLOT).json()
    assert [each["reason"] for each in kept] == ["it is not", "more is better"]
    assert editor.get("decisions", prompt="note/section").json() == []


def test_a_script_carries_a_slot_from_house_to_house() -> None:
    newer("more")
    editor = Rest(staff("editor", "view_promptversion", "add_promptversion"))
    slot = editor.get(f"prompts/{SLOT}/export").json()
    assert (slot["slot"], slot["production"], len(slot["versions"])) == (SLOT, 1, 2)
    PromptVersion.objects.filter(prompt=SLOT, number=2).delete()
    taken = editor.post("prompts/import", slot).json()
    assert [(each["number"], each["message"]) for each in taken] == [(2, "more")]
    assert told(editor.post("prompts/import", {"format": 1})) == (422, "validation.request")
    reader = Rest(staff("reader", "view_promptversion"))
    assert told(reader.post("prompts/import", slot)) == (403, "permission.right")


def test_a_script_hears_what_is_wrong_with_a_text() -> None:
    editor = Rest(staff("editor", "view_promptversion", "add_promptversion"))
    answer = editor.post(f"prompts/{SLOT}/versions", {"text": "[user]\n{{ nobody }}"})
    assert told(answer) == (422, "validation.prompt_version")
    assert answer.json()["details"]["line"] == 2
    left_out = editor.post(f"prompts/{SLOT}/versions", {"text": "[user]\nHello"}).json()
    assert "“brief” is given to this prompt, and it says nothing of it." in left_out["warnings"]


def test_a_script_changes_a_chain(promoter: User) -> None:
    rest = Rest(promoter)
    assert told(rest.post("agents/writer/chain", {"chain": ["x"], "reason": "why"})) == (422, "validation.chain")
    assert told(rest.post("agents/nobody/chain", {"chain": ["demo:x"], "reason": "why"})) == (404, "not_found.agent")
    assert rest.post("agents/writer/chain", {"chain": ["demo:x"], "reason": "why"}).status_code == 200
    writer = next(agent for agent in rest.get("agents").json() if agent["name"] == "writer")
    assert (writer["chain"], writer["in_force"], writer["override"]) == (["demo:x"], ["demo:x"], "")


def test_what_is_not_there_is_not_found(promoter: User) -> None:
    rest = Rest(promoter)
    assert told(rest.get("prompts/note/nothing")) == (404, "not_found.prompt")
    answer = rest.post(f"prompts/{SLOT}/production", {"version": 9, "reason": "why"})
    assert told(answer) == (404, "not_found.version")
    nobody = "00000000-0000-7000-8000-000000000000"
    assert told(rest.post(f"decisions/{nobody}/undo", {"reason": "why"})) == (404, "not_found.decision")


def test_each_right_opens_its_own_door_only(people: People, second: PromptVersion) -> None:
    calls = {
        "view_promptversion": ("GET", f"prompts/{SLOT}", None),
        "add_promptversion": ("POST", f"prompts/{SLOT}/versions", {"text": "[user]\n{{ brief }}"}),
        "promote_prompt": ("POST", f"prompts/{SLOT}/production", {"version": 2, "reason": "why"}),
        "view_decision": ("GET", "decisions", None),
        "view_agent": ("GET", "agents", None),
    }
    for right in calls:
        rest = Rest(staff(f"has-{right}", right))
        for other, (method, path, body) in calls.items():
            answer = rest.send(method, path, body)
            if other == right:
                assert answer.status_code in (200, 201), (right, answer.content)
            else:
                assert told(answer) == (403, "permission.right"), (right, other)
    for who in (people.owner, people.stranger):
        for method, path, body in calls.values():
            assert told(Rest(who).send(method, path, body)) == (403, "permission.staff")
