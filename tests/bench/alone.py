"""A program in a process of its own, with database and Redis as in production, and nothing else of a house."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from config.services import PostgreSQL, Redis
from config.supervisor.house import BASE


def run(module: str) -> None:
    """Ends as the module ends; nothing is left."""
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-bench-", dir="/tmp"))
    folder.chmod(0o711)
    postgresql, redis = PostgreSQL(folder / "postgres"), Redis(folder / "redis")
    with (folder / "log").open("ab") as log:
        postgresql.start(log.fileno())
        redis.start(log.fileno())
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": postgresql.url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "bench " * 10,
            "DATA_DIR": str(folder / "data"),
        }
        try:
            ended = subprocess.run([sys.executable, "-m", module], cwd=BASE, env=environment)
        finally:
            redis.stop()
            postgresql.stop()
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(ended.returncode)
