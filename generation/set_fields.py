"""A document that is made of fields, set in order for an export: each with its name, in the document's language."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.text import capfirst

from generation import forms, labels
from generation.exports.neutral import line, plain
from generation.manuscripts import Block, Heading, Manuscript, Notice, Prose, Table
from generation.models import Document
from generation.words import words


def set_fields(document: Document, names: Sequence[str], *tables: Table) -> Manuscript:
    """These fields as far as they are written, these tables, then what they rest on."""
    with translation.override(document.language):
        blocks = [block for name in names for block in set_field(document, name)]
        blocks += [block for table in tables for block in (Heading(1, table.name), table)]
        blocks += references(document.fields.get("references") or ())
    return Manuscript(document.title, document.language, tuple(blocks))


def set_field(document: Document, name: str) -> Iterator[Block]:
    """Only what is written in Markdown is read as Markdown. What is missing is said of the texts alone."""
    value = document.fields.get(name)
    is_markdown = forms.widget_of(name, document.shape.fields.model_fields[name]) == "markdown"
    if not value and name not in document.shape.body:
        return
    yield Heading(1, capfirst(labels.of_field(name)))
    if isinstance(value, list) and value:
        yield Prose("\n".join(f"- {line(str(each))}" for each in value))
    elif value:
        yield Prose(str(value) if is_markdown else plain(str(value)))
    else:
        yield Notice(words("missing", document.language))


def references(items: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    if items:
        yield Heading(1, capfirst(labels.of_field("references")))
        yield Prose("\n\n".join(reference(each) for each in items))


def reference(item: Mapping[str, Any]) -> str:
    """Its number, its title, and its address as it is."""
    title = line(item.get("title", ""))
    return " ".join(filter(None, (f"\\[{item['id']}\\]", title, f"<{item['url']}>" if item.get("url") else "")))
