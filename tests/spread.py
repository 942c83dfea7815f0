"""How tests are spread over the processes of a run: singly, but those that break the house all in one process, and
those of a browser a file at a time.

(`--dist loadgroup` is meant for this; xdist 3.8 does not find its groups under pytest 9.)
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

CHAOS = "tests/chaos/"
BROWSER = "tests/browser/"


class OneHouse(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(CHAOS):
            return CHAOS
        return nodeid.partition("::")[0] if nodeid.startswith(BROWSER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneHouse:
    return OneHouse(config, log)
