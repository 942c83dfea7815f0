"""Decides whether a request is a wish that one of the offered tools grants, and calls that tool."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from generation.demo.answer import ARGUMENTS, Answer, Call, pieces
from generation.demo.clues import Conversation
from generation.demo.fill import fill
from generation.demo.prompt import fold
from generation.demo.request import BadRequestError, ChatRequest, Tool
from generation.demo.words import Prose

WORD = re.compile(r"[^\W_]+")
QUESTION = re.compile(r"\W*(?:what|why|how|who|when|where|pourquoi|comment|qui|quand|quel|que)", re.IGNORECASE)
SHORTEST_STEM = 4
VERB = 4


class Wish(NamedTuple):
    """A kind of change: how people ask for it in two languages, and how tools that do it are named."""

    asked: str
    named: str


WISHES = tuple(
    Wish(*each)
    for each in (
        (
            "chang modif edit updat remplac replac raccourc shorten rallong make rend rends corrig correct reecri"
            " rewrit reformul rephras rename renomm set mets mettre translat tradui simplif amelior improv",
            "updat edit chang set modif replac writ",
        ),
        (
            "creat cree creer add ajout insert inser write ecri redig new nouveau nouvelle make fais fait",
            "creat add insert new",
        ),
        (
            "start launch lanc run demarr commenc generat gener begin make write ecri redig fais fait",
            "start run launch generat creat",
        ),
        ("delet supprim remov efface enlev retir", "delet remov"),
        ("undo annul revert revien cancel stop arret", "undo revert cancel stop"),
        ("move deplac reorder reordonn", "move reorder"),
        ("retry reessay relanc again regener", "retry again start"),
        ("search find cherch recherch trouv look fetch extract extrai", "search find look extract"),
    )
)


def wanted(chat: ChatRequest) -> Tool | None:
    """The tool to call now, if any. Raises BadRequestError when the request insists on one it does not offer."""
    if chat.choice == "none" or not chat.tools:
        return None
    if chat.choice == "required":
        return _best(chat.last_user, chat.tools)
    if chat.choice != "auto":
        return _named(chat)
    answered = chat.messages[-1].role == "tool"
    return None if answered or not _is_wish(chat.last_user) else _best(chat.last_user, chat.tools)


def call(tool: Tool, chat: ChatRequest, prose: Prose) -> Answer:
    """A call of the tool, its arguments taken from the conversation where it gives them."""
    clues = Conversation(chat.last_user, (message.text for message in chat.messages))
    arguments = json.dumps(fill(tool.parameters, prose, clues), ensure_ascii=False)
    head = Call(f"call_{prose.chance.getrandbits(96):024x}", tool.name)
    return Answer(tuple(pieces(ARGUMENTS, arguments)), "tool_calls", (head,))


def _named(chat: ChatRequest) -> Tool:
    tool = next((tool for tool in chat.tools if tool.name == chat.choice), None)
    if tool is None:
        raise BadRequestError(f"Tool choice '{chat.choice}' is not among 'tools'.", "tool_choice")
    return tool


def _is_wish(text: str) -> bool:
    return not QUESTION.match(text) and bool(_wishes(_words(text)))


def _wishes(words: Sequence[str]) -> Sequence[Wish]:
    """What the first verb of a request asks for; later words are more often nouns (a change, a start)."""
    found = ([wish for wish in WISHES if _is_one(word, wish.asked)] for word in words)
    return next(filter(None, found), [])


def _best(text: str, tools: Sequence[Tool]) -> Tool:
    """The tool whose name opens with the verb and whose words fit the rest; the first of equals."""
    asked = _words(text)
    wishes = _wishes(asked)
    nouns = {
        word for word in asked if len(word) >= SHORTEST_STEM and not any(_is_one(word, wish.asked) for wish in wishes)
    }

    def worth(tool: Tool) -> int:
        name, described = _words(tool.name), _words(tool.description)
        verbs = sum(VERB for wish in wishes if _is_one(name[0], wish.named))
        return verbs + sum(2 * (noun in name) + (noun in described) for noun in nouns)

    return max(tools, key=worth)


def _words(text: str) -> list[str]:
    return [fold(word) for word in WORD.findall(text.replace("_", " "))] or [""]


def _is_one(word: str, stems: str) -> bool:
    """Whether a word is one of the stems, or begins with one that is long enough to mean something."""
    return any(word == stem or (len(stem) >= SHORTEST_STEM and word.startswith(stem)) for stem in stems.split())
