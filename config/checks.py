"""What `manage.py check --database default` says about rows that do not fit the files of this checkout."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 Django's own word
from django.db import Error

from generation import prompts


@register(Tags.database)
def prompts_synced(databases: Sequence[str] | None = None, **facts: Any) -> list[CheckMessage]:
    """Warns of prompt files that are not the newest version of their slot; quiet while there are no tables yet."""
    if not databases:
        return []
    try:
        slots = prompts.unsynced()
    except Error:
        return []
    hint = "Run `manage.py prepare`."
    return [
        Warning(f"The file of the prompt {slot} is not in the database.", hint, id="scriptorium.W001") for slot in slots
    ]
