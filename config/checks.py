"""What `manage.py check` says of us: of rows that do not fit the files, and of settings that only tests may have."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 Django's own word
from django.db import Error as DatabaseError

from generation import prompts


@register(Tags.database)
def prompts_synced(databases: Sequence[str] | None = None, **facts: Any) -> list[CheckMessage]:
    """Warns of prompt files that are not the newest version of their slot; quiet while there are no tables yet."""
    if not databases:
        return []
    try:
        slots = prompts.unsynced()
    except DatabaseError:
        return []
    hint = "Run `manage.py prepare`."
    return [
        Warning(f"The file of the prompt {slot} is not in the database.", hint, id="scriptorium.W001") for slot in slots
    ]


@register(Tags.security, deploy=True)
def pages_come_from_the_internet(**facts: Any) -> list[CheckMessage]:
    """Another network would let a page lead to a machine of ours."""
    if settings.WEB_NETWORK == "generation.web.network.Internet":
        return []
    return [Error("WEB_NETWORK is not the Internet.", hint="Take it out of the settings.", id="scriptorium.E001")]
