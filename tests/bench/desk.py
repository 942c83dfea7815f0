"""What a bench asks of a house from inside: people with tokens, and runs. `python -m tests.bench.desk VERB N`."""

import sys

import django

django.setup()

from generation import runs  # noqa: E402
from generation.models import Queue  # noqa: E402
from generation.recipes.base import Recipe  # noqa: E402
from memory import tokens, workspaces  # noqa: E402
from memory.models import Role, User, Workspace  # noqa: E402

STREAM = Recipe("bench", "tests.jobs.one_stream", queue=Queue.WEB)


def people(count: int) -> None:
    """So many users in one workspace; prints a token of each."""
    owner = User.objects.get(username="owner")
    workspace = Workspace.objects.get()
    for n in range(count):
        user = User.objects.create_user(f"reader-{n}", f"reader-{n}@example.org")
        workspaces.add_member(workspace, user, Role.EDITOR, by=owner)
        print(tokens.issue(user, "bench")[1])


def start(count: int) -> None:
    """So many runs of one stream; prints their ids."""
    owner, workspace = User.objects.get(username="owner"), Workspace.objects.get()
    for n in range(count):
        run, _ = runs.start(STREAM, runs.Order(f"Stream {n}"), user=owner, workspace=workspace)
        print(run.id)


if __name__ == "__main__":
    {"people": people, "start": start}[sys.argv[1]](int(sys.argv[2]))
