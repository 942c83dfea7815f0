"""Work of the house that is due now and then, whichever process does it: a row says when it is due again.

What there is to do, CHORES in the settings names: a function that does one piece of it and says whether more is left.
By a row and not by a process's memory: horses are young, and what an older one has done is known to them all the same.
"""

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

LEASE_SECONDS = 60.0

BEGIN = """
INSERT INTO generation_chore (name, due_at)
SELECT %(name)s::text, now() + %(lease)s * interval '1 second'
WHERE NOT EXISTS (SELECT FROM generation_chore WHERE name = %(name)s::text AND due_at > now())
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE generation_chore.due_at <= now()
"""
PUT_OFF = "UPDATE generation_chore SET due_at = now() + %(seconds)s * interval '1 second' WHERE name = %(name)s::text"


def due() -> list[str]:
    """The chores of CHORES that are due, and the caller's to do."""
    return [name for name in settings.CHORES if begin(name)]


def do_some(name: str) -> bool:
    """Do one piece of it, so short that nobody waits for its locks or its end; False when nothing was left to do."""
    path, seconds = settings.CHORES[name]
    is_more: bool = import_string(path)()
    put_off(name, LEASE_SECONDS if is_more else seconds)
    return is_more


def begin(name: str) -> bool:
    """Whether the chore is due, and the caller's to do: true for one caller in all processes.

    It is put off for LEASE_SECONDS: who has not put it off again by then has died over it.
    """
    with connection.cursor() as sql:
        sql.execute(BEGIN, {"name": name, "lease": LEASE_SECONDS})
        return sql.rowcount == 1


def put_off(name: str, seconds: float) -> None:
    """It is due again after this: LEASE_SECONDS while it is being done."""
    with connection.cursor() as sql:
        sql.execute(PUT_OFF, {"name": name, "seconds": seconds})
