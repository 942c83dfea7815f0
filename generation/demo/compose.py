"""Decides what kind of answer a request gets: a tool call, JSON after a schema, or text."""

import json
from random import Random

from generation.demo import fill, prompt
from generation.demo.answer import CONTENT, REASONING, Answer, Piece, pieces
from generation.demo.request import ChatRequest
from generation.demo.words import Prose


def compose(chat: ChatRequest, seed: int = 0) -> Answer:
    """The whole answer; equal requests with equal seeds get equal answers."""
    chance = Random(f"{seed} {chat.digest}")
    brief = prompt.read(chat.last_user, (m.text for m in reversed(chat.messages) if m.text is not chat.last_user))
    prose = Prose(brief, chance)
    thoughts = _thoughts(prose) if chat.thinks else ()
    return Answer((*thoughts, *pieces(CONTENT, _content(chat, prose)))).limited(chat.most)


def _thoughts(prose: Prose) -> tuple[Piece, ...]:
    return tuple(pieces(REASONING, prose.thoughts()))


def _content(chat: ChatRequest, prose: Prose) -> str:
    if chat.schema is not None:
        return json.dumps(fill.fill(chat.schema, prose), ensure_ascii=False)
    return prose.markdown()
