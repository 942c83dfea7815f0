"""How long `make up` takes on a new data folder and on a used one, and what the running house weighs."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from config.supervisor.house import BASE, free_port
from tests.bench import bench_memory

LIMIT_SECONDS = 8.0
IDLE_SECONDS = 10.0
STOP_LIMIT_SECONDS = 10.0


def start(data: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "DATA_DIR": str(data), "PORT": str(free_port())}
    up = subprocess.Popen(
        [sys.executable, "-m", "config.supervisor"], cwd=BASE, env=environment, stdout=subprocess.PIPE, text=True
    )
    for line in up.stdout or ():
        if found := re.search(r"ready after ([\d.]+) s", line):
            print(f"{float(found[1]):8.1f} s   until ready (at most {LIMIT_SECONDS:g})")
            return up
    sys.exit("It did not get ready.")


def stop(up: subprocess.Popen[str]) -> None:
    asked = time.monotonic()
    up.send_signal(signal.SIGINT)
    up.communicate()
    print(f"{time.monotonic() - asked:8.1f} s   until stopped (at most {STOP_LIMIT_SECONDS:g})")


def main() -> None:
    with TemporaryDirectory(dir="/tmp", prefix="scriptorium-bench-") as folder:
        Path(folder).chmod(0o711)
        data = Path(folder, "data")
        for kind in ("new", "used"):
            print(f"A {kind} data folder:")
            up = start(data)
            if kind == "used":
                time.sleep(IDLE_SECONDS)
                bench_memory.report(up.pid)
            stop(up)


if __name__ == "__main__":
    main()
