"""The settings of the product, with what only tests want otherwise."""

import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, RUN_JOBS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RATE_LIMIT_ENABLED = False
RUN_JOBS = [*RUN_JOBS, "tests."]
WEB_NETWORK = "tests.web.Pretended"
if "TEST_WEB_PORT" not in os.environ:
    WEB_SEARCH = "none"  # whatever the shell of the developer names
if "CHAOS_FAULT" in os.environ:
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.faults.FaultPoints"]
    # Soon enough for faults, and longer than anything is frozen for.
    MODEL_TIMEOUTS = {"connect": 5, "first_token": 5, "idle": 5, "total": int(os.environ.get("CHAOS_TOTAL", "30"))}
