"""REST for scripts of the staff: what a prompt would send. To send it is a door of its own (`views.tries`), since it
lasts longer than a thread of the API may be held; it is described here by hand."""

from decimal import Decimal
from typing import Any

from ninja import Router

from generation import agents, prompt_checks, prompts, rehearsals, samples
from generation.api.prompting import of
from generation.api.streams import parameter
from generation.models import Prompt, PromptVersion
from generation.prompting_schemas import RehearsalIn, RehearsalOut, TriedOut
from generation.rehearsals import SEE, Given, Rehearsal
from generation.tries import Tried
from memory.base.errors import InvalidInput, NotFound
from memory.base.text import clean_json, clean_text
from memory.http import SignedInRequest
from memory.models import User

router = Router(tags=["staff"])


def composed(prompt: Prompt, body: RehearsalIn, by: User) -> Rehearsal:
    """What is asked for. Raises, besides what `rehearse` does, `not_found.version|agent|call`, `permission.right`,
    `validation.prompt_version|version_or_text|chain`."""
    agent = agents.get(body.agent or prompt.agent)
    model = rehearsals.model_of(agent, body.model or "")
    return rehearsals.rehearse(version_of(prompt, body), given_of(prompt, body, by), agent, model)


def version_of(prompt: Prompt, body: RehearsalIn) -> PromptVersion:
    if body.text is None:
        return numbered(prompt, body.version) if body.version else prompts.current(prompt.slot)
    if body.version is not None:
        raise InvalidInput("version_or_text")
    text = clean_text(body.text.replace("\r\n", "\n"))
    prompt_checks.demand(text, prompt, prompts.next_number(prompt))
    return PromptVersion(prompt=prompt, text=text)


def numbered(prompt: Prompt, number: int) -> PromptVersion:
    version = prompt.versions.select_related("prompt").filter(number=number).first()
    if version is None:
        raise NotFound("version", slot=prompt.slot, version=number)
    return version


def given_of(prompt: Prompt, body: RehearsalIn, by: User) -> Given:
    variables, said = clean_json(body.variables or {}), clean_text(body.said)
    if body.call:
        given = rehearsals.of_call(prompt, body.call, by)[1]
        return Given({**given.variables, **variables}, said or given.said)
    return Given(samples.of(prompt) if body.variables is None else variables, said or samples.said())


def as_usd(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost)


def who(rehearsal: Rehearsal) -> dict[str, Any]:
    version = rehearsal.version
    return {
        "slot": version.prompt_id,
        "version": version.number,
        "agent": rehearsal.agent.name,
        "model": str(rehearsal.model),
    }


def as_rehearsal(rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        **who(rehearsal),
        "messages": [{"role": each.role, "content": each.content} for each in rehearsal.messages],
        "tokens": rehearsal.tokens,
        "cost_usd": as_usd(rehearsal.cost_usd),
        "most_usd": as_usd(rehearsal.most_usd),
    }


def as_tried(rehearsal: Rehearsal, tried: Tried) -> dict[str, Any]:
    """Of a try that ended well."""
    outcome = tried.outcome
    if outcome is None:
        raise ValueError("An answer has an outcome.")
    return {
        **who(rehearsal),
        "content": tried.content,
        "reasoning": tried.reasoning,
        "finish_reason": clean_text(outcome.finish_reason or ""),
        "tokens_in": outcome.usage.tokens_in,
        "tokens_out": outcome.usage.tokens_out,
        "is_estimate": outcome.usage.estimated,
        "cost_usd": as_usd(tried.cost_usd),
        "first_token_ms": outcome.first_token_ms,
        "duration_ms": outcome.duration_ms,
    }


@router.post("/prompts/{slug:kind}/{slug:name}/render", response=RehearsalOut, summary="What a prompt would send")
def render(request: SignedInRequest, kind: str, name: str, body: RehearsalIn) -> dict[str, Any]:
    """Nothing is sent, and nothing kept."""
    return as_rehearsal(composed(of(request.user, kind, name, SEE), body, request.user))


POSTED: dict[str, dict[str, Any]] = {
    "/api/v1/prompts/{kind}/{name}/try": {
        "operationId": "generation_views_tries_attempt",
        "summary": "Try a prompt against a model",
        "description": "Asks once, waits for the whole answer, and keeps nothing of it. It counts against your budget.",
        "tags": ["staff"],
        "parameters": [parameter("path", "kind", type="string"), parameter("path", "name", type="string")],
        "requestBody": {"required": True, "content": {"application/json": {"schema": RehearsalIn.model_json_schema()}}},
        "responses": {
            200: {
                "description": "OK",
                "content": {"application/json": {"schema": TriedOut.model_json_schema(mode="serialization")}},
            }
        },
    },
}
