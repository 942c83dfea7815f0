"""Decides what kind of answer a request gets: a tool call, JSON after a schema, or text."""

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from generation.demo import prompt, toolcalls
from generation.demo.answer import CONTENT, REASONING, Answer, pieces
from generation.demo.fill import fill
from generation.demo.lexicon import Language
from generation.demo.request import ChatRequest
from generation.demo.words import Prose

EXCERPT = 300
ANY_JSON = {"properties": {"title": {"type": "string"}, "text": {"type": "string"}}, "required": ["title", "text"]}
SIGNS_OF_A_SCHEMA = {"properties", "$defs", "items", "anyOf"}


def compose(chat: ChatRequest, seed: int = 0) -> Answer:
    """The whole answer; equal requests with equal seeds get equal answers. Raises BadRequestError."""
    chance = Random(f"{seed} {chat.digest}")  # noqa: S311 - repeatable on purpose
    instructions = "\n".join(message.text for message in chat.messages if message.role == "system")
    prose = Prose(prompt.read(chat.last_user, background(chat), instructions), chance)
    thoughts = pieces(REASONING, prose.thoughts()) if chat.thinks else ()
    tool = toolcalls.wanted(chat)
    answer = toolcalls.call(tool, chat, prose) if tool else Answer(tuple(pieces(CONTENT, _content(chat, prose))))
    return Answer((*thoughts, *answer.pieces), answer.finish, answer.calls).limited(chat.most)


def _content(chat: ChatRequest, prose: Prose) -> str:
    if chat.schema is None:
        return _text(chat, prose)
    # JSON without a schema: the prompt may hold the schema, as for models that know no better way.
    schema = schema_in(chat.text) or ANY_JSON if chat.schema == {"type": "object"} else chat.schema
    return json.dumps(fill(schema, prose), ensure_ascii=False)


def _text(chat: ChatRequest, prose: Prose) -> str:
    last = chat.messages[-1]
    if last.role != "tool":
        return prose.markdown()
    return f"{about_result(last.text, prose.brief.language)}\n\n{prose.markdown(40)}"


def background(chat: ChatRequest) -> Iterator[str]:
    """The rest of the conversation, the latest first; of instructions only what they set apart."""
    for message in reversed(chat.messages):
        if message.text != chat.last_user:
            set_apart = prompt.material(message.text) if message.role == "system" else ""
            yield set_apart or message.text


def about_result(result: str, language: Language) -> str:
    """What a tool answered, in words."""
    try:
        told = json.loads(result)
    except ValueError:
        told = None
    if isinstance(told, dict) and "error" in told:
        return language.refused.format(told["error"])
    if isinstance(told, dict) and told.get("done"):
        return language.done
    if isinstance(told, dict) and told.get("run"):
        return language.begun
    return language.about_result.format(" ".join(result.split())[:EXCERPT])


def schema_in(text: str) -> Mapping[str, Any] | None:
    """The first JSON schema written out in a text."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            value, end = None, start + 1
        if isinstance(value, dict) and value.keys() & SIGNS_OF_A_SCHEMA:
            return value
        start = text.find("{", end)
    return None
