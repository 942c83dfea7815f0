"""The settings of the product, with what only tests want otherwise."""

import os

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS, RUN_JOBS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RATE_LIMIT_ENABLED = False
RUN_JOBS = [*RUN_JOBS, "tests."]
if "CHAOS_FAULT" in os.environ:
    INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.faults.FaultPoints"]
    MODEL_TIMEOUTS = {"connect": 2, "first_token": 2, "idle": 2, "total": 20}
