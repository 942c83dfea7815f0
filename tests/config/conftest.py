from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.config.houses import House


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside pytest's own private folders: as root, PostgreSQL runs as a user who must get through."""
    with TemporaryDirectory(prefix="scriptorium-house-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def house(folder: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def build(*arguments: str, data: Path = folder / "data", port: int = 0, **environment: str) -> House:
        houses.append(House(data, *arguments, port=port, **environment))
        return houses[-1]

    yield build
    for one in houses:
        one.stop()
