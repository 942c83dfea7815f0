"""What is let go with time: the messages of old calls, and the single deltas of runs that ended long ago.

The deltas of an attempt are joined into the first of them; all other events stay as they are. Whoever asks for a place
inside what was joined is told to start anew (`reset`).

A chore: done now and then by one process, in pieces.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from generation.calls import forget_old_messages
from generation.models import Run

RUNS_AT_ONCE = 5

JOIN = """
WITH deltas AS (
    SELECT seq, type, data, first_value(seq) OVER stream AS head
    FROM generation_event
    WHERE run_id = %(run)s AND type IN ('content_delta', 'reasoning_delta', 'tool_call_delta')
    WINDOW stream AS (PARTITION BY type, data->>'step', data->>'attempt', data->>'index' ORDER BY seq)
), joined AS (
    SELECT head, string_agg(data->>'text', '' ORDER BY seq) AS text FROM deltas GROUP BY head
), kept AS (
    UPDATE generation_event e SET data = jsonb_set(e.data, '{text}', to_jsonb(j.text))
    FROM joined j WHERE e.run_id = %(run)s AND e.seq = j.head
)
DELETE FROM generation_event e USING deltas d WHERE e.run_id = %(run)s AND e.seq = d.seq AND d.seq <> d.head
"""


def apply_some() -> bool:
    """Do one piece of it; False when nothing was left to do."""
    return forget_old_messages() + join_old_deltas() > 0


def join_old_deltas() -> int:
    """Join the deltas of some runs that ended EVENT_RETENTION_DAYS ago; how many runs were joined."""
    runs = list(unjoined().values_list("id", flat=True)[:RUNS_AT_ONCE])
    for run_id in runs:
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(JOIN, {"run": run_id})
            Run.objects.filter(id=run_id).update(is_joined=True)
    return len(runs)


def unjoined() -> "QuerySet[Run]":
    old = timezone.now() - timedelta(days=settings.EVENT_RETENTION_DAYS)
    return Run.objects.filter(is_joined=False, finished_at__lt=old).order_by("finished_at")
