"""The verbs on what people think of an answer: say it, take it back. It belongs to the call that gave the answer."""

from generation.models import Call, Feedback
from memory import workspaces
from memory.base.errors import InvalidInput
from memory.base.text import clean_text
from memory.models import Role, User

MOST_REASON = 500


def give(call: Call, by: User, is_good: bool, reason: str = "") -> Feedback:
    """Say it, or say something else now. Raises `validation.reason_too_long`, `not_found.workspace`."""
    workspaces.require(by, call.workspace, Role.VIEWER)
    reason = clean_text(reason).strip()
    if len(reason) > MOST_REASON:
        raise InvalidInput("reason_too_long", limit=MOST_REASON)
    said, _ = Feedback.objects.update_or_create(call=call, user=by, defaults={"is_good": is_good, "reason": reason})
    return said


def take_back(call: Call, by: User) -> None:
    Feedback.objects.filter(call=call, user=by).delete()
