"""Two workspaces with the same things in each, and requests that name them where a fuzzer names what does not exist."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from schemathesis import Case

from chat import turns
from chat.turns import Words
from generation import agents, folders
from memory import files, workspaces
from memory.models import Token, User, Workspace
from tests.people import People
from tests.things import start_a_note, write_a_course

CANARY = "quokka"  # stands in all that is the owner's
Things = Mapping[str, str]

# What a body or a query calls it, and what an address calls the same.
NAMES = {
    "workspace": "workspace_id",
    "folder": "folder_id",
    "parent": "document_id",
    "files": "file_id",
    "after": "section_id",
    "section": "section_id",
    "object": "section_id",
    "group": "group_id",
    "session": "session_id",
    "message": "message_id",
}
FIELDS = ("title", "description", "language", "status", "folder", "questions", "present", "exercises_per_chapter")


class World:
    def __init__(self, people: People) -> None:
        self.owner, self.stranger = people.owner, people.stranger
        self.workspace = people.workspace
        agents.sync()
        workspaces.rename(people.workspace, f"The {CANARY}", people.owner)
        self.headers = {user: people.bearer(user) for user in (self.owner, self.stranger)}
        self.theirs = make_things(self.stranger, Workspace.objects.visible(self.stranger).get(), "Loops")
        self.renew()

    def renew(self) -> None:
        """The owner's, as they were before anything was done to them."""
        self.own = make_things(self.owner, self.workspace, CANARY)
        self.seen = fingerprint()

    def is_changed(self) -> bool:
        """Whether there is a row that was not there, or was another, when it was looked at last."""
        before, self.seen = self.seen, fingerprint()
        return self.seen != before


def make_things(user: User, workspace: Workspace, name: str) -> dict[str, str]:
    run = start_a_note(user, workspace, name)
    turn = turns.take(user, Words(name), workspace=workspace)
    things = {
        "session_id": turn.session.id,
        "message_id": turn.message.id,
        **write_a_course(user, workspace, run, name),
        "run_id": run.id,
        "file_id": files.store(user, workspace, f"{name}.txt", b"Loops repeat.").id,
        "folder_id": folders.make(workspace, name, user).id,
    }
    return {key: str(thing) for key, thing in things.items()}


@dataclass
class Naming:
    """Which thing is named where is drawn by the request itself, so that the same one always names the same.

    `own` as a rule; where there are `others`, sometimes theirs, or what does not exist.
    """

    own: Things
    others: Things = field(default_factory=dict)
    lot: int = 0
    named: set[str] = field(default_factory=set)

    def put_into(self, case: Case) -> Case:
        """A request like this one that names things, and fields, that exist."""
        named = case.derive(query=self.renamed(case.query))
        self.lot = zlib.crc32(repr((case.path_parameters, case.query, body_of(case))).encode(errors="replace"))
        named.path_parameters = {name: self.choose(name, value) for name, value in case.path_parameters.items()}
        if isinstance(case.body, dict):
            named.body = self.renamed(case.body)
        return named

    def renamed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.replaced(name, value) for name, value in values.items()}

    def replaced(self, name: str, value: Any) -> Any:
        if isinstance(value, list) and name in NAMES:
            return [self.replaced(name, each) for each in value]
        if isinstance(value, dict) and name == "fields":
            return {self.field(path): each for path, each in value.items()}
        return self.choose(NAMES[name], value) if name in NAMES else value

    def field(self, path: str) -> str:
        return path if self.draw(3) == 0 else FIELDS[self.draw(len(FIELDS))]

    def choose(self, name: str, value: Any) -> Any:
        if name == "action" and isinstance(value, str) and self.draw(3):
            return self.own["action"]
        if name not in self.own or not is_id(value):
            return value
        things = self.others if self.others and self.draw(6) == 0 else self.own
        if self.others and self.draw(6) == 0:
            return value
        self.named.add(name)
        return things[name]

    def draw(self, most: int) -> int:
        self.lot = zlib.crc32(self.lot.to_bytes(4, "big"))
        return self.lot % most


def body_of(case: Case) -> Any:
    return case.body if isinstance(case.body, dict | list) else ""


def is_id(value: Any) -> bool:
    """Only as they are written out: what is wrong on purpose stays wrong."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


# Every row written has the number of its transaction.
ROWS = "SELECT count(*) || '/' || coalesce(sum(xmin::text::bigint), 0) AS rows FROM {table}"


def fingerprint() -> str:
    """Another one whenever a row came, went or was written; when a token was last used tells of nothing."""
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed and model is not Token]
    rows = " UNION ALL ".join(ROWS.format(table=table) for table in sorted(tables))
    with connection.cursor() as sql:
        sql.execute(f"SELECT string_agg(rows, ' ') FROM ({rows}) AS tables")
        return str(sql.fetchone()[0])
