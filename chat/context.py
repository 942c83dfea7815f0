"""What an answer is shown: who it is, what the conversation is about, what was said; under a window of tokens.

Of the window at most half is for documents and files; the rest is for what was said, the latest first. The question
itself is always whole. What was decided about each is recorded, and the reader sees it as "what the model saw".
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import orjson
from django.conf import settings
from pydantic import BaseModel

from chat import messages, sessions
from chat.models import Message, Speaker
from chat.speakers import SLOTS
from chat.tools import objects, offered
from generation import documents, in_force, saying
from generation.llm.usage import estimate_tokens
from generation.models import Document, Run
from generation.sources import Sources, fenced, quoted
from memory import window, workspaces
from memory.base.paths import State
from memory.models import Role
from memory.window import Block, Decision, Fitted

HEADS, TEXTS = 2, 1  # priorities: what a document is, before what stands in it

What = Literal["instructions", "document", "file", "messages", "question"]


class Seen(BaseModel):
    """Of one thing, how much the model was shown. `left_out`: how many of its `count` parts were not, or not whole."""

    what: What
    name: str = ""
    count: int = 1
    left_out: int = 0
    decision: Decision = Decision.KEPT
    tokens_before: int = 0
    tokens_after: int = 0


class Said(BaseModel):
    role: Literal["user", "assistant"]
    content: str


class Context(BaseModel):
    """`versions` are those of the objects that are shown whole, by id; `tools` the names of what may be used; `links`
    the addresses that tools have found before."""

    agent: str
    variables: dict[str, Any]
    said: list[Said]
    seen: list[Seen]
    versions: dict[str, int]
    tools: list[str]
    links: list[str] = []
    rounds: int
    limit: int


def gather(run: Run, reply: Message, given: Sources, *, with_tools: bool = True) -> Context:
    """What this reply is to be made from, as all stands now."""
    question = reply.parent
    if question is None:
        raise ValueError(f"{reply} answers nothing")
    session = reply.session
    found = in_force.find(SLOTS[reply.agent], reply.agent, run)
    agent, instructions = found.agent, estimate_tokens(found.version.text)
    asked = estimate_tokens(question.text)
    left = max(0, settings.CHAT_CONTEXT_TOKENS - instructions - asked)
    shelf = Shelf(sessions.within_reach(session), given, left // 2)
    talk = Talk(messages.branch(question.parent_id, settings.CHAT_CONTEXT_MESSAGES - 1), left - shelf.tokens)
    role = role_of(run)
    tools = [tool.name for tool in offered(role) if agent.may_use(tool.name)] if with_tools else []
    return Context(
        agent=agent.name,
        variables={
            "name": agent.title,
            "role": agent.role,
            "person": run.user.name,
            "objects": shelf.objects,
            "files": shelf.files,
            "may_write": role.includes(Role.EDITOR) and with_tools,
        },
        said=[*talk.said, Said(role="user", content=question.text)],
        seen=[
            Seen(what="instructions", name=agent.title, tokens_before=instructions, tokens_after=instructions),
            *shelf.seen,
            *talk.seen,
            Seen(what="question", tokens_before=asked, tokens_after=asked),
        ],
        versions=shelf.versions,
        tools=tools,
        links=talk.links,
        rounds=agent.max_rounds,
        limit=settings.CHAT_CONTEXT_TOKENS,
    )


def role_of(run: Run) -> Role:
    return Role(workspaces.visible(run.user, run.workspace_id).role)


class Shelf:
    """The documents and files, as far as they fit."""

    def __init__(self, about: Sequence[Document], given: Sources, limit: int) -> None:
        self.versions: dict[str, int] = {}
        self.seen: list[Seen] = []
        shelves = [Volume(document) for document in about]
        blocks = [block for volume in shelves for block in volume.blocks]
        files = [Block(file.name, file.text, TEXTS) for file in given.files if file.text]
        fitted = iter(window.fit([*blocks, *files], limit, estimate_tokens))
        self.objects = "\n".join(self.take(volume, fitted) for volume in shelves)
        self.files = "\n".join(self.take_file(one) for one in fitted)
        self.tokens = sum(one.tokens_after for one in self.seen)

    def take(self, volume: "Volume", fitted: Iterable[Fitted]) -> str:
        pieces = [one for _, one in zip(volume.blocks, fitted, strict=False)]
        whole = [one.name for one in pieces if one.decision == Decision.KEPT]
        self.versions |= {name: volume.versions[name] for name in whole}
        self.seen.append(together("document", volume.document.title or saying.kind(volume.document.kind), pieces))
        title, text = quoted(volume.document.title), "\n".join(one.text for one in pieces if one.text)
        return f'<object id="{volume.document.id}" title="{title}">\n{text}\n</object>' if text else ""

    def take_file(self, one: Fitted) -> str:
        self.seen.append(together("file", one.name, [one]))
        return f'<file name="{quoted(one.name)}">\n{fenced(one.text)}\n</file>' if one.text else ""


class Volume:
    """A document in blocks: itself first, then each section by itself, named by their ids."""

    def __init__(self, document: Document) -> None:
        self.document = document
        parts = documents.sections_of(document)
        self.versions = {str(each.id): each.version for each in (document, *parts)}
        head = {**objects.outline(document), "fields": document.fields}
        self.blocks = [
            Block(str(document.id), as_text(head), HEADS),
            *(Block(str(each.id), as_text({"section": str(each.id), "fields": each.fields}), TEXTS) for each in parts),
        ]


def as_text(state: State) -> str:
    return fenced(orjson.dumps(state).decode())


class Talk:
    """What was said before, as far back as fits."""

    def __init__(self, earlier: Sequence[Message], limit: int) -> None:
        texts = [words_of(message) for message in earlier]
        blocks = [Block(str(n), text, priority=n) for n, text in enumerate(texts)]
        fitted = window.fit(blocks, limit, estimate_tokens)
        kept = [(message, one.text) for message, one in zip(earlier, fitted, strict=True) if one.text]
        self.said = [Said(role=role(message), content=text) for message, text in kept]
        self.links = [url for message, _ in kept for part in message.parts for url in urls_of(part.get("about"))]
        self.seen = [together("messages", "", [one for one in fitted if one.tokens_before])] if kept or earlier else []


def role(message: Message) -> Literal["user", "assistant"]:
    return "user" if message.speaker == Speaker.USER else "assistant"


def words_of(message: Message) -> str:
    """What was said, and in brackets what was done: whoever is asked to take it back knows its id."""
    done = [deed(part) for part in message.parts if part["type"] == "tool" and not part.get("error")]
    return "\n".join(line for line in (message.text, *done) if line)


def deed(part: dict[str, Any]) -> str:
    facts = {name: part[name] for name in ("about", "changes", "run") if part.get(name)}
    if "about" in facts:  # a title is anybody's text, and stands here between no marks
        about = {name: value for name, value in facts["about"].items() if name not in ("title", "links")}
        urls = urls_of(facts["about"])
        facts["about"] = {**about, **({"urls": urls} if urls else {})}
    return f"[{part['name']} {orjson.dumps(facts).decode()}]" if facts else ""


def urls_of(about: Mapping[str, Any] | None) -> list[str]:
    """The addresses that a tool has found."""
    return [link["url"] for link in (about or {}).get("links", ())]


def together(what: What, name: str, pieces: Sequence[Fitted]) -> Seen:
    left_out = sum(one.decision != Decision.KEPT for one in pieces)
    after = sum(one.tokens_after for one in pieces)
    decision = Decision.KEPT if not left_out else Decision.SHORTENED if after else Decision.DROPPED
    before = sum(one.tokens_before for one in pieces)
    return Seen(
        what=what,
        name=name,
        count=len(pieces),
        left_out=left_out,
        decision=decision,
        tokens_before=before,
        tokens_after=after,
    )
