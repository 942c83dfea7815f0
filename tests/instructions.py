"""Prompts and agents as they come with the house: synced by the first test that needs them, copied for the others."""

from django.db import connection, transaction

from generation import agents, prompts
from generation.models import Agent, Prompt, PromptVersion

TABLES = tuple(model._meta.db_table for model in (Prompt, PromptVersion, Agent))


@transaction.atomic
def give() -> None:
    """To a house that was emptied; what is kept lies where that does not reach."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'kept'")
        if cursor.fetchone()[0]:
            for table in TABLES:
                cursor.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}")
            return
        prompts.sync()
        agents.sync()
        cursor.execute("CREATE SCHEMA kept")
        for table in TABLES:
            cursor.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
