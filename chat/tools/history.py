"""Looking at what was changed, and taking it back."""

from typing import Annotated, Any
from uuid import UUID

from django.db.models import F, Func, Q
from django.db.models.functions import Left
from pydantic import Field

from chat.tools.base import Done
from chat.tools.hand import Hand
from generation import places
from generation.models import Document
from memory import history
from memory.base.folding import fold
from memory.models import Change, Editable

MOST_FOUND = 20
MOST_LOOKED_AT = 500
MOST_READ, MOST_SHOWN = 4_000, 300  # characters of a value


def search_history(
    hand: Hand, words: Annotated[str, Field(description="Words of what was changed; empty: the latest changes")] = ""
) -> Done:
    """Find changes that were made to what this conversation is about, the latest first: what stood there, what stands
    there since, who made it."""
    found = Change.objects.filter(root_id__in=hand.documents).exclude(Q(version=1) & ~Q(path="present"))
    # Of what stood there no more is read than is shown and looked for: a text may be long, and there are many.
    read = {name: Left(Func(F(name), template="%(expressions)s #>> '{}'"), MOST_READ) for name in ("before", "after")}
    short = found.defer("before", "after").annotate(**{f"{name}_text": text for name, text in read.items()})
    latest = short.select_related("user").order_by(F("id").desc())[:MOST_LOOKED_AT]
    wanted = fold(words).split()
    kept = [change for change in latest if all(word in said_in(change) for word in wanted)]
    return Done({"changes": drawn(kept[:MOST_FOUND])})


def said_in(change: Any) -> str:
    return fold(f"{change.path} {change.before_text} {change.after_text}")


def undo_change(hand: Hand, change: Annotated[UUID, Field(description="The id of a change")]) -> Done:
    """Take a change back: what stood there before stands there again."""
    found = hand.change(change)
    hand.check_unlocked(found)
    undone = history.undo(found, hand.user, hand.by)
    obj = Editable.types[found.object_type].whole().get(pk=found.object_id)
    told = {"done": bool(undone), "version": obj.version, "changes": [str(each.pk) for each in undone]}
    title = obj.title if isinstance(obj, Document) else places.of(found.root_id).name(obj.pk)
    named = {"type": obj.OBJECT, "id": str(obj.pk), "document": str(found.root_id), "title": title, "path": found.path}
    return Done(told, named, tuple(undone))


def drawn(changes: list[Any]) -> list[dict[str, Any]]:
    undone = {key for root in {change.root_id for change in changes} for key in history.undone_in(root)}
    return [
        {
            "id": str(change.pk),
            "object": str(change.object_id),
            "path": change.path,
            "before": shown(change.before_text),
            "after": shown(change.after_text),
            "by": change.user.name if change.user else "",
            "kind": change.author,
            "at": change.created_at.isoformat(timespec="minutes"),
            "undone": change.pk in undone,
        }
        for change in changes
    ]


def shown(text: str | None) -> str | None:
    return text if text is None or len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
