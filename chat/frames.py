"""The frames of a page, read and checked, and the verbs they call for."""

from typing import Any
from uuid import UUID

from chat import panel, sessions, turns
from chat.turns import Turn, Words
from generation import actions, documents, runs
from generation.models import Run
from generation.orders import Order
from generation.registry import recipe_of
from memory import workspaces
from memory.base.errors import InvalidInput, NotFound
from memory.base.text import read_json
from memory.models import Role, User

MOST_LISTED = 100


def parse(text: str | None) -> dict[str, Any]:
    """The frame as an object; `validation.json` or `validation.too_deep` for anything else."""
    frame = read_json(text or "")
    if not isinstance(frame, dict):
        raise InvalidInput("json")
    return frame


def uuid_of(frame: dict[str, Any], name: str) -> UUID:
    return uuid_in(frame.get(name), name)


def uuid_in(value: Any, name: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound(name) from None


def since_of(frame: dict[str, Any]) -> int:
    since = frame.get("since", 0)
    if not isinstance(since, int) or isinstance(since, bool):
        raise InvalidInput("since", since=str(since)[:50])
    return since


def start(user: User, frame: dict[str, Any], key: str) -> Run:
    recipe = recipe_of(str(frame.get("kind")))
    named = uuid_of(frame, "workspace") if frame.get("workspace") else None
    workspace = workspaces.choose(user, named, Role.EDITOR)
    order = Order(str(frame.get("brief") or ""), str(frame.get("title") or ""), options_of(frame))
    return runs.start(recipe, order, user=user, workspace=workspace, key=key)[0]


def act(user: User, frame: dict[str, Any], key: str) -> Run:
    document = documents.visible(user, uuid_of(frame, "document"))
    return actions.act(document, str(frame.get("action")), options_of(frame), user=user, key=key)[0]


def options_of(frame: dict[str, Any]) -> dict[str, Any]:
    options = frame.get("options") or {}
    if not isinstance(options, dict):
        raise InvalidInput("options", problems=[])
    return options


def key_of(frame: dict[str, Any]) -> str:
    key = frame.get("key")
    if not isinstance(key, str) or not key:
        raise InvalidInput("key")
    return key


def send(user: User, frame: dict[str, Any], key: str) -> Turn:
    """What is said; with `panel` to all three at once."""
    session = sessions.visible(user, uuid_of(frame, "session")) if frame.get("session") else None
    named = uuid_of(frame, "workspace") if frame.get("workspace") else None
    words = Words(
        str(frame.get("text") or ""),
        [uuid_in(each, "file") for each in listed(frame, "files")],
        [(str(each.get("kind")), uuid_of(each, "id")) for each in listed(frame, "context") if isinstance(each, dict)],
        str(frame.get("agent") or ""),
    )
    return turns.take(
        user,
        words,
        session=session,
        workspace=None if session else workspaces.choose(user, named, Role.VIEWER),
        after=uuid_of(frame, "after") if frame.get("after") else None,
        key=key,
        answered_by=panel.answer_by_all if frame.get("panel") else None,
    )


def listed(frame: dict[str, Any], name: str) -> list[Any]:
    value = frame.get(name) or []
    if not isinstance(value, list) or len(value) > MOST_LISTED:
        raise InvalidInput("list", field=name, limit=MOST_LISTED)
    return value
