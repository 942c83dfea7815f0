"""Graphviz by `dot`, where it is installed. It is told to open no file that a graph names."""

import os
import re
import subprocess

from generation.diagrams.theme import EDGE, FONT, INK, INK_SOFT, RECESS

FACE = FONT.split(",")[0].strip('"')
COMMAND = [
    "dot",
    "-Tsvg",
    "-Gbgcolor=transparent",
    f"-Gfontname={FACE}",
    f"-Gfontcolor={INK}",
    f"-Gcolor={EDGE}",
    f"-Nfontname={FACE}",
    f"-Nfontcolor={INK}",
    f"-Ncolor={EDGE}",
    "-Nfontsize=13",
    "-Nshape=box",
    "-Nstyle=rounded,filled",
    f"-Nfillcolor={RECESS}",
    f"-Efontname={FACE}",
    f"-Efontcolor={INK_SOFT}",
    f"-Ecolor={INK_SOFT}",
    "-Efontsize=11",
    "-Earrowsize=0.7",
]
NAME = re.compile(r"^(Error|Warning): <stdin>: ", re.MULTILINE)


def render(code: str) -> str:
    # Graphviz's own mode for web servers: it opens no file that a graph names.
    environment = {"PATH": os.environ["PATH"], "SERVER_NAME": "scriptorium", "GV_FILE_PATH": ""}
    drawn = subprocess.run(COMMAND, check=False, input=code.encode(), capture_output=True, env=environment)
    if drawn.returncode:
        raise ValueError(NAME.sub("", drawn.stderr.decode(errors="replace")).strip() or "dot gave up")
    return drawn.stdout.decode()
