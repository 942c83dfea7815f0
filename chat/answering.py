"""An answer being made: rounds of a model and its tools, until it has nothing more to do.

What a round said is recorded before any of its tools runs, each tool with what it wrote: after a crash nothing is asked
twice and nothing done twice. However it ends, what there is of it is kept in its message.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings

from chat import context, parts, sessions, titling, usage
from chat.context import Context
from chat.models import Message, MessageState, Speaker
from chat.parts import Asked, Outcome, Spoken
from chat.speakers import SLOTS
from chat.tools import TOOLS, Done, Hand, Lookup, Tool, is_wrong, refusal
from generation import citations, sources
from generation.events import Draft, objects_changed
from generation.llm.values import Message as Line
from generation.llm.values import ToolCall
from generation.models import Call, Queue, Run, RunState, Step, StepState
from generation.recipes.base import Job, Recipe
from generation.running import Acted, Running
from generation.steps import StepInProgress
from memory.base.database import db
from memory.base.errors import ScriptoriumError, ToolFailed
from memory.base.text import as_json, clean_json

log = structlog.get_logger()

CONTEXT = "context"
MOST_WRONG = 3  # then the model has to say in words what it could not do
MOST_CALLS = 16  # in one round; of more nothing is done
MOST_TOLD = 6  # characters for each token that a tool may tell
ENDS = {
    RunState.DONE: MessageState.DONE,
    RunState.PARTIAL: MessageState.DONE,
    RunState.CANCELLED: MessageState.STOPPED,
    RunState.FAILED: MessageState.FAILED,
}


async def answer(run: Running) -> None:
    (conversation,) = await prepare(run)
    await conversation.go()


async def prepare(run: Running, *, with_tools: bool = True) -> "list[Conversation]":
    """What each reply of this run is made from, fixed now for all of them in one step."""
    given = await sources.read(run)

    def gather() -> dict[str, Context]:
        replies = Message.objects.filter(run=run.run, speaker=Speaker.AGENT, session=run.run.line).order_by("id")
        whole = replies.select_related("session__workspace", "session__user", "parent")
        return {reply.step: context.gather(run.run, reply, given, with_tools=with_tools) for reply in whole}

    label = {"code": "context"}
    shown = await run.step(CONTEXT, lambda _: db(gather), returns=dict[str, Context], label=label)
    return [Conversation(run, one, step) for step, one in shown.items()]


class Conversation:
    """`said` grows by what was said and what the tools answered; `seen` by what was read of objects."""

    def __init__(self, run: Running, shown: Context, prefix: str = "") -> None:
        self.run = run
        self.shown = shown
        self.prefix = prefix
        self.said = [Line(role=each.role, content=each.content) for each in shown.said]
        self.seen = dict(shown.versions)
        self.wrong = 0

    async def go(self) -> None:
        for n in range(1, self.shown.rounds + 1):
            is_last = n == self.shown.rounds or self.wrong > MOST_WRONG
            spoken = await self.speak(n, () if is_last else self.shown.tools)
            if not spoken.calls or is_last:
                return
            calls = [ToolCall(f"call_{n}_{i}", call.name, call.arguments) for i, call in enumerate(spoken.calls, 1)]
            self.said.append(Line("assistant", spoken.content, tuple(calls)))
            for i, call in enumerate(spoken.calls, 1):
                outcome = await self.use(f"{self.prefix}round-{n}/tool-{i}", call)
                # By a name of ours: providers give one id to calls of two rounds.
                self.said.append(Line("tool", outcome.told, tool_call_id=f"call_{n}_{i}"))

    async def speak(self, n: int, tools: Sequence[str]) -> Spoken:
        async def produce(step: StepInProgress) -> Spoken:
            specs = [TOOLS[name].spec for name in tools if name in TOOLS]
            agent, variables = self.shown.agent, self.shown.variables
            answer = await step.converse(SLOTS[agent], variables, self.said, agent=agent, tools=specs)
            calls = [Asked(name=call.name, arguments=call.arguments) for call in answer.tool_calls]
            text, strange = citations.unlinked(step.text, citations.addresses([self.text()]))
            return Spoken(reasoning=answer.reasoning, ms=step.thought_ms, content=text, calls=calls, unlinked=strange)

        return await self.run.step(
            f"{self.prefix}round-{n}", produce, returns=Spoken, label={"code": "round", "number": n}
        )

    async def use(self, key: str, call: Asked) -> Outcome:
        """What came of it, done once; what the model did wrong is told to it."""
        run, seen, allowed = self.run.run, dict(self.seen), self.shown.tools
        result = await self.run.act(
            key,
            lambda found: used(run, key, call, seen, allowed, found),
            look=lambda: looked_up(run, key, call, allowed, self.text()),
            label={"code": "tool", "name": call.name},
        )
        outcome = Outcome.read(result) or parts.LOST
        self.seen |= outcome.versions
        self.wrong += outcome.error is not None
        return outcome

    def text(self) -> str:
        """All that its model has been shown of what others say; not what models said, who may have been told to."""
        material = [str(self.shown.variables.get(name, "")) for name in ("objects", "files")]
        said = [line.content for line in self.said if line.role != "assistant"]
        return "\n".join([*material, *self.shown.links, *said])


async def looked_up(
    run: Run, key: str, call: Asked, allowed: Sequence[str], shown: str
) -> Done | ScriptoriumError | None:
    """What a lookup has brought, or why it has not; nothing for any other tool."""
    tool = TOOLS.get(call.name) if call.name in allowed else None
    if not isinstance(tool, Lookup):
        return None
    try:
        check_count(key)
        return await tool.look(run, call.arguments, shown)
    except ScriptoriumError as error:
        if not is_wrong(error):
            raise
        return error


def used(
    run: Run,
    key: str,
    call: Asked,
    seen: dict[str, int],
    allowed: Sequence[str],
    found: Done | ScriptoriumError | None,
) -> Acted:
    session = sessions.visible(run.user, run.line) if run.line else None
    if session is None:
        raise ValueError(f"{run} is of no conversation")
    try:
        check_count(key)
        done = do(find(call.name, allowed), Hand(run, session, key, seen), call.arguments, found)
    except ScriptoriumError as error:
        if not is_wrong(error):
            raise
        log.warning("tool_refused", tool=call.name, error=error.code)
        return told(key, call, refused(error))
    outcome = Outcome(
        told=shortened(done.told),
        about=dict(done.about),
        changes=[change.pk for change in done.changes],
        run=done.run,
        versions=dict(done.versions),
        error=clean_json(done.error.as_data()) if done.error else None,
    )
    return told(key, call, outcome, objects_changed(done.changes, key))


def do(tool: Tool | Lookup, hand: Hand, arguments: str, found: Done | ScriptoriumError | None) -> Done:
    """Use it now, or take what it has brought."""
    if isinstance(tool, Tool):
        return tool.use(hand, arguments)
    if found is None:
        raise ValueError(f"nothing was looked up by {tool.name}")
    if isinstance(found, ScriptoriumError):
        raise found
    return found


def check_count(key: str) -> None:
    """Raises `tool.too_many` for a call past the MOST_CALLS of its round."""
    if int(key.rpartition("/tool-")[2]) > MOST_CALLS:
        raise ToolFailed("too_many", limit=MOST_CALLS)


def find(name: str, allowed: Sequence[str]) -> Tool | Lookup:
    """Raises `tool.unknown` for one that was not offered."""
    if name not in allowed or name not in TOOLS:
        raise ToolFailed("unknown", tool=name[:100], allowed=list(allowed))
    return TOOLS[name]


def refused(error: ScriptoriumError) -> Outcome:
    return Outcome(told=shortened(refusal(error)), error=clean_json(error.as_data()))


def shortened(told: Mapping[str, Any]) -> str:
    """What a model is told by a tool, no longer than any of it is allowed to be; a cut says so."""
    text = as_json(clean_json(dict(told))) or ""
    most = MOST_TOLD * settings.TOOL_RESULT_TOKENS
    return text if len(text) <= most else f"{text[:most]}… [cut here: the rest is too long]"


def told(key: str, call: Asked, outcome: Outcome, drafts: Sequence[Draft] = ()) -> Acted:
    result = outcome.model_dump(mode="json")
    facts = {name: result[name] for name in ("about", "changes", "run", "error") if result[name]}
    return Acted(result, [*drafts, Draft.of("tool_call_result", step=key, name=call.name, **facts)])


# --- what is kept


def keep(run: Run, state: RunState, error: dict[str, Any] | None) -> None:
    """The answer, as far as it came, in its message. In the transaction that ends its run."""
    written = Message.objects.filter(run=run, speaker=Speaker.AGENT, session=run.line).order_by("id")
    replies = list(written.select_related("session__user", "session__workspace"))
    steps, calls = list(run.steps.all()), usage.calls_of([run.id])
    for reply in replies:
        keep_reply(reply, steps, usage.of(calls, run.id, reply.step), state, error)
    if replies and state in (RunState.DONE, RunState.PARTIAL):
        titling.ask(replies[0].session, run)


def keep_reply(
    reply: Message, steps: Sequence[Step], calls: Sequence[Call], state: RunState, error: dict[str, Any] | None
) -> None:
    """`steps` are those of its run, `calls` its own."""
    own = parts.own(steps, reply.step)
    reply.parts = parts.ended(parts.of_steps(own))
    reply.say(parts.text_of(reply.parts))
    failed = next((step for step in own if step.state == StepState.FAILED), None)
    if failed:
        reply.state, reply.error = MessageState.FAILED, failed.error
    elif parts.is_whole(own):  # what ended others has not ended it
        reply.state, reply.error = MessageState.DONE, None
    else:
        reply.state, reply.error = ENDS[state], error
    context_of = next((step.result for step in steps if step.key == CONTEXT), None) or {}
    shown = context_of.get(reply.step)
    reply.seen = {"seen": shown["seen"], "limit": shown["limit"]} if shown else None
    reply.call = calls[-1] if calls else None
    reply.usage = usage.told(calls)
    reply.save(update_fields=["parts", "text", "folded", "state", "error", "seen", "call", "usage"])
    sessions.tell(reply.session)


JOB = Job(answer, keep)


ANSWER = Recipe(kind="answer", job=f"{__name__}.JOB", queue=Queue.WEB, slots=tuple(SLOTS.values()))
