#!/usr/bin/env python3
"""The command line. Each command names its process, and the process selects the settings (connections above all)."""

import os
import sys

from django.core.management import execute_from_command_line

PROCESSES = {"web": "web", "rqworker": "worker"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("PROCESS", PROCESSES.get(command, "command"))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
