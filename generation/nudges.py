"""Telling carriers that a run waits. A nudge carries an id only, may be lost, may come twice: the row is the truth."""

import threading
from uuid import UUID

import django_rq
import structlog
from django.utils import timezone

from generation.models import Claim, Queue
from memory.base.news import AWAY, CARRIERS, bell

log = structlog.get_logger()

CARRY = "generation.jobs.carry"
away = threading.Event()
KEPT_SECONDS = 60  # RQ's own records of a nudge say nothing that our rows do not
MARK = "scriptorium:nudges"  # it goes with the nudges when Redis forgets


def nudge(run_id: UUID, queue: str) -> bool:
    """Wake the web carriers, or enqueue one RQ job. False when Redis is away: the sweep will come by."""
    if queue == Queue.WEB:
        bell.ring(CARRIERS, wake=str(run_id))
        return True
    try:
        django_rq.get_queue(queue).enqueue(
            CARRY,
            queue,
            str(run_id),
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=KEPT_SECONDS,
            description=f"carry {run_id}",
        )
    except AWAY as error:
        log.warning("nudge_lost", run=str(run_id), error=str(error))
        away.set()
        return False
    away.clear()
    Claim.objects.filter(run_id=run_id).update(nudged_at=timezone.now())
    return True


def were_forgotten() -> bool:
    """Whether Redis forgot what it held (FLUSHALL, a restart without its file) since any process last asked this."""
    try:
        return bool(django_rq.get_connection(Queue.DEFAULT).set(MARK, 1, nx=True))
    except AWAY:
        return False


def redis_is_away() -> bool:
    """Whether the last nudge of this process could not be sent."""
    return away.is_set()
