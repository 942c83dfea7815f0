"""How tests are spread over the processes of a run: singly, but those that break a house and those of a browser a file
at a time.

(`--dist loadgroup` is meant for this; xdist 3.8 does not find its groups under pytest 9.)
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

BY_FILE = ("tests/chaos/", "tests/browser/")


class FewHouses(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(BY_FILE) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FewHouses:
    return FewHouses(config, log)
