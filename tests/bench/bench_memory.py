"""The memory of a running `make up`: PSS, so that pages which processes share are counted once."""

import re
from collections import defaultdict
from pathlib import Path

from config.supervisor.house import data_folder

LIMIT_MB = 700


def parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def family(root: int) -> set[int]:
    children = defaultdict(list)
    for pid, parent in parents().items():
        children[parent].append(pid)
    known, fresh = set[int](), [root]
    while fresh:
        pid = fresh.pop()
        known.add(pid)
        fresh.extend(children[pid])
    return known


def pss_mb(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    if words[0].startswith("postgres") or "postgres" in Path(words[0]).name:
        return "postgresql"
    return " ".join(Path(word).name for word in words if word)[:60]


def report(supervisor: int) -> None:
    totals: dict[str, float] = defaultdict(float)
    for pid in family(supervisor):
        totals[name(pid)] += pss_mb(pid)
    for each, megabytes in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"{megabytes:8.1f} MB  {each}")
    print(f"{sum(totals.values()):8.1f} MB  together (at most {LIMIT_MB})")


def main() -> None:
    lock = data_folder() / "lock"
    found = re.search(r"process (\d+)", lock.read_text() if lock.exists() else "")
    if found:
        report(int(found[1]))
    else:
        print("No `make up` is running here; bench_start weighs one of its own.")


if __name__ == "__main__":
    main()
