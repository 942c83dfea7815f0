"""How tests are spread over the processes of a run: singly, but those that break the house all in one process.

(`--dist loadgroup` is meant for this; xdist 3.8 does not find its groups under pytest 9.)
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

CHAOS = "tests/chaos/"


class OneHouse(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return CHAOS if nodeid.startswith(CHAOS) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneHouse:
    return OneHouse(config, log)
