"""Folders and users as people have them."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.supervisor import house as houses
from config.supervisor.house import BASE, Refused
from tests.config.houses import House

Build = Callable[..., House]


@pytest.mark.parametrize("name", ["with some spaces", "x" * 150, "élan 'quoted' \"twice\""])
def test_a_data_folder_may_have_any_name(house: Build, folder: Path, name: str) -> None:
    up = house(data=folder / name / "data", LANG="C", LC_ALL="C").wait_until_ready()
    assert up.stop() == 0


def test_a_folder_of_another_user_is_left_alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.delenv("DATA_DIR")
    monkeypatch.setattr(houses, "BASE", folder)
    (folder / ".data").mkdir()
    assert houses.data_folder() == folder / ".data"
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    assert houses.data_folder() == folder / f".data-{pwd.getpwuid(os.getuid()).pw_name}"


def test_a_data_dir_of_another_user_is_refused(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(Refused, match="choose a folder of your own"):
        houses.data_folder()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become another user")
def test_an_ordinary_user_runs_it_too(folder: Path) -> None:
    become = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    if subprocess.run(
        [*become, sys.executable, "-c", "import config.services"], cwd=BASE, capture_output=True
    ).returncode:
        pytest.skip("this checkout or its Python is closed to other users")
    shutil.chown(folder, "nobody", "nogroup")
    source = (
        "import sys; from pathlib import Path; from config.services import PostgreSQL, Redis\n"
        "for service in (PostgreSQL(Path(sys.argv[1], 'postgres')), Redis(Path(sys.argv[1], 'redis'))):\n"
        "    service.start(); service.stop()"
    )
    subprocess.run([*become, sys.executable, "-c", source, folder / "data"], cwd=BASE, check=True)
