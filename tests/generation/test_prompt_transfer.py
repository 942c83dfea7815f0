"""A slot goes out of one house and into another: nothing is made twice, and what is in force stays."""

import copy
from typing import Any

import pytest

from generation import prompt_transfer, prompts
from generation.models import Prompt, PromptVersion
from memory.base.errors import InvalidInput, NotFound
from tests import instructions
from tests.people import People

pytestmark = pytest.mark.django_db

SLOT = "note/outline"


@pytest.fixture
def prompt(people: People) -> Prompt:
    instructions.give()
    held = Prompt.objects.get(slot=SLOT)
    text = prompts.current(SLOT).text
    for n in (2, 3):
        prompts.add_version(held, f"{text}Change {n}.\n", author=people.owner, message=f"change {n}")
    return held


def out(prompt: Prompt) -> dict[str, Any]:
    return copy.deepcopy(prompt_transfer.export(prompt))


def test_all_of_a_slot_goes_out(prompt: Prompt) -> None:
    data = out(prompt)
    assert (data["slot"], data["production"], data["variables"]) == (SLOT, 1, prompt.variables)
    assert [(each["number"], each["message"], each["author"]) for each in data["versions"]] == [
        (1, "from file", None),
        (2, "change 2", "owner"),
        (3, "change 3", "owner"),
    ]


def test_what_is_there_is_not_made_twice(prompt: Prompt, people: People) -> None:
    assert prompt_transfer.take_in(out(prompt), people.owner) == []
    assert prompt.versions.count() == 3


def test_what_is_new_is_added_in_its_order_and_nothing_else_changes(prompt: Prompt, people: People) -> None:
    data = out(prompt)
    PromptVersion.objects.filter(prompt=prompt, number__gt=1).delete()
    data["versions"].reverse()
    made = prompt_transfer.take_in(data, people.teammate)
    assert [(each.number, each.message, each.author) for each in made] == [
        (2, "change 2", people.teammate),
        (3, "change 3", people.teammate),
    ]
    assert [each.from_file for each in made] == [False, False]
    assert prompts.current(SLOT).number == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"format": 2, "slot": SLOT, "versions": []},
        {"format": 1, "slot": SLOT, "versions": [{"number": 1}]},
        {"format": 1, "slot": SLOT, "versions": [{"number": 1, "text": "[user]\nx"}] * 1_001},
    ],
)
def test_another_shape_is_refused(prompt: Prompt, people: People, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="validation.prompt_transfer"):
        prompt_transfer.take_in(data, people.owner)


def test_a_slot_that_nobody_asks_for_is_not_made(prompt: Prompt, people: People) -> None:
    with pytest.raises(NotFound, match="not_found.prompt"):
        prompt_transfer.take_in({**out(prompt), "slot": "novel/beat"}, people.owner)
    assert not Prompt.objects.filter(slot="novel/beat").exists()


def test_a_text_that_could_not_be_rendered_here_keeps_all_out(prompt: Prompt, people: People) -> None:
    data = out(prompt)
    good = {"number": 4, "text": f"{data['versions'][0]['text']}More.\n", "message": ""}
    data["versions"] += [good, {"number": 5, "text": "[user]\nx\n{{ whom }}", "message": ""}]
    with pytest.raises(InvalidInput, match="validation.prompt_version") as refused:
        prompt_transfer.take_in(data, people.owner)
    assert (refused.value.params["number"], refused.value.params["line"]) == (5, 3)
    assert prompt.versions.count() == 3
