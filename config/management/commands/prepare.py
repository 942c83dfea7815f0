"""`manage.py prepare`: what must be true before any process starts; quick when it already is."""

import json
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


class Command(BaseCommand):
    help = "Migrate, bring prompts and agents up to date, make the first user, and print a one-time sign-in link."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line of output is a JSON object")

    def handle(self, **options: object) -> None:
        with alone():
            if migrations.missing():
                call_command("migrate", interactive=False, verbosity=0)
            prompts.sync()
            agents.sync()
            owner = users.first()
        path = sign_in.path_for(owner) if owner else "/sign-in/"
        self.stdout.write(json.dumps({"sign_in_path": path}) if options["json"] else path)


@contextmanager
def alone() -> Iterator[None]:
    """Several machines may prepare the same database at once: one does, the others find it done."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_lock(%s)", [PREPARE_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as sql:
            sql.execute("SELECT pg_advisory_unlock(%s)", [PREPARE_LOCK])
