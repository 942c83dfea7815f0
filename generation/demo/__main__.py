"""`python -m generation.demo`: serves the demo model until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from aiohttp import web

from generation.demo.aim import Aim
from generation.demo.control import Demo, number
from generation.demo.pace import Pace
from generation.demo.server import build, runner


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after a signal, 1 when the server could not start."""
    parser = argparse.ArgumentParser(prog="python -m generation.demo", description="An OpenAI-compatible demo model.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, help="default: DEMO_PORT, else 8091; 0 takes any free port")
    options = parser.parse_args(arguments)
    try:
        port = int(_setting("DEMO_PORT", 8091)) if options.port is None else options.port
        asyncio.run(serve(_from_environment(), options.host, port))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The demo model cannot start: {error}\n")
        return 1
    return 0


async def serve(demo: Demo, host: str, port: int) -> None:
    """Serves until a signal; says in one line where. Raises OSError when the port is taken."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    running = runner(build(demo))
    await running.setup()
    try:
        await web.TCPSite(running, host, port).start()
        sys.stdout.write(f"The demo model listens on http://{host}:{running.addresses[0][1]}/v1\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await running.cleanup()


def _from_environment() -> Demo:
    pace = Pace(_setting("DEMO_FIRST_TOKEN_MS", 300) / 1000, _setting("DEMO_TOKENS_PER_SECOND", 50))
    aim = Aim(_setting("DEMO_FAULT_RATE", 0, most=1), int(_setting("DEMO_SEED", 0)))
    return Demo(pace, aim)


def _setting(name: str, default: float, most: float = 1e6) -> float:
    try:
        return number(os.environ.get(name) or default, most)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
