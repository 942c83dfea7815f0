"""Staff's view of the work."""

from generation.admin import agents, deciding, experimenting, prompting, work

__all__ = ["agents", "deciding", "experimenting", "prompting", "work"]
