"""How long a test waits for what must come. Who waits in vain learns it late; nobody is judged by a busy machine.

A machine that is shared can be ten times as slow for minutes. `TEST_PATIENCE` (seconds) is for those who expect to wait
in vain: the mutants.
"""

import os

PATIENCE_SECONDS = float(os.environ.get("TEST_PATIENCE", "600"))
