"""One log: each line names its process. The terminal shows what people want to see (INFO), a bounded file keeps all."""

import asyncio
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5
LINE_BYTES = 64 * 1024
READ_BYTES = 64 * 1024

ours = logging.getLogger("scriptorium")


def start(folder: Path) -> Path:
    """Returns the file."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "scriptorium.log"
    terminal = logging.StreamHandler(sys.stdout)
    terminal.setLevel(logging.INFO)
    kept = RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    logging.basicConfig(level=logging.DEBUG, handlers=[terminal, kept], format="%(asctime)s %(name)-11s | %(message)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    logging.raiseExceptions = False  # a closed terminal must not end anything
    return file


class Pipe:
    """Children write into it; whole lines come out in the log. It outlives its children, so a restart keeps it."""

    def __init__(self, name: str, level: int = logging.INFO) -> None:
        self.logger = logging.getLogger(name)
        self.level = level
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.rest = b""
        asyncio.get_running_loop().add_reader(self.reading, self._read)

    def _read(self) -> None:
        *lines, self.rest = (self.rest + os.read(self.reading, READ_BYTES)).split(b"\n")
        if len(self.rest) > LINE_BYTES:
            lines.append(self.rest)
            self.rest = b""
        for line in lines:
            self.logger.log(self.level, "%s", line.decode(errors="replace").rstrip())
