"""A database for each process of the run: migrated once, then cloned."""

from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as drawing
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from tests import instructions
from tests.people import people, people_committed
from tests.steady_settings import steady

__all__ = ["people", "people_committed"]

TEMPLATE = "template"

steady()
# A busy machine makes no example too slow.
drawing.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
drawing.load_profile("patient")

# Django's own flush truncates every table, with files for each of its indexes, and makes all permissions again.
EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;  -- all goes: no reference needs to be looked after
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()
        AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """After a test that commits, what it has filled is emptied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


def empty(case: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Replaces pytest-django's. The first process that comes migrates the template, all clone it."""
    own = str(settings.DATABASES["default"]["NAME"])
    with django_db_blocker.unblock(), _server() as server:
        server.execute("SELECT pg_advisory_lock(1)")
        if not _exists(server, TEMPLATE):
            _migrate_template(server)
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(own), sql.Identifier(TEMPLATE)))


def _server() -> psycopg.Connection:
    target = connection.settings_dict
    return psycopg.connect(host=target["HOST"], user=target["USER"], dbname="postgres", autocommit=True)


def _exists(server: psycopg.Connection, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _migrate_template(server: psycopg.Connection) -> None:
    """Under another name until it is whole, so that a failure is not mistaken for a template."""
    making = f"{TEMPLATE}_making"
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(making)))
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
    own = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = making
    try:
        call_command("migrate", verbosity=0, interactive=False)
        instructions.keep()
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(TEMPLATE)))
