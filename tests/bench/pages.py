"""What `bench_pages` asks inside a house: two large documents, and their pages."""

import os
import statistics
import sys
import time
from itertools import pairwise
from typing import Any
from uuid import UUID

import django

os.environ.setdefault("PROCESS", "command")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from chat import sessions  # noqa: E402
from chat.models import Message  # noqa: E402
from generation import agents, documents, runs, sections  # noqa: E402
from generation.models import Document, Run, Section  # noqa: E402
from generation.orders import Order  # noqa: E402
from generation.registry import recipe_of  # noqa: E402
from memory.base.ranks import spread  # noqa: E402
from memory.history import By  # noqa: E402
from tests.chaos.test_opening import CLAIM, DELTAS, FILL, STEP_ROWS, STEPS, WORDS  # noqa: E402
from tests.people import People, make_people  # noqa: E402

ROUNDS = 15
MESSAGES = 5_000
MOST_MS, MOST_QUERIES, MOST_KB = 150, 12, 200
TEXT = "A paragraph with *some* emphasis and a [link](https://example.org), as long as people write them. " * 5
CODE = "```python\nfor each in loop:\n    print(each)\n```"
ROW = "{:40} first byte {:6.1f} ms (at most {}; cold {:.0f}), {:2} queries (at most {}), {:4.0f} kB (at most {}){}"


def course(people: People) -> Document:
    """Two hundred sections of 3 kB."""
    document = documents.create("course", "Large", {}, user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    chapter = sections.add(document, "chapter", {"title": "One"}, by)
    lesson = sections.add(document, "lesson", {}, by, parent=chapter)
    Section.objects.bulk_create(
        Section(
            document=document,
            parent=lesson,
            type="part",
            key=f"part-{n}",
            rank=rank,
            fields={"title": f"Part {n}", "content": f"{n}\n\n{TEXT}\n\n{CODE}\n\n" + f"{TEXT}\n\n" * 5},
        )
        for n, rank in enumerate(spread(198))
    )
    return document


def long_run(people: People) -> Run:
    run, _ = runs.start(recipe_of("note"), Order("Long."), user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    assert run.document
    for n in range(STEPS):
        section = sections.add(run.document, "section", {"title": f"Section {n}"}, by)
        Section.objects.filter(id=section.id).update(key=f"section-{n}")
    facts: dict[str, Any] = {
        "run": run.id,
        "steps": STEPS,
        "deltas": DELTAS,
        "words": WORDS.replace("models.", "models.\n\n"),
    }
    with connection.cursor() as sql:
        for statement in (FILL, STEP_ROWS, CLAIM, "ANALYZE generation_event"):
            sql.execute(statement, facts if "%" in statement else None)
    return run


def conversation(people: People) -> UUID:
    """Of which the end shows first."""
    session = sessions.begin(people.owner, people.workspace, title="Long")
    said = [Message(session=session, speaker=("user", "agent")[n % 2]) for n in range(MESSAGES)]
    for before, message in pairwise(said):
        message.parent = before
    for message in said:
        message.say(TEXT)
        message.parts = [{"type": "text", "text": f"{TEXT}\n\n{CODE}"}] if message.speaker == "agent" else []
    Message.objects.bulk_create(said, batch_size=1_000)
    sessions.go_on(session, said[-1])
    return session.id


def measure(client: Client, what: str, path: str) -> bool:
    """Whether it is as was promised."""
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        response = client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        assert response.status_code == 200
    with CaptureQueriesContext(connection) as asked:
        size = len(client.get(path).content)
    queries = sum(each["sql"] not in ("BEGIN", "COMMIT") for each in asked.captured_queries)
    median = statistics.median(times[1:])
    missed = median > MOST_MS or queries > MOST_QUERIES or size > MOST_KB * 1000
    figures = (median, MOST_MS, times[0], queries, MOST_QUERIES, size / 1000, MOST_KB)
    print(ROW.format(what, *figures, " MISSED" if missed else ""), flush=True)
    return not missed


def main() -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0, interactive=False)
    agents.sync()
    people = make_people()
    client = people.client(people.owner)
    small = documents.create("course", "Small", {}, user=people.owner, workspace=people.workspace)
    sections.add(small, "chapter", {"title": "One"}, By.person(people.owner))
    client.get(f"/documents/{small.id}/")  # the templates are read once a process
    kept = measure(client, "document of 200 sections", f"/documents/{course(people).id}/")
    kept &= measure(client, "in the middle of 30 000 deltas", f"/documents/{long_run(people).document_id}/")
    kept &= measure(client, "conversation of 5 000 messages", f"/chat/{conversation(people)}/")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
