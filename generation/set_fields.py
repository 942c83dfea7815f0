"""A document that is made of fields, set in order for an export: each with its name, in the document's language."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.text import capfirst

from generation import labels
from generation.manuscripts import Block, Heading, Manuscript, Notice, Prose
from generation.models import Document
from generation.words import words


def set_fields(document: Document, names: Sequence[str]) -> Manuscript:
    """These fields as far as they are written, then what they rest on."""
    with translation.override(document.language):
        blocks = [block for name in names for block in set_field(name, document.fields.get(name), document.language)]
        blocks += references(document.fields.get("references") or ())
    return Manuscript(document.title, document.language, tuple(blocks))


def set_field(name: str, value: Any, language: str) -> Iterator[Block]:
    yield Heading(1, capfirst(labels.of_field(name)))
    if isinstance(value, list) and value:
        yield Prose("\n".join(f"- {in_words(each)}" for each in value))
    elif value:
        yield Prose(str(value))
    else:
        yield Notice(words("missing", language))


def in_words(item: Any) -> str:
    """A string, or a score: its axis, its rating, why."""
    if not isinstance(item, Mapping):
        return str(item)
    axis = str(item.get("axis", "")).replace("_", " ")
    return f"{capfirst(axis)}: {item.get('rating', '—')}. {item.get('justification', '')}".strip()


def references(items: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    if items:
        yield Heading(1, capfirst(labels.of_field("references")))
        yield Prose("\n\n".join(reference(each) for each in items))


def reference(item: Mapping[str, Any]) -> str:
    """Its number, its title, and its address as it is."""
    title = item.get("title", "")
    return " ".join(filter(None, (f"\\[{item['id']}\\]", title, f"<{item['url']}>" if item.get("url") else "")))
