"""Figures beside what was promised: what is missed is said where it stands, again at the end, and by the exit code."""

import sys


class Promises:
    def __init__(self) -> None:
        self.missed: list[str] = []

    def judge(self, what: str, figure: float, most: float | None) -> str:
        """What to print behind the figure: nothing where nothing was promised. No figure keeps no promise."""
        if most is None:
            return ""
        if figure <= most:
            return f" (at most {most:g})"
        self.missed.append(f"{what}: {figure:.3g}, at most {most:g}")
        return f" (at most {most:g}) MISSED"

    def end(self) -> None:
        """The program ends with 1 if a promise was not kept."""
        if self.missed:
            sys.exit("\n".join(f"MISSED {each}" for each in self.missed))
