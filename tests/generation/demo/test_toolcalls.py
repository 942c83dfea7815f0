"""When a tool is called, which one, and with what."""

import json
from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError

from tests.generation.demo.conftest import Door, user

SECTION = "0198c5a1-7b1e-7cc3-8d5e-0a1b2c3d4e5f"
OTHER = "0198c5a1-7b1e-7cc3-8d5e-ffffffffffff"
CONTEXT = f"Document (id {OTHER})\nsection 1, Marées: {OTHER}\nsection 3, Phares: {SECTION}\nplan, Ports: {OTHER}"


def tool(name: str, description: str, **properties: Any) -> Any:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TEXT = {"type": "string"}
TOOLS = [
    tool("search_knowledge", "Searches the workspace.", query=TEXT),
    tool("update_field", "Changes a section.", section_id=TEXT, field={"enum": ["title", "content"]}, value=TEXT),
    tool("start_run", "Starts writing a document.", kind={"enum": ["note", "course"]}, brief=TEXT),
    tool("undo_change", "Undoes the last change.", change_id=TEXT),
    tool("move_section", "Moves a section.", section=TEXT, position={"type": "integer", "minimum": 0}),
]


async def ask(client: AsyncOpenAI, text: str, **fields: Any) -> Any:
    messages = [{"role": "system", "content": CONTEXT}, *user(text)]
    reply = await client.chat.completions.create(model="demo", messages=messages, **{"tools": TOOLS, **fields})
    return reply.choices[0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('Change the title of section 3 to "Lights"', "update_field"),
        ("Raccourcis la section 3", "update_field"),
        ("Lance un cours sur les marées", "start_run"),
        ("Start a course on tides", "start_run"),
        ("Annule le dernier changement", "undo_change"),
        ("Déplace la section 3", "move_section"),
        ("Cherche les phares dans le dossier", "search_knowledge"),
    ],
)
async def test_a_wish_calls_the_tool_that_grants_it(client: AsyncOpenAI, text: str, name: str) -> None:
    choice = await ask(client, text)
    assert choice.finish_reason == "tool_calls"
    assert [call.function.name for call in choice.message.tool_calls] == [name]


@pytest.mark.parametrize("text", ["What does section 3 say?", "Comment créer une boucle ?", "Merci beaucoup"])
async def test_a_question_is_answered_in_words(client: AsyncOpenAI, text: str) -> None:
    choice = await ask(client, text)
    assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)


async def test_arguments_come_from_the_conversation(client: AsyncOpenAI) -> None:
    choice = await ask(client, "Change le titre de la section 3 en « Les feux de la côte »")
    arguments = json.loads(choice.message.tool_calls[0].function.arguments)
    assert arguments == {"section_id": SECTION, "field": "title", "value": "Les feux de la côte"}


async def test_numbers_and_whole_requests_are_arguments_too(client: AsyncOpenAI) -> None:
    moved = await ask(client, "Déplace le paragraphe à la position 2")
    started = await ask(client, "Lance un cours sur les marées")
    assert json.loads(moved.message.tool_calls[0].function.arguments)["position"] == 2
    assert json.loads(started.message.tool_calls[0].function.arguments) == {
        "kind": "course",
        "brief": "Lance un cours sur les marées",
    }


async def test_a_required_call_is_made_whatever_was_said(client: AsyncOpenAI) -> None:
    choice = await ask(client, "Merci", tool_choice={"type": "function", "function": {"name": "start_run"}})
    assert choice.message.tool_calls[0].function.name == "start_run"
    assert (await ask(client, "Merci", tool_choice="required")).finish_reason == "tool_calls"


async def test_no_call_is_made_when_none_is_allowed(client: AsyncOpenAI) -> None:
    assert (await ask(client, "Raccourcis la section 3", tool_choice="none")).finish_reason == "stop"


async def test_a_tool_that_is_not_offered_cannot_be_required(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError):
        await ask(client, "Merci", tool_choice={"type": "function", "function": {"name": "fly"}})


async def test_a_tools_result_is_answered_in_words(client: AsyncOpenAI) -> None:
    called = {"id": "call_1", "type": "function", "function": {"name": "update_field", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "Titre changé en « Feux »"}
    messages: Any = [*user("Change le titre"), {"role": "assistant", "tool_calls": [called]}, result]
    reply = await client.chat.completions.create(model="demo", messages=messages, tools=TOOLS)
    assert "L'outil a répondu : « Titre changé" in (reply.choices[0].message.content or "")


async def test_a_streamed_call_comes_in_pieces(door: Door) -> None:
    seen = await door.stream("Raccourcis la section 3", tools=TOOLS)
    head, *pieces = seen.calls()
    assert (head["function"]["name"], head["function"]["arguments"]) == ("update_field", "")
    assert len(pieces) > 3
    assert json.loads("".join(piece["function"]["arguments"] for piece in pieces))["field"]
    assert seen.finish == "tool_calls"
