"""How long courses of five chapters take against the longest chain of their own calls, and five at once against one.

The demo model begins after 1 s and writes 50 tokens/s, as providers do; the figures are seconds. Not counted in the
chain, but in the time: drawing the diagrams, and everything the house does.
"""

import json
import os
import platform
import statistics
from typing import Any

import django

from tests.bench.bench_notes import MOST_RATIO, demo_model
from tests.bench.bench_stream import desk
from tests.bench.house import House
from tests.bench.promises import Promises

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


HEAD = (
    f"{'':28}{'median':>8}{'slowest':>10}{'x chain':>10}{'one by one':>12}{'x alone':>12}{'unfinished':>12}{'calls':>8}"
)


def one_round(house: House, count: int, kind: str = "course") -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk(house, "write", str(count), kind, "default").splitlines()]


def seconds(course: dict[str, Any]) -> float:
    return float(course["ended"] - course["began"])


def report(
    name: str,
    courses: list[dict[str, Any]],
    promises: Promises,
    alone: float | None = None,
    most: float = MOST_RATIO,
) -> float:
    took = statistics.median(seconds(course) for course in courses)
    slowest = max(courses, key=seconds)
    ratio = statistics.median(seconds(course) / course["chain"] for course in courses)
    one_by_one = statistics.median(course["sum"] for course in courses)
    against = f"{seconds(slowest) / alone:12.2f}" if alone else f"{'':12}"
    unfinished = sum(course["state"] != "done" for course in courses)
    judged = "x chain" + promises.judge(f"x chain of {name}", ratio, most)
    judged += ", unfinished" + promises.judge(f"unfinished of {name}", unfinished, 0)
    print(
        f"{name:28}{took:8.1f}{seconds(slowest):10.1f}{ratio:10.3f}{one_by_one:12.1f}{against}{unfinished:12}"
        f"{slowest['calls']:8}  {judged}",
        flush=True,
    )
    return took


def main() -> None:
    versions = f"Python {platform.python_version()}, Django {django.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {versions}; {ROUNDS} rounds")
    print(HEAD)
    promises = Promises()
    with demo_model() as url, House(2, DEMO_BASE_URL=url) as house:
        one_round(house, 1)  # connections, imports and caches are not what is measured
        alone = report("1 course", [course for _ in range(ROUNDS) for course in one_round(house, 1)], promises)
        five = [course for _ in range(ROUNDS) for course in one_round(house, 5)]
        report("5 courses, two workers", five, promises, alone)
    promises.end()


if __name__ == "__main__":
    main()
