"""The tools of a conversation: one function and one line each."""

from collections.abc import Sequence

from chat.tools import documents, history, objects, web, work
from chat.tools.base import Done, Lookup, Tool, refusal
from chat.tools.hand import Hand, is_wrong
from memory.models import Role

ALL: tuple[Tool | Lookup, ...] = (
    Tool(objects.list_objects),
    Tool(objects.read_object),
    Tool(history.search_history),
    Tool(objects.update_field, writes=True),
    Tool(objects.update_description, writes=True),
    Tool(documents.insert_section, writes=True),
    Tool(documents.rewrite_section, writes=True),
    Tool(documents.move_section, writes=True),
    Tool(documents.remove_section, writes=True),
    Tool(history.undo_change, writes=True),
    Tool(work.start_run, writes=True),
    Tool(work.retry_section, writes=True),
    Tool(work.run_action, writes=True),
    *web.LOOKUPS,
)
TOOLS = {tool.name: tool for tool in ALL}

__all__ = ["TOOLS", "Done", "Hand", "Lookup", "Tool", "is_wrong", "offered", "refusal"]


def offered(role: Role) -> Sequence[Tool | Lookup]:
    """Those a model is told of: a viewer's has none that writes, and nobody's has one that is not set up here."""
    return [tool for tool in TOOLS.values() if is_there(tool) and (not tool.writes or role.includes(Role.EDITOR))]


def is_there(tool: Tool | Lookup) -> bool:
    return not isinstance(tool, Lookup) or tool.is_there()
