"""The life of `up`: start in order, say where it is, wait for the end, stop in the opposite order."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config import env
from config.services import ServiceError
from config.services.command import Command
from config.supervisor import child, house, log
from config.supervisor.child import Child
from config.supervisor.plan import Job, Plan

READY_SECONDS = 90.0
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(data: Path, port: int, planned: Callable[[], Plan]) -> None:
    """Returns after Ctrl-C with everything stopped; refuses in one sentence what cannot be."""
    with house.locked(data, port) as cut_short:
        house.demand_port(port, cut_short)
        log_file = log.start(data / "log")
        try:
            asyncio.run(Run(planned(), port, log_file).live())
        except (ServiceError, OSError) as error:
            raise house.Refused(f"{error} (log: {log_file})") from None


class Run:
    """Tiers are stopped from the last to the first, each one before the next."""

    def __init__(self, plan: Plan, port: int, log_file: Path) -> None:
        self.plan = plan
        self.port = port
        self.log_file = log_file
        self.tiers: list[list[Child]] = []
        self.born = time.monotonic()

    async def live(self) -> None:
        """Until a signal; everything is gone when it returns or raises."""
        work = asyncio.create_task(self._start_and_wait())
        _on_end(work.cancel)
        try:
            await work
        except asyncio.CancelledError:
            log.ours.info("Stopping")
        finally:
            _on_end(lambda: None)  # once is enough: the stop has an end
            await self._stop()

    async def _start_and_wait(self) -> None:
        for service in self.plan.services:
            await self._add(child.of_service(service))
        await self._add(*(child.of_command(model, child.MODEL_GRACE) for model in self.plan.models))
        prepared = json.loads((await self._once(self.plan.prepare)).splitlines()[-1])
        # The door first, with the machine to itself: people can come in while the workers load.
        door, *others = map(child.of_command, self.plan.processes)
        await self._add(door)
        await self._until_ready()
        await self._add(*others, beside=True)
        log.ours.info("Log: %s. Ctrl-C stops everything.", self.log_file)
        self._tell(f"http://127.0.0.1:{self.port}{prepared['sign_in_path']}")
        if self.plan.job:
            await self._do(self.plan.job)
        await asyncio.Event().wait()

    async def _stop(self) -> None:
        for tier in reversed(self.tiers):
            await asyncio.gather(*(one.stop() for one in tier))
        for service in self.plan.services:
            service.tidy()

    async def _add(self, *children: Child, beside: bool = False) -> None:
        """A tier of its own, or more for the last one."""
        if not beside:
            self.tiers.append([])
        for one in children:
            self.tiers[-1].append(one)
            await one.start()

    async def _do(self, job: Job) -> None:
        job.result.unlink(missing_ok=True)
        await self._once(job.command, shown=True)
        if job.result.exists():
            log.ours.info("It is in %s, and on your first page. Everything goes on until Ctrl-C.", job.result)

    async def _once(self, command: Command, *, shown: bool = False) -> bytes:
        """Runs a command that ends. `shown`: the terminal is its own; otherwise returns what it printed."""
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stdout if shown else asyncio.subprocess.PIPE,
            stderr=sys.stderr if shown else log.Pipe(command.name).writing,
            **command.options(),
        )
        try:
            output, _ = await process.communicate()
        finally:
            child.kill_session(process.pid)
        if process.returncode and shown:
            log.ours.error("%s ended with code %d; everything else goes on", command.name, process.returncode)
        elif process.returncode:
            raise ServiceError(f"`{command.name}` failed; the lines above say why.")
        return output

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not await _answers(self.port):
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"The web process was not ready within {READY_SECONDS:g} s; the lines above say why."
                )
            await asyncio.sleep(0.05)

    def _tell(self, address: str) -> None:
        # To the terminal only: the link signs in whoever reads it, so it stays out of the file.
        print(f"\nScriptorium is ready after {time.monotonic() - self.born:.1f} s: {address}\n", flush=True)  # noqa: T201


def _on_end(do: Callable[[], object]) -> None:
    for number in ENDS:
        asyncio.get_running_loop().add_signal_handler(number, do)


async def _answers(port: int) -> bool:
    """Does /health/ready say 200? Asked under a name that ALLOWED_HOSTS has."""
    hosts = env.names("ALLOWED_HOSTS", "*")
    host = "127.0.0.1" if {"*", "127.0.0.1"} & set(hosts) else hosts[0].lstrip(".")
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(f"GET /health/ready HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        async with asyncio.timeout(5):
            return b" 200 " in await reader.readline()
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
