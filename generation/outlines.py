"""The outline beside a document: its first two levels, each with the mark that says what a reader should know of it."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from generation.leaf import Leaf
from generation.leaf_body import Body

MARKED = ("fallback", "failed", "stale", "missing", "retrying")  # the rest needs no word
MARKED_WHEN_WRITING = (*MARKED, "ready", "generating", "queued")
BROKEN = ("fallback", "failed", "missing")  # what its holder's mark tells, too


def outline(leaf: Leaf, on_page: Iterable[UUID]) -> list[dict[str, Any]]:
    """The first two levels, as a tree; what is not on the page is led to by its address."""
    if leaf.body:
        return list(places_of(leaf.body))
    top: list[dict[str, Any]] = []
    here = set(on_page)
    within = {each["parent"]: each["shown"] for each in leaf.sections if each["shown"] in BROKEN}
    for each in leaf.sections:
        if each["depth"] > 1:
            continue
        shown = within.get(each["id"], each["shown"]) if each["depth"] and each["shown"] == "ready" else each["shown"]
        place = f"#section-{each['id']}"
        href = place if each["id"] in here else f"?from={each['id']}{place}"
        own_states = MARKED_WHEN_WRITING if leaf.is_writing and (each["depth"] or not each["holds"]) else MARKED
        line = {**each, "href": href, "shown": shown, "is_marked": shown in own_states, "below": []}
        if each["depth"] == 0:
            top.append(line)
        elif top:
            top[-1]["below"].append(line)
    return top


def places_of(body: Body) -> Iterator[dict[str, Any]]:
    """The fields that say something, between what is computed from them."""
    fields = [(f"field-{each.name}", each.label) for each in body.fields if not each.is_empty]
    picture = body.picture
    for anchor, heading in (*picture.leading, *fields, *picture.trailing) if picture else fields:
        yield {"href": f"#{anchor}", "heading": heading, "is_marked": False, "below": []}
