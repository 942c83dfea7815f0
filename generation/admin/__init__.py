"""Staff's view of the work."""

from generation.admin import prompting, work

__all__ = ["prompting", "work"]
