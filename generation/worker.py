"""Our RQ worker: it survives a lost Redis, releases the runs of a dead horse at once, and dies no silent death.

RQ's own worker ends with exit code 0 when Redis is away, leaves a horse running when it is killed, and reports a dead
horse to Redis only (TRAPS 1.4).
"""

import ctypes
import os
import signal
import time
from contextlib import suppress
from types import FrameType
from typing import Any

import structlog
from django.db import connections
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.worker import Worker as RQWorker

from generation import jobs, sweep
from generation.claims import owner_prefix
from generation.events import LOST_CONNECTION
from generation.gateway import load_adapters
from memory.base import tallies
from memory.base.news import AWAY

log = structlog.get_logger()

PR_SET_PDEATHSIG = 1
REST_SECONDS = 1.0
# The parent imports everything a horse needs, so that a fork is all it takes to begin.
ALLOWED = frozenset({f"{jobs.__name__}.{jobs.carry.__name__}"})


class Worker(RQWorker):
    """Runs `carry` jobs and nothing else, whatever stands in Redis."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serializer"] = JSONSerializer
        super().__init__(*args, **kwargs)
        load_adapters()

    # --- a lost Redis

    def dequeue_job_and_maintain_ttl(self, *args: Any, **kwargs: Any) -> Any:
        return self.patiently(lambda: super(Worker, self).dequeue_job_and_maintain_ttl(*args, **kwargs))

    def patiently(self, ask: Any) -> Any:
        """Ask Redis until it answers or we are told to stop."""
        while True:
            try:
                return ask()
            except AWAY as error:
                log.warning("redis_away", error=str(error))
                if self._stop_requested:
                    return None
                time.sleep(REST_SECONDS)

    def maintain_heartbeats(self, job: Job) -> None:
        try:
            super().maintain_heartbeats(job)
        except AWAY as error:  # the horse works on; the rows, not Redis, say who owns what
            log.warning("heartbeat_lost", error=str(error))

    # --- the horse

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        connections.close_all()  # an inherited connection would be shared by two processes
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the child: when the parent dies, let the runs go instead of carrying on unseen."""
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        super().main_work_horse(job, queue)

    def perform_job(self, job: Job, queue: Queue) -> bool:
        if job.func_name not in ALLOWED:
            log.error("job_refused", function=job.func_name)
            raise PermissionError(job.func_name)
        return super().perform_job(job, queue)

    def monitor_work_horse(self, job: Job, queue: Queue) -> None:
        """Wait for the horse; if it died, its runs go back into the queue before anything else happens. What it has
        counted is kept with what those before it have."""
        horse = self.horse_pid
        try:
            self.patiently_once(lambda: super(Worker, self).monitor_work_horse(job, queue))
        finally:
            self.release(horse)
            tallies.fold_dead()

    def patiently_once(self, work: Any) -> None:
        try:
            work()
        except AWAY as error:
            log.warning("horse_report_lost", error=str(error))
            self.wait_for_horse()
            self._horse_pid = 0

    def release(self, horse: int) -> None:
        try:
            released = sweep.release_dead(owner_prefix(horse))
            if released:
                log.warning("horse_died", pid=horse, runs=released)
        except LOST_CONNECTION as error:  # the sweep finds them by their lease; the worker has other work
            log.warning("release_failed", pid=horse, error=str(error).strip())
        finally:
            connections.close_all()

    # --- stopping

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """The first SIGTERM reaches the horse too: it lets its runs go, and another worker has them within seconds."""
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)
        super().request_stop(signum, frame)
