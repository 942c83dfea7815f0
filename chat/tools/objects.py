"""Looking at what the conversation is about, and changing its fields."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from pydantic import Field

from chat.tools.base import Done
from chat.tools.hand import Hand, Object
from generation import documents, places, portfolios, sections
from generation.llm.usage import estimate_tokens
from generation.models import Document, Section
from memory import window
from memory.base.errors import StaleChange
from memory.window import Block, Decision

ObjectId = Annotated[UUID, Field(description="The id of a document or of a section")]
FieldName = Annotated[str, Field(description="Such as description; in a list, by the item's id: list/ID/field")]
LINE_TOKENS = 60  # at most, of a section in a list
Value = str | int | float | bool | list[Any] | dict[str, Any] | None


def list_objects(hand: Hand) -> Done:
    """Name the documents that this conversation is about, with their sections: ids, types, titles and versions."""
    listed, left = [], settings.TOOL_RESULT_TOKENS
    for document in hand.documents.values():
        whole = outline(document)
        kept = whole["sections"][: max(0, left // LINE_TOKENS)]
        left -= LINE_TOKENS * (1 + len(kept))
        more = len(whole["sections"]) - len(kept)
        listed.append({**whole, "sections": kept, **({"more_sections": more} if more else {})})
    return Done({"objects": listed})


def read_object(hand: Hand, object: ObjectId) -> Done:
    """Read all fields of a document, or of one of its sections."""
    found = hand.object(object)
    shown = drawn(found)
    return Done({"object": shown}, about(found), versions=versions_of(found, shown))


def update_field(
    hand: Hand,
    object: ObjectId,
    field: FieldName,
    value: Annotated[Value, Field(description="What shall stand there, whole; null takes it away")],
) -> Done:
    """Give one field of a document or of a section another value. What stands there is replaced by the value."""
    return written(hand, hand.object(object), field, value)


def update_description(
    hand: Hand, object: ObjectId, value: Annotated[str, Field(description="The new description, whole")]
) -> Done:
    """Give a document or a section another description."""
    return written(hand, hand.object(object), "description", value)


def written(hand: Hand, obj: Object, path: str, value: Any) -> Done:
    version = hand.version(obj, path)
    try:
        if isinstance(obj, Document):
            changes = documents.edit(obj, {path: value}, hand.by, version)
        else:
            changes = sections.edit(obj, {path: value}, hand.by, version)
    except StaleChange as error:
        return refused(error, obj)
    told = {"done": bool(changes), "version": obj.version, "changes": [str(change.pk) for change in changes]}
    return Done(told, {**about(obj), "path": path}, tuple(changes))


def refused(error: StaleChange, obj: Object) -> Done:
    """What others changed since is told with all that stands there now: the model has read it then."""
    if error.code != "conflict.changed_since":
        raise error
    changes = [{"path": each["path"], "by": each["user"], "at": each["at"]} for each in error.params["changes"]]
    shown = drawn(obj)
    told = {"error": error.code, "changes": changes, "object": shown}
    return Done(told, about(obj), versions=versions_of(obj, shown), error=StaleChange("changed_since", changes=changes))


def versions_of(obj: Object, shown: Mapping[str, Any]) -> dict[str, int]:
    """What is known of an object by its drawing."""
    if "cut_fields" not in shown:
        return {str(obj.pk): obj.version}
    return {f"{obj.pk}/{name}": obj.version for name in shown["fields"] if name not in shown["cut_fields"]}


def about(obj: Object) -> dict[str, Any]:
    """What a card names: the thing, and the document that it is of."""
    if isinstance(obj, Document):
        return {"type": obj.OBJECT, "id": str(obj.id), "document": str(obj.id), "title": obj.title}
    named = places.of(obj.document_id)
    title = named.title(obj.id) or named.name(obj.id)
    return {"type": obj.OBJECT, "id": str(obj.id), "document": str(obj.document_id), "title": title}


def outline(document: Document) -> dict[str, Any]:
    """The document with its fields, and its sections without theirs."""
    return {
        "id": str(document.id),
        "kind": document.kind,
        "title": document.title,
        "version": document.version,
        **portfolios.computed(document),
        "sections": [line(section) for section in documents.sections_of(document)],
    }


def line(section: Section) -> dict[str, Any]:
    return {
        "id": str(section.id),
        "type": section.type,
        "title": section.fields.get("title", ""),
        "inside": str(section.parent_id) if section.parent_id else None,
        "version": section.version,
        **({"locked": True} if section.is_locked else {}),
    }


def drawn(obj: Object) -> dict[str, Any]:
    """With all fields, each cut where they would not fit together into TOOL_RESULT_TOKENS."""
    fields = {**({"title": obj.title} if isinstance(obj, Document) else {}), **obj.fields}
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    fitted = window.fit([Block(*each) for each in texts.items()], settings.TOOL_RESULT_TOKENS, estimate_tokens)
    cut = [each.name for each in fitted if each.decision != Decision.KEPT]
    shown = {**fields, **{each.name: each.text for each in fitted}}
    head = outline(obj) if isinstance(obj, Document) else line(obj)
    return {**head, "fields": shown, **({"cut_fields": cut} if cut else {})}
