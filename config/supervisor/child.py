"""A child is a command that stays alive: what ends is started again, later each time it ends soon."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from config.services import Service, ServiceError
from config.services.command import Command
from config.supervisor.log import Pipe, ours

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONG_LIFE = 30.0
# One tier after the other within 10 s: processes, model, Redis, PostgreSQL.
PROCESS_GRACE, MODEL_GRACE, SERVICE_GRACE = 4.0, 1.0, 1.5
LAST_GRACE = 0.5


class Child:
    """`make` gives the command of each life; it may take its time and may raise ServiceError."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Command],
        ready: Callable[[], bool] = lambda: True,
        hardest_stop: signal.Signals = signal.SIGKILL,
        grace: float = PROCESS_GRACE,
        level: int = logging.INFO,
    ) -> None:
        self.name = name
        self.make = make
        self.ready = ready
        self.hardest_stop = hardest_stop
        self.grace = grace
        self.pipe = Pipe(name, level)
        self.process: asyncio.subprocess.Process | None = None
        self.keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when it is ready; raises ServiceError if it ends before."""
        process = await self._spawn()
        while not self.ready():
            if process.returncode is not None:
                raise ServiceError(f"{self.name} ended while it started; the log says why.")
            await asyncio.sleep(0.02)
        self.keeper = asyncio.create_task(self._keep(process))

    async def stop(self) -> None:
        """Returns when it and all it had started are gone."""
        if self.keeper:
            self.keeper.cancel()
            await asyncio.wait([self.keeper])
        if self.process:
            await self._end(self.process)
            kill_session(self.process.pid)

    async def _spawn(self) -> asyncio.subprocess.Process:
        command = await asyncio.to_thread(self.make)
        self.gentle_stop = command.stop
        self.process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=self.pipe.writing,
            stderr=asyncio.subprocess.STDOUT,
            **command.options(),
        )
        return self.process

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while True:
            born = loop.time()
            code = await process.wait()
            if loop.time() - born > LONG_LIFE:
                pause = FIRST_PAUSE
            # A clean exit is a death too: RQ's workers leave with 0 when Redis is away.
            ours.warning("%s ended (%s) and starts again in %g s", self.name, code, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                process = await self._spawn()
            except (ServiceError, OSError) as error:
                ours.error("%s", error)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        ways = ((self.gentle_stop, self.grace), (self.hardest_stop, LAST_GRACE), (signal.SIGKILL, LAST_GRACE))
        for wanted, grace in ways:
            if process.returncode is not None:
                return
            process.send_signal(wanted)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace):
                    await process.wait()


def of_service(service: Service) -> Child:
    def make() -> Command:
        service.prepare()
        return service.command()

    return Child(service.name, make, service.ready, service.hardest_stop, SERVICE_GRACE, logging.DEBUG)


def of_command(command: Command, grace: float = PROCESS_GRACE) -> Child:
    return Child(command.name, lambda: command, grace=grace)


def kill_session(leader: int) -> None:
    """Each child leads a session, which its own children (RQ's horses) do not leave."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state parent group session …, and the name may hold anything
            session = int(stat.read_text(errors="replace").rpartition(")")[2].split()[3])
            if session == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)
        except (OSError, IndexError):
            continue
