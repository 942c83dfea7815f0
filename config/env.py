"""The only door to the environment: each reader refuses nonsense and names the variable."""

import os
from pathlib import Path
from urllib.parse import urlsplit


class BadEnvironment(SystemExit):
    """The environment holds a value no setting can have; the message names it."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in {"true", "1", "yes", "on", "false", "0", "no", "off"}:
        raise BadEnvironment(f"{name} must be true or false, not {value!r}.")
    return value in {"true", "1", "yes", "on"}


def number(name: str, default: float, least: float = 0, most: float = float("inf")) -> float:
    raw = text(name, str(default))
    try:
        value = float(raw)
    except ValueError:
        raise BadEnvironment(f"{name} must be a number, not {raw!r}.") from None
    if not least <= value <= most:
        raise BadEnvironment(f"{name} must be between {least:g} and {most:g}, not {raw}.")
    return value


def integer(name: str, default: int, least: int = 0, most: int = 2**31) -> int:
    value = number(name, default, least, most)
    if value != int(value):
        raise BadEnvironment(f"{name} must be a whole number, not {value}.")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().absolute()


def url(name: str, schemes: set[str], default: str = "") -> str:
    value = text(name, default)
    if value and urlsplit(value).scheme not in schemes:
        raise BadEnvironment(f"{name} must start with one of {', '.join(sorted(schemes))}://.")
    return value
