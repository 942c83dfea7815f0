"""How soon work goes on after a blow, with the default lease: 10 s, swept every 3 s. Figures of DESIGN 16."""

import os
import platform
import statistics
from collections.abc import Callable

from tests.bench.promises import Promises
from tests.chaos import recovery
from tests.chaos.stack import Stack, running_alone

DEFAULTS = {"LEASE_SECONDS": "10", "SWEEP_SECONDS": "3", "RENUDGE_SECONDS": "10"}
TIMES = int(os.environ.get("BENCH_TIMES", "10"))

# what, how it is measured, the most seconds at p95 (None: no figure was promised)
FIGURES: tuple[tuple[str, Callable[[Stack], list[float]], float | None], ...] = (
    ("horse killed", recovery.horse_killed, 3),
    ("horse killed, 4 notes in their first step", lambda stack: recovery.horse_killed(stack, 4), None),
    ("horse told to end (SIGTERM)", recovery.horse_stopped, 3),
    ("worker told to end (SIGTERM)", recovery.worker_stopped, 3),
    ("web told to end (SIGTERM)", recovery.web_stopped, 3),
    ("lost machine: worker and horse killed", recovery.machine_lost, 20),
    ("web killed", recovery.web_killed, 20),
    ("web killed, 4 notes in their first step", lambda stack: recovery.web_killed(stack, 4), None),
    ("FLUSHALL with a nudge in Redis", recovery.nudge_flushed, 5),
    ("cancel to the provider's last byte", recovery.cancelled, 2),
    ("cancel to the provider's last byte, web", lambda stack: recovery.cancelled(stack, "web"), 2),
)


def measure(stack: Stack, once: Callable[[Stack], list[float]]) -> list[float]:
    taken: list[float] = []
    for _ in range(TIMES):
        stack.control.post("/stats/reset").raise_for_status()
        stack.until_ready()
        taken += once(stack)
    return sorted(taken)


def p95(taken: list[float]) -> float:
    return taken[min(len(taken) - 1, int(0.95 * len(taken)))]


def main() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {TIMES} times each")
    promises = Promises()
    with running_alone(**DEFAULTS) as stack:
        stack.model(tokens_per_second=50)
        for name, once, most in FIGURES:
            taken = measure(stack, once)
            judged = promises.judge(name, p95(taken), most)
            print(f"{name:45} p50 {statistics.median(taken):6.2f} s  p95 {p95(taken):6.2f} s {judged}", flush=True)
    promises.end()


if __name__ == "__main__":
    main()
