"""The panel: one question to Anima, Neo and Nexus at once. Their answers stand beside each other, each by itself.

One run makes them, in parallel: it takes as long as the slowest. A failed one is marked, the others stand. On request
Nexus puts them together. Any of them can be gone on with, like any answer.
"""

from functools import partial
from uuid import UUID

from chat import sessions, turns
from chat.answering import Conversation, keep, prepare
from chat.models import Form, Message, MessageState, Session, Speaker
from chat.parts import Spoken
from chat.turns import Asked, Turn
from generation.models import Queue
from generation.recipes.base import Job, Recipe
from generation.running import Running, StepFailed
from generation.sources import fenced
from generation.steps import StepInProgress
from memory.base.database import db
from memory.base.errors import SessionError

AGENTS = ("anima", "neo", "nexus")
MEDIATOR = "nexus"


def answer_by_all(session: Session, question: Message, asked: Asked) -> Turn:
    """How `turns.take` has a question answered that is put to all three."""
    replies = [
        Message(session=session, parent=question, speaker=Speaker.AGENT, agent=agent, step=f"{agent}/", form=Form.PANEL)
        for agent in AGENTS
    ]
    return turns.begin(PANEL, session, question, replies, asked)


def synthesise(reply: Message, key: str | None = None) -> Turn:
    """What the answers of this panel come to, as one more answer beside them.

    Raises `session.no_panel` where fewer than two have answered, `limit.turns_open`, `conflict.key_reused`.
    """
    question = reply.parent
    if question is None or len(answers_to(question)) < 2:
        raise SessionError("no_panel")

    def make(asked: Asked) -> Turn:
        turns.check_open_turns(reply.session.user)
        session = sessions.lock(reply.session)
        one = Message(session=session, parent=question, speaker=Speaker.AGENT, agent=MEDIATOR, form=Form.SYNTHESIS)
        return turns.begin(SYNTHESIS, session, question, [one], asked)

    return turns.once(reply.session.user, key, ["synthesise", question.id], make)


def answers_to(question: Message) -> list[Message]:
    """The newest of each agent that came to its end."""
    ended = question.replies.filter(form=Form.PANEL, state=MessageState.DONE).order_by("id")
    return list({reply.agent: reply for reply in ended}.values())


async def answer(run: Running) -> None:
    failures = await run.gather(*(one(each) for each in await prepare(run, with_tools=False)))
    if all(failures):
        raise next(failure for failure in failures if failure)


async def one(conversation: Conversation) -> StepFailed | None:
    """One of them; how it failed, if it did."""
    try:
        await conversation.go()
    except StepFailed as failure:
        return failure
    return None


async def put_together(run: Running) -> None:
    async def produce(step: StepInProgress) -> Spoken:
        said = await step.converse("agents/synthesis", await db(partial(material, run.run.id)), (), agent=MEDIATOR)
        return Spoken(reasoning=said.reasoning, ms=step.thought_ms, content=step.text)

    await run.step("round-1", produce, returns=Spoken, label={"code": "round", "number": 1})


def material(run_id: UUID) -> dict[str, str]:
    reply = Message.objects.select_related("parent").get(run=run_id, form=Form.SYNTHESIS)
    question = reply.parent
    answers = answers_to(question) if question else []
    shown = "\n".join(f'<answer by="{each.agent}">\n{fenced(each.text)}\n</answer>' for each in answers)
    missing = [agent for agent in AGENTS if agent not in {each.agent for each in answers}]
    return {"question": fenced(question.text) if question else "", "answers": shown, "missing": ", ".join(missing)}


PANEL_JOB = Job(answer, keep)
SYNTHESIS_JOB = Job(put_together, keep)
PANEL = Recipe(kind="panel", job=f"{__name__}.PANEL_JOB", queue=Queue.WEB)
SYNTHESIS = Recipe(kind="synthesis", job=f"{__name__}.SYNTHESIS_JOB", queue=Queue.WEB, slots=("agents/synthesis",))
