"""Whether the database has the shape that this code expects."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def missing() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
