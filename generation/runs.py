"""The verbs on a run: start, cancel, retry, answer. Each is one transaction; rings follow it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now
from pydantic import BaseModel, ValidationError

from generation import documents, endings, lines
from generation.claims import after_commit, lock, seize
from generation.events import Batch, Draft, insert
from generation.fields import problems
from generation.models import END_STATES, OPEN_STATES, Claim, Document, Queue, Run, RunState, Step, StepState
from generation.nudges import nudge
from generation.orders import Order
from generation.recipes.base import Action, Recipe, import_job
from generation.rings import ring_batches, ring_run
from memory import workspaces
from memory.base.errors import Conflict, InvalidInput, LimitReached, NotFound, RunError
from memory.base.language import language_of
from memory.base.text import clean_json, clean_text
from memory.history import digest
from memory.models import File, Role, User, Workspace

COPY_STEPS = """
INSERT INTO generation_step (id, run_id, key, label, state, attempts, is_fallback, result, text, copied_from,
                             started_at, finished_at)
SELECT gen_random_uuid(), %(new)s, key, label, state, attempts, is_fallback, result, text,
       coalesce(copied_from, run_id), started_at, finished_at
FROM generation_step
WHERE run_id = %(old)s AND state = ANY(%(good)s) AND key <> 'read' AND key NOT LIKE 'read/%%' AND key <> ALL(%(again)s)
RETURNING key, label, state
"""


def start(
    recipe: Recipe,
    order: Order,
    *,
    user: User,
    workspace: Workspace,
    key: str | None = None,
    queue: Queue | None = None,
    document: Document | None = None,
    action: Action | None = None,
) -> tuple[Run, bool]:
    """Begin the work; the same key with the same order gives the same run and False.

    With a document the run does its `action` on it; without one a recipe that writes documents begins a new one.

    Raises the errors of `Order.cleaned`, `not_found.workspace`, `permission.role`, `not_found.file`,
    `validation.files_too_many`, `conflict.key_reused` (the key came with another order), `limit.runs_open`.
    """
    workspaces.require(user, workspace, Role.EDITOR)
    order = order.cleaned(recipe)
    key = clean_text(key)[:200] if key else None
    try:
        with transaction.atomic():
            run = create(
                recipe,
                order,
                user=user,
                workspace=workspace,
                key=key,
                queue=queue,
                document=document,
                action=action,
            )
            return run, True
    except IntegrityError:
        known = Run.objects.filter(user=user, key=key).first() if key else None
        if known is None:
            raise
    if known.fingerprint != fingerprint(recipe, order, document, action):
        raise Conflict("key_reused", run=str(known.id))
    return known, False


def create(
    recipe: Recipe,
    order: Order,
    *,
    user: User,
    workspace: Workspace,
    key: str | None = None,
    queue: Queue | None = None,
    parent: Run | None = None,
    parent_step: str = "",
    document: Document | None = None,
    action: Action | None = None,
) -> Run:
    """The rows of a new run and its first event, in the caller's transaction."""
    if key is None or not Run.objects.filter(user=user, key=key).exists():
        check_open_runs(user, parent)
    check_files(order.files, user, workspace)
    check_documents(recipe, order.options, workspace)
    if recipe.admit and action is None:
        recipe.admit(workspace, order.options)
    language = order.language or language_of(order.brief, user.language)
    run = Run.objects.create(
        workspace=workspace,
        user=user,
        parent=parent,
        parent_step=parent_step,
        kind=recipe.kind,
        action=action.name if action else Run.WRITE,
        job=action.job if action else recipe.job,
        document=document or documents.begin(recipe.kind, replace(order, language=language), user, workspace),
        title=order.title,
        language=language,
        brief=order.brief,
        options=order.options,
        files=[str(file) for file in order.files],
        is_private=order.is_private,
        key=key,
        fingerprint=fingerprint(recipe, order, document, action),
    )
    documents.point_to(run)
    open_claim(run, queue or recipe.queue, [Draft.of("status", state=RunState.QUEUED)])
    return run


def begin(
    errand: Recipe,
    *,
    user: User,
    workspace: Workspace,
    options: Mapping[str, Any],
    line: UUID | None = None,
    files: Sequence[UUID] = (),
    language: str = "",
    key: str | None = None,
    fingerprint: str = "",
) -> Run:
    """A private run that writes no document, in the caller's transaction; in a `line` it waits for those before it.

    What it may cost the caller has decided: caps on open runs are for what is asked for by itself. `fingerprint`: of
    what the caller was asked for under this key.
    Raises `validation.files_too_many`, `not_found.file`.
    """
    check_files(files, user, workspace)
    run = Run.objects.create(
        workspace=workspace,
        user=user,
        line=line,
        kind=errand.kind,
        job=errand.job,
        language=language or user.language,
        options=errand.options.model_validate(options).model_dump(mode="json"),
        files=[str(file) for file in files],
        is_private=True,
        key=key,
        fingerprint=fingerprint,
    )
    if line is not None:
        lines.lock(line)
    waits = {"state": RunState.WAITING, "reason": lines.TURN} if line and lines.is_busy(line) else {}
    open_claim(run, errand.queue, [Draft.of("status", **{"state": RunState.QUEUED, **waits})], **waits)
    return run


def fingerprint(recipe: Recipe, order: Order, document: Document | None, action: Action | None) -> str:
    """One short word for what was asked: a key that comes again must come with the same."""
    where = [str(place) if place else "" for place in (order.parent, order.folder, document and document.id)]
    files = [str(file) for file in order.files]
    what = action.name if action else ""
    return digest([recipe.kind, order.brief, order.title, order.language, order.options, files, *where, what])


def open_claim(run: Run, queue: str, drafts: Sequence[Draft], **facts: Any) -> None:
    claim = Claim(run=run, queue=queue, **facts)
    batch = Batch(run.id, 0, drafts, claim.state)
    claim.last_seq = batch.upto
    claim.save(force_insert=True)
    insert(batch)
    after_commit(lambda: ring_batches([batch]))
    after_commit(lambda: ring_run(run))
    if claim.state == RunState.QUEUED:
        after_commit(lambda: nudge(run.id, queue))


def check_open_runs(user: User, parent: Run | None) -> None:
    """Raise `limit.runs_open` at the cap. Children do not count: their parent's recipe decided on them."""
    if parent is not None:
        return
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"runs-of-{user.pk}"])
    count = Run.objects.filter(user=user, parent=None, line=None, claim__state__in=OPEN_STATES).count()
    if count >= settings.RUNS_OPEN_PER_USER:
        raise LimitReached("runs_open", retry_after=30, limit=settings.RUNS_OPEN_PER_USER, open=count)


def check_files(files: Sequence[UUID], user: User, workspace: Workspace) -> None:
    if len(files) > settings.RUN_MAX_FILES:
        raise InvalidInput("files_too_many", count=len(files), limit=settings.RUN_MAX_FILES)
    found = set(File.objects.visible(user).filter(workspace=workspace, id__in=files).values_list("id", flat=True))
    missing = [str(file) for file in files if file not in found]
    if missing:
        raise NotFound("file", files=missing)


def check_documents(recipe: Recipe, options: Mapping[str, Any], workspace: Workspace) -> None:
    """Raise `not_found.document` unless all that the options name are there, of their kind, in this workspace."""
    for name, info in recipe.options.model_fields.items():
        about = info.json_schema_extra
        kind = about.get("documents") if isinstance(about, dict) else None
        value = options.get(name)
        named = set(value if isinstance(value, list) else [value] if value else [])
        if not kind or not named:
            continue
        found = Document.objects.filter(workspace=workspace, kind=kind, present=True, id__in=named)
        if missing := named - {str(each) for each in found.values_list("id", flat=True)}:
            raise NotFound("document", documents=sorted(missing))


def cancel(run: Run, by: User) -> None:
    """Stop the run and its children. What is being worked on stops within seconds, what is not stops here.

    Cancelling an ended run changes nothing. A viewer may cancel what is theirs alone: it grades what they answered.
    """
    workspaces.require(by, run.workspace, Role.VIEWER if run.is_own_of(by) else Role.EDITOR)
    with transaction.atomic():
        endings.halt(run)


def retry(run: Run, by: User, steps: Iterable[str] = (), key: str | None = None) -> tuple[Run, bool]:
    """A new run that begins with copies of the good steps and makes the others, or just the named ones, again.

    The same key for the same steps gives the same run and False. Raises `run.still_open`, `run.nothing_to_retry`,
    `run.of_a_turn` (its conversation asks for another answer), `not_found.step`, `conflict.key_reused`.
    """
    workspaces.require(by, run.workspace, Role.EDITOR)
    if run.line is not None:
        raise RunError("of_a_turn")
    again = list(steps)
    key = clean_text(key)[:200] if key else None
    with transaction.atomic():
        claim = lock(run.id)
        if key and (known := Run.objects.filter(user=by, key=key).first()):
            if (known.retries_id, known.again) != (run.id, again):
                raise Conflict("key_reused", run=str(known.id))
            return known, False
        if claim.state not in END_STATES:
            raise RunError("still_open", state=claim.state)
        check_steps(run, claim, again)
        return copy(run, by, again, claim.queue, key), True


def check_steps(run: Run, claim: Claim, again: list[str]) -> None:
    known = set(run.steps.values_list("key", flat=True))
    if missing := [key for key in again if key not in known]:
        raise NotFound("step", steps=missing)
    if claim.state == RunState.DONE and not again:
        raise RunError("nothing_to_retry")


def copy(run: Run, by: User, again: list[str], queue: str, key: str | None) -> Run:
    check_open_runs(by, None)
    names = (
        "workspace_id",
        "document_id",
        "kind",
        "action",
        "job",
        "title",
        "language",
        "brief",
        "options",
        "files",
        "is_private",
        "fingerprint",
    )
    new = Run.objects.create(user=by, retries=run, key=key, again=again, **{name: getattr(run, name) for name in names})
    documents.point_to(new)
    with connection.cursor() as sql:
        # Who names steps wants nothing else made: stand-ins stay, too.
        good = [StepState.DONE, StepState.FALLBACK] if again else [StepState.DONE]
        sql.execute(COPY_STEPS, {"new": new.id, "old": run.id, "again": again, "good": good})
        kept = sql.fetchall()
    told = [
        Draft.of("step", key=step, label=orjson.loads(label), state=state, attempt=0, is_copy=True)
        for step, label, state in kept
    ]
    open_claim(new, queue, [Draft.of("status", state=RunState.QUEUED, retries=str(run.id)), *told])
    return new


def answer(run: Run, by: User, step: str, value: Any) -> None:
    """Give a waiting run what it asked for and queue it again.

    Raises `run.not_asking` when it does not wait for this step's answer, `validation.answer` when the value does not
    fit the question's schema.
    """
    workspaces.require(by, run.workspace, Role.EDITOR)
    with transaction.atomic():
        claim = lock(run.id)
        question = Run.objects.values_list("question", flat=True).get(id=run.id) or {}
        if claim.state != RunState.WAITING or claim.reason != "person" or question.get("step") != step:
            raise RunError("not_asking", state=claim.state, step=step)
        result = fitted(question["schema"], clean_json(value))
        Run.objects.filter(id=run.id).update(question=None)
        Step.objects.filter(run_id=run.id, key=step).update(state=StepState.DONE, result=result, finished_at=now())
        drafts = [
            Draft.of("step", key=step, state=StepState.DONE, by=str(by.pk)),
            Draft.of("status", state=RunState.QUEUED),
        ]
        batch = seize(claim, drafts, state=RunState.QUEUED, reason="", queued_at=run.created_at)
        after_commit(lambda: ring_batches([batch]))
        after_commit(lambda: ring_run(run))
        after_commit(lambda: nudge(run.id, claim.queue))


def fitted(schema: str, value: Any) -> Any:
    """The value in the shape of the pydantic model at this dotted path."""
    model: type[BaseModel] = import_job(schema)
    try:
        return model.model_validate(value).model_dump(mode="json")
    except ValidationError as error:
        raise InvalidInput("answer", problems=problems(error)) from None
