"""Pages: first byte, queries and size of a document with 200 sections, and of one in the middle of 30 000 deltas.

Asked in one process, database and Redis as in production; `cold` is the first request, which renders every text.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from config.services import PostgreSQL, Redis
from config.supervisor.house import BASE


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-pages-", dir="/tmp"))
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
            ended = subprocess.run([sys.executable, "-m", "tests.bench.pages"], cwd=BASE, env=environment)
        finally:
            redis.stop()
            postgresql.stop()
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
