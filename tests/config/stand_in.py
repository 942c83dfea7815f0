"""`up` with commands that start in a blink: `python -m tests.config.stand_in`, or one of them by its name.

The services, the supervisor, the signals and the health check are the real ones.
"""

import argparse
import os
import signal
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from config import env
from config.services.command import Command
from config.supervisor import house, run
from config.supervisor.plan import Plan, of_this_machine, python


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def web() -> None:
    print("web begins", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("web ends"))
    HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Healthy).serve_forever()


def worker() -> None:
    """With a horse of its own process group, as RQ's worker has; both are deaf to the gentle stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setpgrp()
    time.sleep(3_600)


def prepare() -> None:
    print('{"sign_in_path": "/sign-in/once"}')


COMMANDS = {"web": web, "worker": worker, "prepare": prepare}


def plan(data: Path, port: int, with_worker: bool) -> Plan:
    real = of_this_machine(data, port)

    def stand_in(name: str) -> Command:
        return python(name, ("-m", "tests.config.stand_in", name), real.prepare.env)

    processes = ("web", "worker") if with_worker else ("web",)
    return Plan(real.services, (), stand_in("prepare"), tuple(map(stand_in, processes)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?", choices=sorted(COMMANDS))
    parser.add_argument("--worker", action="store_true")
    asked = parser.parse_args()
    if asked.name:
        COMMANDS[asked.name]()
        return
    port, data = env.integer("PORT", 8000), house.data_folder()
    run.up(data, port, partial(plan, data, port, asked.worker))


if __name__ == "__main__":
    main()
