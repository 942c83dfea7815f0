"""REST for scripts of the staff: prompts and their versions, agents, decisions. Who may not is told which right it
takes."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Status

from generation import agents, decisions, prompt_checks, prompt_transfer, prompts, traces
from generation.decisions import EXPERIMENT, PROMOTE
from generation.models import Agent, Call, Decision, Prompt, PromptVersion
from generation.prompt_transfer import SlotIn
from generation.prompting_schemas import (
    AgentOut,
    CallOut,
    CallWithMessagesOut,
    ChainIn,
    DecisionOut,
    ProductionIn,
    PromptOut,
    PromptVersionIn,
    PromptVersionOut,
    PromptWithVersionsOut,
    ReasonIn,
    SlotOut,
)
from memory import staff
from memory.base.errors import NotFound, ScriptoriumError
from memory.base.text import clean_text
from memory.http import SignedInRequest
from memory.models import User

router = Router(tags=["staff"])

SEE, WRITE = "generation.view_promptversion", "generation.add_promptversion"
SEE_AGENTS, SEE_DECISIONS = "generation.view_agent", "generation.view_decision"
SEE_CALLS = "generation.view_call"
OF_CALL = ("run", "prompt_version", "assignment__arm__experiment", "chain_assignment__arm__experiment")
SHOWN = 200


def of(user: User, kind: str, name: str, right: str = SEE) -> Prompt:
    staff.require(user, right)
    prompt = Prompt.objects.select_related("production").filter(slot=f"{kind}/{name}").first()
    if prompt is None:
        raise NotFound("prompt", slot=f"{kind}/{name}"[:100], version="production")
    return prompt


def as_prompt(prompt: Prompt) -> dict[str, Any]:
    return {
        "slot": prompt.slot,
        "description": prompt.description,
        "agent": prompt.agent,
        "variables": prompt.variables,
        "production": prompt.production.number if prompt.production else None,
        "override": prompts.override_of(prompt.slot),
        "updated_at": prompt.updated_at,
    }


def as_version(prompt: Prompt, version: PromptVersion) -> dict[str, Any]:
    return {
        "id": version.id,
        "number": version.number,
        "text": version.text,
        "message": version.message,
        "from_file": version.from_file,
        "author": version.author.username if version.author else None,
        "created_at": version.created_at,
        "warnings": [problem.said for problem in prompt_checks.check(version.text, prompt.variables)],
    }


def as_decision(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "deed": decision.deed,
        "prompt": decision.prompt_id,
        "agent": decision.agent_id,
        "experiment": decision.experiment_id,
        "before": decision.before,
        "after": decision.after,
        "reason": decision.reason,
        "user": decision.user.username if decision.user else None,
        "undoes": decision.undoes_id,
        "created_at": decision.created_at,
    }


@router.get("/prompts", response=list[PromptOut], summary="Prompts")
def index(request: SignedInRequest) -> list[dict[str, Any]]:
    staff.require(request.user, SEE)
    return [as_prompt(prompt) for prompt in Prompt.objects.select_related("production").order_by("slot")]


@router.get("/prompts/{slug:kind}/{slug:name}", response=PromptWithVersionsOut, summary="A prompt with its versions")
def show(request: SignedInRequest, kind: str, name: str) -> dict[str, Any]:
    """The newest version first."""
    prompt = of(request.user, kind, name)
    versions = prompt.versions.select_related("author")
    return {**as_prompt(prompt), "versions": [as_version(prompt, version) for version in versions]}


@router.post(
    "/prompts/{slug:kind}/{slug:name}/versions", response={201: PromptVersionOut}, summary="Write a new version"
)
def write(request: SignedInRequest, kind: str, name: str, body: PromptVersionIn) -> Status[dict[str, Any]]:
    """It is checked first; what it leaves out is told in `warnings`. What is in production stays."""
    prompt = of(request.user, kind, name, WRITE)
    text = clean_text(body.text.replace("\r\n", "\n"))
    prompt_checks.demand(text, prompt, prompts.next_number(prompt))
    version = prompts.add_version(prompt, text, author=request.user, message=clean_text(body.message))
    return Status(201, as_version(prompt, version))


@router.get("/prompts/{slug:kind}/{slug:name}/export", response=SlotOut, summary="A slot with all its versions")
def export(request: SignedInRequest, kind: str, name: str) -> dict[str, Any]:
    """As `import` takes it, here or in another house."""
    return prompt_transfer.export(of(request.user, kind, name))


@router.post("/prompts/import", response=list[PromptVersionOut], summary="Take in a slot that was exported")
def take_in(request: SignedInRequest, body: SlotIn) -> list[dict[str, Any]]:
    """The versions that were new; what is in production stays."""
    staff.require(request.user, WRITE)
    return [as_version(version.prompt, version) for version in prompt_transfer.take_in(body.model_dump(), request.user)]


@router.post("/prompts/{slug:kind}/{slug:name}/production", response=DecisionOut, summary="Put a version in production")
def promote(request: SignedInRequest, kind: str, name: str, body: ProductionIn) -> dict[str, Any]:
    """An older one is a rollback. The next call of every process uses it."""
    prompt = of(request.user, kind, name, PROMOTE)
    version = prompt.versions.select_related("prompt").filter(number=body.version).first()
    if version is None:
        raise NotFound("version", slot=prompt.slot, version=body.version)
    return as_decision(decisions.promote(version, request.user, body.reason))


@router.get("/agents", response=list[AgentOut], summary="Agents with their chains of models")
def agents_index(request: SignedInRequest) -> list[dict[str, Any]]:
    staff.require(request.user, SEE_AGENTS)
    return [as_agent(agent) for agent in Agent.objects.order_by("name")]


def as_agent(agent: Agent) -> dict[str, Any]:
    try:
        in_force = [str(model) for model in agents.chain(agent)]
    except ScriptoriumError:  # the environment names what is no model; `override` shows it
        in_force = []
    names = ("name", "title", "role", "chain", "temperature", "max_tokens", "max_rounds", "tools")
    facts = {name: getattr(agent, name) for name in names}
    return {**facts, "override": agents.override_of(agent.name), "in_force": in_force}


@router.post("/agents/{slug:name}/chain", response=DecisionOut, summary="Give an agent another chain of models")
def set_chain(request: SignedInRequest, name: str, body: ChainIn) -> dict[str, Any]:
    staff.require(request.user, PROMOTE)
    return as_decision(decisions.set_chain(agents.get(name), body.chain, request.user, body.reason))


@router.get("/calls", response=list[CallOut], summary="Calls to models, the last first")
def calls_index(
    request: SignedInRequest,
    run: Annotated[UUID | None, Query()] = None,
    step: str | None = None,
    version: Annotated[UUID | None, Query(description="of a prompt, by id")] = None,
) -> list[dict[str, Any]]:
    """At most 200, without what was sent."""
    staff.require(request.user, SEE_CALLS)
    wanted = {"run": run, "step": step, "prompt_version": version}
    rows = Call.objects.filter(**{name: value for name, value in wanted.items() if value})
    rows = rows.select_related(*OF_CALL).defer("messages", "variables").order_by("-id")
    return [as_call(call) for call in rows[:SHOWN]]


@router.get("/calls/{uuid:call_id}", response=CallWithMessagesOut, summary="A call, with what was sent")
def show_call(request: SignedInRequest, call_id: UUID) -> dict[str, Any]:
    """`messages` are null once they are not kept any more, for who may not read them, and of others' conversations."""
    staff.require(request.user, SEE_CALLS)
    call = Call.objects.select_related(*OF_CALL).filter(id=call_id).first()
    if call is None:
        raise NotFound("call")
    if not traces.may_read(call, request.user):
        return {**as_call(call), "messages": None}
    return {**as_call(call), "messages": traces.sent(call, request.user), "error": call.error}


def as_call(call: Call) -> dict[str, Any]:
    names = (
        "id", "step", "attempt", "reason", "state", "agent", "provider", "model", "tokens_in", "tokens_out", "cost_usd",
        "first_token_ms", "duration_ms", "finish_reason", "created_at",
    )  # fmt: skip
    facts = {name: getattr(call, name) for name in names}
    version = call.prompt_version
    return {
        **facts,
        "run": call.run_id,
        # Without its parameters: a model's refusal may repeat what was said to it.
        "error": {"error_code": call.error.get("error_code")} if call.error else None,
        "prompt": version.prompt_id if version else None,
        "version": version.number if version else None,
        "arms": traces.given_by(call),
    }


@router.get("/decisions", response=list[DecisionOut], summary="Who put what in force, the last first")
def decisions_index(
    request: SignedInRequest,
    prompt: str | None = None,
    agent: str | None = None,
    experiment: Annotated[UUID | None, Query()] = None,
) -> list[dict[str, Any]]:
    """At most 200."""
    staff.require(request.user, SEE_DECISIONS)
    wanted = {"prompt": prompt, "agent": agent, "experiment": experiment}
    rows = Decision.objects.filter(**{name: value for name, value in wanted.items() if value})
    return [as_decision(row) for row in rows.select_related("user")[:SHOWN]]


@router.post("/decisions/{uuid:decision_id}/undo", response=DecisionOut, summary="Take a decision back")
def undo(request: SignedInRequest, decision_id: UUID, body: ReasonIn) -> dict[str, Any]:
    """Only while what it put in force still is; taking it back can be taken back, too."""
    staff.require(request.user, EXPERIMENT if request.user.has_perm(EXPERIMENT) else PROMOTE)
    decision = Decision.objects.select_related("experiment").filter(id=decision_id).first()
    if decision is None:
        raise NotFound("decision")
    return as_decision(decisions.undo(decision, request.user, body.reason))
