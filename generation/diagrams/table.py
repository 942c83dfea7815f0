"""The types of diagrams: one line each, and a file of the same name beside this one that knows how to render it.

Such a file has `render(code) -> svg`, which raises ValueError with what the code's author should read, and may have
`prepare()`, which is done once for many drawings. It is imported in children only.
"""

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Wheel:
    """A renderer that comes from PyPI."""

    distribution: str

    def version(self) -> str | None:
        """What tells its drawings from those of another release; None if it is not installed."""
        try:
            return version(self.distribution)
        except PackageNotFoundError:
            return None


@dataclass(frozen=True)
class Program:
    """A renderer that the machine brings, or does not. Its release is not asked for: that would start it each time."""

    name: str

    def version(self) -> str | None:
        return "installed" if shutil.which(self.name) else None


TYPES: dict[str, Wheel | Program] = {
    "mermaid": Wheel("mermaidx"),
    "vegalite": Wheel("vl-convert-python"),
    "graphviz": Program("dot"),
    "plantuml": Program("plantuml"),
}


def available() -> tuple[str, ...]:
    """The types that can be drawn here: only these are offered to a model."""
    return tuple(name for name, renderer in TYPES.items() if renderer.version())
