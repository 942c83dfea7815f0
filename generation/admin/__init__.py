"""Staff's view of the work."""

from generation.admin import agents, calls, deciding, experimenting, prompting, work

__all__ = ["agents", "calls", "deciding", "experimenting", "prompting", "work"]
