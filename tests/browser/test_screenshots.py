"""Pictures of the gallery can be taken by command, where no test has set Django up."""

import os
import subprocess
import sys

from django.conf import settings


def test_the_command_begins_without_django() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-c", "import tests.browser.screenshots"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)
