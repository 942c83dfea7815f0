"""What a bench asks of a house from inside: people with tokens, and runs. `python -m tests.bench.desk VERB N`."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import django

django.setup()

from chat import sessions  # noqa: E402
from chat.models import Message, Speaker  # noqa: E402
from generation import runs  # noqa: E402
from generation.models import END_STATES, Call, Claim, Queue, Run  # noqa: E402
from generation.orders import Order  # noqa: E402
from generation.recipes.base import Recipe  # noqa: E402
from generation.registry import recipe_of  # noqa: E402
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
        run, _ = runs.start(STREAM, Order(f"Stream {n}"), user=owner, workspace=workspace)
        print(run.id)


BRIEFS = {
    "note": "A note on loops in Python, in four sections: why, for, while, mistakes.",
    "course": "A course on relational databases in 5 chapters: entities, relational algebra, SQL, normal forms, "
    "transactions. Standard level, 4 exercises in each chapter and an evaluation of 10 questions.",
    "use_case_list": "Twenty-five use cases of AI for a dairy with forty people, two shops and its own deliveries.",
}
OPTIONS = {"use_case_list": {"requested_count": 25}}


def write(count: int, kind: str, queue: str) -> None:
    """So many texts of a kind, written to their ends; prints of each what `figures` says, as JSON."""
    owner, workspace = User.objects.get(username="owner"), Workspace.objects.get()
    started = [
        runs.start(
            recipe_of(kind),
            Order(BRIEFS[kind], options=OPTIONS.get(kind, {})),
            user=owner,
            workspace=workspace,
            queue=Queue(queue),
        )[0]
        for _ in range(count)
    ]
    while Claim.objects.filter(run__in=started).exclude(state__in=END_STATES).exists():
        time.sleep(0.1)
    for run in Run.objects.select_related("claim").filter(id__in=[run.id for run in started]):
        print(json.dumps(figures(run)))


def figures(run: Run) -> dict[str, Any]:
    """Beginning, end and state; seconds of the longest chain of its calls, and of all one after the other."""
    steps: defaultdict[str, float] = defaultdict(float)
    for call in Call.objects.filter(run=run):
        steps[call.step] += (call.duration_ms or 0) / 1000
    everything = sum(steps.values())
    return {
        "began": run.created_at.timestamp(),
        "ended": run.finished_at.timestamp() if run.finished_at else 0.0,
        "state": run.claim.state,
        "chain": CHAINS.get(run.kind, of_outline)(steps),
        "sum": everything,
        "calls": Call.objects.filter(run=run).count(),
    }


def of_outline(steps: Mapping[str, float]) -> float:
    """All waits for the outline."""
    below = {key: seconds for key, seconds in steps.items() if key != "outline"}
    return steps.get("outline", 0.0) + max((chain(key, below) for key in below), default=0.0)


def of_portfolio(steps: Mapping[str, float]) -> float:
    """Texts of cases wait for the list, their scores for the matrix, too; the summary for all of it."""
    texts, scores = (max(s for key, s in steps.items() if key.endswith(f"/{name}")) for name in ("texts", "scores"))
    asked = max(steps["list"], steps["matrix"])
    return max(steps["list"] + texts, asked + scores) + steps["summary"]


CHAINS = {"use_case_list": of_portfolio}


def chain(key: str, steps: Mapping[str, float]) -> float:
    """Seconds to this step's end: a step waits for those whose keys its own begins with, and for nothing else."""
    return sum(seconds for other, seconds in steps.items() if key == other or key.startswith(f"{other}/"))


def talk(count: int, name: str) -> None:
    """A conversation of this user with so many messages; prints its id."""
    user, workspace = User.objects.get(username=name), Workspace.objects.get()
    session = sessions.begin(user, workspace, title="Long")
    said = [Message(session=session, speaker=Speaker.USER if n % 2 == 0 else Speaker.AGENT) for n in range(count)]
    for before, message in pairwise(said):
        message.parent = before
    for message in said:
        message.say(PARAGRAPH)
        message.parts = [{"type": "text", "text": PARAGRAPH}] if message.speaker == Speaker.AGENT else []
    Message.objects.bulk_create(said, batch_size=1_000)
    sessions.go_on(session, said[-1])
    print(session.id)


PARAGRAPH = "A paragraph with *some* emphasis, as long as people write them to each other when they speak. " * 4
VERBS: dict[str, Callable[..., None]] = {"people": people, "start": start, "write": write, "talk": talk}

if __name__ == "__main__":
    VERBS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
