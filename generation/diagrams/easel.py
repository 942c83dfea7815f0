"""What runs in the children of `rendering`: a renderer over foreign code, or the sanitiser over foreign SVG."""

import importlib
from types import ModuleType

from generation.diagrams import svg, table


def renderer(type: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{type}")


def prepare() -> None:
    """Once, before any code is seen: libraries are loaded and made ready."""
    for name in table.available():
        getattr(renderer(name), "prepare", lambda: None)()


def main(request: bytes, deed: str, type: str = "") -> bytes:
    text = request.decode()
    return (renderer(type).render(text) if deed == "render" else svg.sanitise(text)).encode()
