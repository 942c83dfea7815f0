"""The desk of a house under test: a process that makes its people and starts its runs, told by lines of JSON.

It is a process of its own because the tests' own Django lives in another database. What loses its answer is asked
again with the same key: a start must be safe to repeat.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django
import orjson
from django.core.management import call_command

os.environ.setdefault("PROCESS", "command")
django.setup()

from django.db import close_old_connections, connection  # noqa: E402 models need the apps

from generation import agents, decisions, documents, prompts, runs, sweep  # noqa: E402
from generation.events import LOST_CONNECTION  # noqa: E402
from generation.models import Experiment, PromptVersion, Queue, Run  # noqa: E402
from generation.orders import Order  # noqa: E402
from generation.recipes.base import Recipe  # noqa: E402
from generation.registry import recipe_of  # noqa: E402
from memory import tokens, workspaces  # noqa: E402
from memory.models import User, Workspace  # noqa: E402
from tests.jobs import AnyOptions  # noqa: E402
from tests.password import PASSWORD  # noqa: E402
from tests.patience import PATIENCE_SECONDS  # noqa: E402
from tests.people import make_people, staff  # noqa: E402
from tests.things import an_experiment, fill_the_arms  # noqa: E402


def open_house() -> dict[str, str]:
    """Migrate, make people; the secrets of their tokens by name."""
    call_command("migrate", verbosity=0, interactive=False)
    prompts.sync()
    agents.sync()
    people = make_people()
    members = (people.owner, people.teammate, people.viewer)
    return {user.username: tokens.issue(user, "chaos")[1] for user in members}


def settle(name: str, workspace: str, titles: list[str]) -> None:
    """One more person, with a workspace of their own and a note of each title in it."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD)
    home = workspaces.create(workspace, user)
    for title in titles:
        documents.create("note", title, {}, user=user, workspace=home)


def start(key: str, queue: str, brief: str, kind: str = "note", job: str = "", **options: Any) -> str:
    """A text of this kind, or a job of the tests."""
    recipe = Recipe("test", job, options=AnyOptions) if job else recipe_of(kind)
    user = User.objects.get(username="owner")
    workspace = Workspace.objects.get(name="Scriptorium")
    order = Order(brief, options=options)
    run, _ = runs.start(recipe, order, user=user, workspace=workspace, key=key, queue=Queue(queue))
    return str(run.id)


def cancel(run: str) -> None:
    found = Run.objects.select_related("workspace", "user").get(id=UUID(run))
    runs.cancel(found, by=found.user)


def rewrite(slot: str, words: str) -> int:
    """One more version of the prompt, which ends with these words; its number. It is not in production."""
    standing = prompts.current(slot)
    return prompts.add_version(standing.prompt, f"{standing.text}{words}\n").number


def promote(slot: str, number: int) -> float:
    """As staff do by a click; the second, by the database's clock, in which it was done."""
    keeper = User.objects.filter(username="keeper").first() or staff("keeper", "promote_prompt")
    decisions.promote(PromptVersion.objects.get(prompt=slot, number=number), keeper, "as the test says")
    with connection.cursor() as sql:
        sql.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(sql.fetchone()[0])


def hire(name: str, rights: list[str]) -> None:
    """Somebody of the staff, once."""
    if not User.objects.filter(username=name).exists():
        staff(name, *rights)


def experiment(run: str, units: int) -> str:
    """One that runs on the outline of notes, with so many units in each arm; whoever keeps the house may decide."""
    keeper = User.objects.filter(username="keeper").first() or User.objects.create_superuser("keeper", "k@example.org")
    found = Experiment.objects.get(id=an_experiment(keeper)["experiment"])
    fill_the_arms(found, Run.objects.get(id=UUID(run)), units)
    return str(found.pk)


def sweep_once() -> bool:
    return sweep.once()


VERBS: dict[str, Callable[..., Any]] = {
    "open_house": open_house,
    "settle": settle,
    "start": start,
    "cancel": cancel,
    "rewrite": rewrite,
    "promote": promote,
    "experiment": experiment,
    "hire": hire,
    "sweep": sweep_once,
}


def answer(verb: str, **asked: Any) -> Any:
    """What the verb returns; asked again for as long as the database is away."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        close_old_connections()
        try:
            return VERBS[verb](**asked)
        except LOST_CONNECTION:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def main() -> None:
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(orjson.dumps(answer(**orjson.loads(line))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
