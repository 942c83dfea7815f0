"""Work of the house that is due now and then, whichever process does it: a row says when it is due again.

By a row and not by a process's memory: horses are young, and what an older one has done is known to them all the same.
"""

from django.db import connection

LEASE_SECONDS = 60.0

BEGIN = """
INSERT INTO generation_chore (name, due_at)
SELECT %(name)s::text, now() + %(lease)s * interval '1 second'
WHERE NOT EXISTS (SELECT FROM generation_chore WHERE name = %(name)s::text AND due_at > now())
ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE generation_chore.due_at <= now()
"""
PUT_OFF = "UPDATE generation_chore SET due_at = now() + %(seconds)s * interval '1 second' WHERE name = %(name)s::text"


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
