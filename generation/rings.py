"""What this floor rings: batches of events to followers, and runs that changed to the pages that list them."""

from collections.abc import Iterable
from typing import Any

from generation.events import Batch
from generation.models import Run
from memory.base.news import RUNS, bell, changed

SMALL_BYTES = 200_000  # past this only the ranges are rung, and who follows reads


def frames(batch: Batch) -> str:
    """The events of a batch as the JSON text that sockets pass on unchanged."""
    at = batch.at.isoformat(timespec="milliseconds")
    return "[{}]".format(
        ",".join(
            f'{{"seq":{seq},"type":"{draft.type}","data":{draft.data},"at":"{at}"}}' for seq, draft in batch.numbered()
        )
    )


def ring_batches(batches: Iterable[Batch]) -> None:
    """One ring for all of them: `[run, after, upto, events or null, state]` each."""
    rows: list[list[Any]] = []
    size = 0
    for batch in batches:
        events = frames(batch)
        size += len(events)
        rows.append([str(batch.run_id), batch.after, batch.upto, events if size <= SMALL_BYTES else None, batch.state])
    if rows:
        bell.ring(RUNS, batches=rows)


def ring_run(run: Run) -> None:
    audience = f"user.{run.user_id}" if run.is_private else f"workspace.{run.workspace_id}"
    about = [f"document.{run.document_id}"] if run.document_id and not run.is_private else []
    changed("run", run.id, 0, [audience, f"run.{run.id}", *about])
