"""Staff's view of the work."""

from generation.admin import deciding, experimenting, prompting, work

__all__ = ["deciding", "experimenting", "prompting", "work"]
