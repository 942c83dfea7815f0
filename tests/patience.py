"""How long a test waits for what must come. Who waits in vain learns it late; nobody is judged by a busy machine."""

PATIENCE_SECONDS = 90
