"""What a version of a prompt would send, before it sends anything: with a sample, with what somebody typed, or with
what a past call was given.

What people gave to calls is theirs: who looks at it needs a right of its own, conversations of others are never shown,
and each look is in the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db.models import QuerySet

from generation import agents, prompts, traces
from generation.llm.usage import cost, estimate_request
from generation.llm.values import Message, ModelRef, ModelRequest, Usage
from generation.models import Agent, Call, Prompt, PromptVersion
from memory import staff
from memory.base.errors import InvalidInput, NotFound, ScriptoriumError
from memory.base.text import clean_json, clean_text, read_json
from memory.models import User

log = structlog.get_logger()

SEE, TRY = "generation.view_promptversion", "generation.add_promptversion"
CALLS_OFFERED = 20


@dataclass(frozen=True)
class Given:
    """What a prompt is filled with, and the last words of a person, which follow a prompt that holds none."""

    variables: Mapping[str, Any]
    said: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """What would be sent, to whom, and what that would cost: for the question alone, and with the longest answer.

    A cost of None is a price that nobody knows.
    """

    version: PromptVersion
    agent: Agent
    model: ModelRef
    request: ModelRequest
    tokens: int
    cost_usd: Decimal | None
    most_usd: Decimal | None

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.request.messages


def rehearse(version: PromptVersion, given: Given, agent: Agent, model: ModelRef) -> Rehearsal:
    """Raises `validation.prompt_variables` and `validation.prompt_template`, as a call would."""
    messages = prompts.render(version, given.variables).messages
    if given.said.strip() and all(message.role != "user" for message in messages):
        messages = (*messages, Message("user", given.said))
    request = ModelRequest(messages, agent.temperature, agent.max_tokens)
    tokens = estimate_request(request)
    asked, most = cost(model, Usage(tokens, 0)), cost(model, Usage(tokens, agent.max_tokens))
    return Rehearsal(version, agent, model, request, tokens, asked, most)


def needs_words(text: str) -> bool:
    """Whether the text is instructions alone, which what a person says follows."""
    return all(mark[1] != "user" for mark in prompts.PART.finditer(text))


# --- what it is filled with


def read_variables(text: str) -> dict[str, Any]:
    """Variables as somebody typed them. Raises `validation.json` and `validation.variables`."""
    variables = clean_json(read_json(clean_text(text)))
    if not isinstance(variables, dict):
        raise InvalidInput("variables")
    return variables


def written(variables: Mapping[str, Any]) -> str:
    """The variables as one edits them."""
    return orjson.dumps(variables, option=orjson.OPT_INDENT_2).decode()


def calls(prompt: Prompt, by: User) -> QuerySet[Call]:
    """The past calls of this slot that the user may look into, as long as they are remembered, the newest first."""
    found = Call.objects.filter(prompt_version__in=prompt.versions.all(), variables__isnull=False)
    return (
        found.filter(traces.readable(by)).order_by("-created_at").select_related("workspace", "user", "prompt_version")
    )


def offered(prompt: Prompt, by: User) -> Sequence[Call]:
    """Some of them to choose from; none without the right to read what was sent."""
    if not by.has_perm(traces.READ_CALLS):
        return []
    return list(calls(prompt, by).defer("messages", "variables")[:CALLS_OFFERED])


def of_call(prompt: Prompt, call_id: UUID, by: User) -> tuple[Call, Given]:
    """What a past call was given. Raises `permission.right`, `not_found.call`."""
    staff.require(by, traces.READ_CALLS)
    call = calls(prompt, by).filter(id=call_id).first()
    if call is None:
        raise NotFound("call")
    traces.note_look(call, by)
    said = [message["content"] for message in call.messages or () if message["role"] == "user"]
    return call, Given(call.variables or {}, said[-1] if said else "")


# --- who would be asked


def model_of(agent: Agent, name: str = "") -> ModelRef:
    """The model of this name, else the first of the agent's chain. Raises `validation.chain`."""
    return agents.parse(agent.title, [name])[0] if name.strip() else agents.chain(agent)[0]


def models_in_force() -> list[str]:
    """Those of all chains, to choose from."""
    found = dict.fromkeys([agents.default_model()])
    for agent in Agent.objects.order_by("name"):
        try:
            found |= dict.fromkeys(str(model) for model in agents.chain(agent))
        except ScriptoriumError:  # the environment names what is no model; the agent's own page shows it
            continue
    return list(found)
