"""`manage.py prepare`: what must be true before any process starts; quick when it already is."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

from config import migrations
from generation import agents, prompts
from memory import sign_in, users

PREPARE_LOCK = 7_301_002
LOOK_SECONDS = 0.2


class Command(BaseCommand):
    help = "Migrate, bring prompts and agents up to date, make the first user, and print a one-time sign-in link."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line of output is a JSON object")

    def handle(self, **options: object) -> None:
        with alone():
            if migrations.missing():
                with connection.cursor() as sql:
                    sql.execute("SET statement_timeout = 0")  # an index of a large table takes the time it takes
                call_command("migrate", interactive=False, verbosity=0)
            prompts.sync()
            agents.sync()
            owner = users.first()
        path = sign_in.path_for(owner) if owner else "/sign-in/"
        self.stdout.write(json.dumps({"sign_in_path": path}) if options["json"] else path)


@contextmanager
def alone() -> Iterator[None]:
    """Several machines may prepare the same database at once: one does, the others find it done.

    Asked again and again: who waits for a lock holds a snapshot meanwhile, and an index that is built beside the work
    waits for all who do.
    """
    while not is_mine():
        time.sleep(LOOK_SECONDS)
    try:
        yield
    finally:
        with connection.cursor() as sql:
            sql.execute("SELECT pg_advisory_unlock(%s)", [PREPARE_LOCK])


def is_mine() -> bool:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_try_advisory_lock(%s)", [PREPARE_LOCK])
        found = sql.fetchone()
    return bool(found and found[0])
