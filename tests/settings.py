"""The settings of the product, with what only tests want otherwise."""

from config.settings import *  # noqa: F403
from config.settings import RUN_JOBS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RATE_LIMIT_ENABLED = False
RUN_JOBS = [*RUN_JOBS, "tests."]
