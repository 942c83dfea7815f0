"""Prompts and agents as they come with the house: synced once for a run, copied by the tests that need them."""

from django.db import connection, transaction

from generation import agents, prompts
from generation.models import Agent, Prompt, PromptVersion

TABLES = tuple(model._meta.db_table for model in (Prompt, PromptVersion, Agent))


@transaction.atomic
def keep() -> None:
    """In the template of all databases; what is kept lies where no emptying reaches."""
    prompts.sync()
    agents.sync()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        for table in TABLES:
            cursor.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
        cursor.execute("SET LOCAL session_replication_role = replica")  # they refer to each other, and all go
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")


@transaction.atomic
def give() -> None:
    """As `prompts.sync` and `agents.sync` do, to a house that has none of them."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM kept.{table} ON CONFLICT DO NOTHING")
