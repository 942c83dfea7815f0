"""Settings that threads may read while a test changes them.

Django's are empty for a moment whenever they are overridden, and what a thread reads just before may be cached after.
"""

from typing import Any

from django.conf import LazySettings, settings

Overridden: Any = LazySettings
django_change = LazySettings.__setattr__

PATHS = ("MEDIA_URL", "STATIC_URL")


def read(self: Any, name: str) -> Any:
    value = getattr(self._wrapped, name)
    return Overridden._add_script_prefix(value) if name in PATHS and value is not None else value


def change(self: LazySettings, name: str, value: Any) -> None:
    if name == "_wrapped":
        self.__dict__[name] = value  # the old ones or the new ones, never none
    else:
        django_change(self, name, value)


def steady() -> None:
    assert settings.configured
    for cached in set(settings.__dict__) - {"_wrapped"}:
        del settings.__dict__[cached]
    Overridden.__getattr__ = read
    Overridden.__setattr__ = change
