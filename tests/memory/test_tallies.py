"""What processes count in files: sums stay true and files few, whoever dies, whenever."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from memory.base import tallies
from tests.counting import counting

COUNT = """
metrics.errors.labels("x").inc()
metrics.event_flush.observe(2)
metrics.followers_open.inc(3)
metrics.breaker_state.labels("demo:demo").set(1)
"""
FORK = """
for _ in range(40):
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        metrics.errors.labels("x").inc()
        metrics.event_flush.observe(2)
        os._exit(0)
"""
FOLDED = {"counter_0.db", "histogram_0.db", "gauge_mostrecent_0.db"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "metrics"
    folder.mkdir()
    monkeypatch.setenv(tallies.FOLDER, str(folder))
    return folder


def figure(name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    tallies.Tallies(registry)
    return registry.get_sample_value(name, labels)


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*.db")}


def test_what_the_dead_have_counted_stays_and_what_they_held_open_goes(folder: Path) -> None:
    with counting(COUNT):
        assert figure("followers_open") == 3
    with counting(COUNT):
        assert figure("errors_total", code="x") == 2
        assert figure("event_flush_seconds_count") == 2
        assert figure("event_flush_seconds_sum") == 4
        assert figure("followers_open") == 3
    assert figure("errors_total", code="x") == 2
    assert figure("event_flush_seconds_bucket", le="5.0") == 2
    assert figure("event_flush_seconds_bucket", le="1.0") == 0
    assert not figure("followers_open")
    assert files(folder) == FOLDED


def test_of_a_state_what_was_seen_last_counts_whoever_has_died_since(folder: Path) -> None:
    with counting(COUNT):
        pass
    assert figure("breaker_state", model="demo:demo") == 1
    with counting('metrics.breaker_state.labels("demo:demo").set(0)'):
        assert figure("breaker_state", model="demo:demo") == 0
    assert figure("breaker_state", model="demo:demo") == 0


def test_however_many_have_come_and_gone_the_files_are_few(folder: Path) -> None:
    with counting(FORK):
        assert len(files(folder)) > 40
        assert figure("errors_total", code="x") == 40
        assert len(files(folder)) < 10
        assert figure("event_flush_seconds_sum") == 80


def test_one_that_was_killed_before_its_file_was_filled_has_counted_nothing(folder: Path) -> None:
    with counting(COUNT) as process:
        for empty in (f"counter_{process.pid + 1_000_000_000}.db", f"histogram_{os.getpid()}.db"):
            (folder / empty).touch()
        assert figure("errors_total", code="x") == 1


class Killed(BaseException):
    pass


def die_before(n: int, patch: pytest.MonkeyPatch) -> None:
    """The process dies when it is about to do its n-th thing to a file."""
    left = [n]

    def dying(act: Callable[..., Any]) -> Callable[..., Any]:
        def act_or_die(*arguments: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return act(*arguments, **more)

        return act_or_die

    for name in ("replace", "unlink", "write_text"):
        patch.setattr(Path, name, dying(getattr(Path, name)))


def is_killed_at(act: Callable[[], None]) -> bool:
    try:
        act()
    except Killed:
        return True
    return False


def test_a_fold_cut_short_anywhere_loses_nothing_and_counts_nothing_twice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting(COUNT):
        pass
    tallies.fold_dead()
    with counting(COUNT):
        pass
    shutil.copytree(folder, tmp_path / "before")
    for n in range(50):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)
        with monkeypatch.context() as patch:
            die_before(n, patch)
            was_killed = is_killed_at(tallies.fold_dead)
        for _ in range(2):
            assert (figure("errors_total", code="x"), figure("event_flush_seconds_sum")) == (2, 4), n
        assert files(folder) == FOLDED
        assert {file.name for file in folder.iterdir()} == {*FOLDED, "lock"}
        if not was_killed:
            break
    assert 8 < n < 50


def test_nobody_folds_while_another_reads_or_folds(folder: Path) -> None:
    with counting(COUNT):
        pass
    before = files(folder)
    thread = Thread(target=tallies.fold_dead)
    with tallies.locked(folder):
        thread.start()
        thread.join(0.5)
        assert files(folder) == before
    thread.join()
    assert files(folder) == FOLDED


def test_where_nothing_is_counted_in_files_nothing_is_folded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.rmdir()
    tallies.fold_dead()
    monkeypatch.delenv(tallies.FOLDER)
    tallies.fold_dead()
    assert not folder.exists()
