"""What a conversation is called: five to seven words after its first exchange, unless somebody named it."""

from uuid import UUID

from pydantic import BaseModel, Field

from chat import sessions
from chat.models import Message, MessageState, Session, SessionState, Speaker
from generation import runs
from generation.models import Queue, Run
from generation.recipes.base import Options, Recipe
from generation.running import Running
from generation.sources import fenced
from generation.steps import StepInProgress
from memory.base.database import db

EXCERPT = 2_000  # characters of question and answer


class TitleOptions(Options):
    session: UUID


class Title(BaseModel):
    title: str = Field(min_length=1, max_length=80, description="What they speak of, in five to seven words")


def ask(session: Session, run: Run) -> None:
    """Have it named, once, in the transaction that ends its first exchange."""
    if session.is_named or session.state == SessionState.DELETED:
        return
    answered = Message.objects.filter(session=session, speaker=Speaker.AGENT, state=MessageState.DONE)
    if answered.order_by().values("parent").distinct()[:2].count() != 1:
        return
    key = sessions.title_key(session)
    if Run.objects.filter(user=session.user, key=key).exists():
        return
    runs.begin(
        TITLE,
        user=session.user,
        workspace=session.workspace,
        options={"session": str(session.id)},
        language=run.language,
        key=key,
    )


async def title(run: Running) -> None:
    session_id = TitleOptions.model_validate(run.run.options).session

    async def produce(step: StepInProgress) -> Title:
        return await step.write_as(Title, "agents/title", await db(exchange, session_id))

    await run.step(
        "title",
        produce,
        returns=Title,
        label={"code": "title"},
        write=lambda named, scribe: entitle(session_id, named.title),
    )


def exchange(session_id: UUID) -> dict[str, str]:
    said = Message.objects.filter(session=session_id).order_by("id")
    question = said.filter(speaker=Speaker.USER).first()
    answer = said.filter(speaker=Speaker.AGENT, state=MessageState.DONE).first()
    return {
        "question": fenced(question.text[:EXCERPT]) if question else "",
        "answer": fenced(answer.text[:EXCERPT]) if answer else "",
    }


def entitle(session_id: UUID, title: str) -> None:
    """What a person called it meanwhile stays."""
    session = Session.objects.select_for_update().filter(id=session_id, is_named=False).first()
    if session is not None:
        session.give_title(sessions.one_line(title).rstrip("."))
        session.save(update_fields=["title", "folded_title"])
        sessions.tell(session)


TITLE = Recipe(
    kind="title",
    job=f"{__name__}.{title.__name__}",
    options=TitleOptions,
    queue=Queue.WEB,
    slots=("agents/title",),
)
