"""What processes count in files of their own. Those of the dead are folded into one of each type, so that sums stay
true and files few, however many horses have come and gone.

A fold is whole or has not been: what is to replace the files lies ready before the plan to replace them is written, and
whoever comes after a process that was killed at it carries the plan out. All of it, and every reading, under one lock.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

log = structlog.get_logger()

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
NOBODY = 0  # stands for the process in the names of folded files
PLAN = "fold"
READY = ".ready"

Entry = tuple[float, float]  # a value, and when it was set, where that is kept


def added(old: Entry, new: Entry) -> Entry:
    return old[0] + new[0], 0.0


def later(old: Entry, new: Entry) -> Entry:
    return max(old, new, key=lambda entry: entry[1])


# How two files become one. Gauges of another kind tell of the living only and go with their process.
MERGED: Mapping[str, Callable[[Entry, Entry], Entry]] = {
    "counter": added,
    "histogram": added,
    "gauge_mostrecent": later,
}


class Tallies(MultiProcessCollector):
    """What all processes, living and dead, have counted in this folder (PROMETHEUS_MULTIPROC_DIR)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.folder = Path(os.environ[FOLDER])
        super().__init__(registry)

    def collect(self) -> Iterable[Metric]:
        with locked(self.folder):
            tidy(self.folder)
            # A process that begins to count has made its file a moment before it is filled.
            files = [str(file) for file in self.folder.glob("*.db") if file.stat().st_size]
            return list(self.merge(files, accumulate=True))


def fold_dead() -> None:
    """Of processes that are gone no file is left, and nothing they counted is lost. Without a folder: nothing."""
    folder = Path(os.environ.get(FOLDER, ""))
    if os.environ.get(FOLDER) and folder.is_dir():
        with locked(folder):
            tidy(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tidy(folder: Path) -> None:
    try:
        finish(folder)
        fold(folder, [file for file in folder.glob("*.db") if not lives(process_of(file))])
    except OSError as error:  # a full disk: the files are read as they are, and folded another time
        log.warning("tallies_not_folded", error=str(error))


def fold(folder: Path, dead: list[Path]) -> None:
    if not dead:
        return
    for kind, merge in MERGED.items():
        if parts := [file for file in dead if kind_of(file) == kind]:
            whole = folder / f"{kind}_{NOBODY}.db"
            save(whole.with_name(whole.name + READY), sum_up([whole, *parts], merge))
    plan = folder / PLAN
    plan.with_name(PLAN + READY).write_text("\n".join(file.name for file in dead))
    plan.with_name(PLAN + READY).replace(plan)
    finish(folder)


def finish(folder: Path) -> None:
    """Carry out what is planned; without a plan, throw away what was made ready for one."""
    plan = folder / PLAN
    is_planned = plan.exists()
    for ready in folder.glob(f"*.db{READY}"):
        if is_planned:
            ready.replace(ready.with_suffix(""))
        else:
            ready.unlink()
    if is_planned:
        for name in plan.read_text().splitlines():
            (folder / name).unlink(missing_ok=True)
        plan.unlink()


def sum_up(files: Iterable[Path], merge: Callable[[Entry, Entry], Entry]) -> dict[str, Entry]:
    whole: dict[str, Entry] = {}
    for file in files:
        if not file.exists() or not file.stat().st_size:  # killed before it was filled
            continue
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(file)):
            entry = value, timestamp
            whole[key] = merge(whole[key], entry) if key in whole else entry
    return whole


def save(file: Path, entries: Mapping[str, Entry]) -> None:
    saved = MmapedDict(str(file))
    for key, (value, timestamp) in entries.items():
        saved.write_value(key, value, timestamp)
    saved.close()


def kind_of(file: Path) -> str:
    return file.stem.rpartition("_")[0]


def process_of(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def lives(pid: int) -> bool:
    """Whether this process is still there; nobody is."""
    try:
        os.kill(pid, 0)  # 0 is the own group, which is always there
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
