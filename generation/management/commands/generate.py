"""`manage.py generate KIND --brief FILE|-`: start a run, watch it on the terminal, export what it wrote.

`manage.py generate --document ID --action NAME` does the same with a document that is there.
Ends with 0 when done, 3 when partial, 1 when failed or cancelled. Ctrl-C stops watching; the run goes on.
"""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from generation import actions, document_pictures, documents, exports, pictures, runs
from generation.management.progress import Bar, Silent, Text, Watcher
from generation.models import END_STATES, Claim, Run, RunState
from generation.orders import Order
from generation.registry import recipe_of
from generation.replay import Range, read
from memory import files, workspaces
from memory.base.errors import InvalidInput, ScriptoriumError
from memory.models import Role, User, Workspace
from memory.sentences import say

EXIT = {RunState.DONE: 0, RunState.PARTIAL: 3}
LOOK_SECONDS = 0.15
UNCLAIMED_SECONDS = 15


class Command(BaseCommand):
    help = "Write a text of this kind from a brief, and watch it being written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?")
        parser.add_argument("--brief", metavar="FILE|-", help="what is asked for; - reads standard input")
        parser.add_argument("--document", type=UUID, metavar="ID", help="instead of a kind: the document to work on")
        parser.add_argument("--action", metavar="NAME", help="what is done to it, such as add_chapter")
        parser.add_argument("--title", default="")
        parser.add_argument("--file", action="append", default=[], metavar="FILE", help="given with the brief")
        parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--user", help="who asks, by name; the first user if left out")
        parser.add_argument("--queue", choices=["web", "high", "default", "low"], help="where it waits to be carried")
        parser.add_argument("--follow", action="store_true", help="print the text as it is written")
        parser.add_argument("--json", action="store_true", help="print JSON: events with --follow, then the run")
        parser.add_argument(
            "--export", metavar="FILE", help="write the document to this file, in the format its name ends with"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = start(options)
            self.watch(run, self.watcher(options), as_json=options["json"] and options["follow"])
            if options["export"]:
                export(run, Path(options["export"]))
        except ScriptoriumError as error:
            raise CommandError(f"{say(error.code, error.params)} ({error.code})") from None
        except KeyboardInterrupt:
            raise CommandError("Not watching any more; the run goes on.", returncode=130) from None
        run = Run.objects.select_related("claim").get(id=run.id)
        if options["json"]:
            self.stdout.write(orjson.dumps(pictures.draw(run)).decode())
        sys.exit(EXIT.get(RunState(run.claim.state), 1))

    def watch(self, run: Run, watcher: Watcher, as_json: bool) -> None:
        """Read the log until its last event. A database that is away for a while only delays this."""
        since, unclaimed_at = 0, time.monotonic() + UNCLAIMED_SECONDS
        while True:
            seen = patiently(run, since)
            since = seen.upto
            for event in seen.events:
                watcher.show(event)
                if as_json:
                    self.stdout.write(orjson.dumps(event).decode())
            if seen.state in END_STATES and (not seen.events or seen.events[-1]["type"] == "done"):
                watcher.end(run, seen.state)
                return
            if seen.state == RunState.WAITING and waits_for_a_person(run):
                raise CommandError(f"The run waits for an answer: POST /api/v1/runs/{run.id}/answers", returncode=4)
            if seen.state == RunState.QUEUED and time.monotonic() > unclaimed_at:
                watcher.note("Nobody has taken the run yet. Is `make up` running, with a worker for its queue?")
                unclaimed_at = float("inf")
            time.sleep(LOOK_SECONDS)

    def watcher(self, options: dict[str, Any]) -> Watcher:
        if options["json"]:
            return Silent()
        return Text(sys.stdout, self.stderr) if options["follow"] else Bar(self.stderr)


def waits_for_a_person(run: Run) -> bool:
    return Claim.objects.filter(run=run, state=RunState.WAITING, reason="person").exists()


def patiently(run: Run, since: int) -> Range:
    while True:
        try:
            return read(run.id, since)
        except OperationalError:
            connection.close()
            time.sleep(1)


def start(options: dict[str, Any]) -> Run:
    user = user_of(options)
    if options["document"]:
        return act(options, user)
    if not options["kind"] or not options["brief"]:
        raise CommandError("Say what to write: KIND --brief FILE, or --document ID --action NAME.")
    recipe = recipe_of(options["kind"])
    workspace = workspaces.choose(user, None, Role.EDITOR)
    given = [upload(user, workspace, Path(name)) for name in options["file"]]
    order = Order(brief_of(options["brief"]), options["title"], options_of(options["option"]), given)
    return runs.start(recipe, order, user=user, workspace=workspace, queue=options["queue"])[0]


def act(options: dict[str, Any], user: User) -> Run:
    """Options of the action alone: the document has its brief, its files and its place already."""
    foreign = [name for name in ("kind", "brief", "title", "file", "queue") if options[name]]
    if foreign or not options["action"]:
        raise CommandError("With --document ID goes --action NAME, and its --option NAME=VALUE; nothing else is asked.")
    document = documents.visible(user, options["document"])
    return actions.act(document, options["action"], options_of(options["option"]), user=user)[0]


def user_of(options: dict[str, Any]) -> User:
    users = User.objects.filter(is_active=True).order_by("date_joined")
    user = users.filter(username=options["user"]).first() if options["user"] else users.first()
    if user is None:
        raise CommandError("There is no such user. `manage.py prepare` makes the first one.")
    return user


def upload(user: User, workspace: Workspace, path: Path) -> UUID:
    try:
        return files.store(user, workspace, path.name, path.read_bytes()).id
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror} ({path})") from None


def brief_of(name: str) -> str:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"The brief cannot be read: {error.strerror} ({name})") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("brief_not_utf8") from None


def options_of(pairs: list[str]) -> dict[str, Any]:
    """`name=value` pairs; a value that is JSON (a number, true, a list) is taken as such."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"--option takes NAME=VALUE, not {pair!r}.")
        try:
            found[name] = orjson.loads(value)
        except orjson.JSONDecodeError:
            found[name] = value
    return found


def export(run: Run, path: Path) -> None:
    """The document in the format that the file's name ends with, as its address exports it, answers included."""
    if run.document_id is None:
        raise CommandError(f"A {run.kind} writes no document to export.")
    manuscript = document_pictures.manuscript(run.user, run.document_id)
    path.write_bytes(exports.export(manuscript, path.suffix.lstrip("."), answers=True).content)
