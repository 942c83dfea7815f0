"""Places in an order, as text: between any two there is always another, so that a move changes one row only.

Ranks compare byte by byte (collation "C") and never end in the lowest digit, so that there is room below each.
"""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LAST = len(DIGITS) - 1


def between(low: str, high: str) -> str:
    """A rank above `low` and below `high`; empty for an open end.

    Short: at an open end the next digit is taken, so that some sixty ranks follow before one grows; else the middle.
    """
    if high and low >= high:
        raise ValueError(f"no rank lies between {low!r} and {high!r}")
    ends = bool(low), bool(high)
    shared = ""
    while True:
        n = len(shared)
        below = DIGITS.index(low[n]) if n < len(low) else 0
        above = DIGITS.index(high[n]) if high and n < len(high) else LAST + 1
        room = above - below
        if room > 1:
            step = {(True, False): 1, (False, True): room - 1}.get(ends, room // 2)
            return shared + DIGITS[below + step]
        shared += DIGITS[below]
        if above > below:
            high = ""


def spread(count: int) -> list[str]:
    """So many ranks in order."""
    ranks = [between("", "")] if count else []
    while len(ranks) < count:
        ranks.append(between(ranks[-1], ""))
    return ranks
