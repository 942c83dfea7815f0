"""The garbage collector stops everything while it walks: it need not walk what came with the program, ever again."""

import gc

YOUNG = 5_000  # objects between two looks; a stream makes many, and nearly all of them go by themselves


def spare_what_stands() -> None:
    """To be called once a process has begun: from then on only what came later is looked through."""
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
