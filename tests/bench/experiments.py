"""What `bench_experiments` asks inside a house: a large experiment, and what is in force for a run in it."""

import os
import statistics
import time
from collections.abc import Callable

import django

os.environ.setdefault("PROCESS", "command")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from generation import agents, in_force, prompts  # noqa: E402
from generation.experiments import evidence, outcomes  # noqa: E402
from generation.experiments.evidence import Evidence  # noqa: E402
from generation.models import Assignment, Experiment  # noqa: E402
from memory.models import User  # noqa: E402
from tests.bench.promises import Promises  # noqa: E402
from tests.people import make_people  # noqa: E402
from tests.things import an_experiment, fill_the_arms, start_a_note  # noqa: E402

UNITS = 5_000  # of each of two arms, three tasks each on the average
ROUNDS = 5
MOST_SECONDS = 5.0
SLOT = "note/outline"
# Each task wrote three texts, of one object; of every tenth, people changed one.
WROTE = """
INSERT INTO memory_change (id, workspace_id, root_id, object_type, object_id, version, path, before, after, author,
    user_id, run_id, step, "group", reason)
SELECT gen_random_uuid(), c.workspace_id, c.id, 'section', c.id, n, 'part-' || n % 3, NULL,
    to_jsonb(repeat('Loops repeat what stands in them. ', 60)), CASE WHEN n < 3 THEN 'recipe' ELSE 'person' END,
    c.user_id, c.run_id, c.step, c.origin, ''
FROM generation_call c, generate_series(0, CASE WHEN c.tokens_in % 10 = 0 THEN 3 ELSE 2 END) n
WHERE c.assignment_id IS NOT NULL
"""


def main() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    prompts.sync()
    agents.sync()
    people = make_people()
    run = start_a_note(people.owner, people.workspace)
    alone = median(lambda: in_force.find(SLOT, run=run), 200)
    keeper = User.objects.create_superuser("keeper", "keeper@example.org")
    experiment = Experiment.objects.get(pk=an_experiment(keeper)["experiment"])
    fill_the_arms(experiment, run, UNITS)
    with connection.cursor() as sql:
        sql.execute(WROTE)
        sql.execute("ANALYZE")
    experiment.refresh_from_db()
    promises = Promises()
    shown = median(lambda: outcomes.report(Evidence(experiment)), ROUNDS)
    said = promises.judge("report", shown, MOST_SECONDS)
    print(f"report of {Assignment.objects.count()} units, {sum_of_tasks(experiment)} tasks: {shown:.2f} s{said}")
    print(f"what its target does anyway: {median(lambda: evidence.baseline(experiment), ROUNDS):.2f} s")
    amid = median(lambda: in_force.find(SLOT, run=run), 200)
    print(f"what is in force: {alone * 1_000:.2f} ms without an experiment, {amid * 1_000:.2f} ms in one")
    promises.end()


def sum_of_tasks(experiment: Experiment) -> int:
    return int(sum(columns["task"] for _place, columns in Evidence(experiment).rows))


def median(ask: Callable[[], object], rounds: int) -> float:
    """Seconds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        ask()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


if __name__ == "__main__":
    main()
