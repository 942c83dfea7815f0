"""What pages say of changes: what a machine proposes against what stands, what may be done to what."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from generation import comparisons, labels, last_change, tools
from generation.comparisons import Difference
from generation.kinds import KINDS
from generation.last_change import LastChange
from generation.models import Document, Standing
from generation.tools import Addition
from memory.models import User

register = template.Library()


@register.simple_tag
def last_change_of(document_id: UUID, reader: User, leaf: Any = None) -> LastChange | None:
    return last_change.of(document_id, reader, leaf.rows if leaf else ())


@register.filter
def against(proposal: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Difference]:
    return comparisons.against(proposal["values"], fields)


@register.filter
def against_document(proposal: Mapping[str, Any], document: Any) -> list[Difference]:
    """`document`: the row, or its picture."""
    state = document.state() if isinstance(document, Document) else {**document["fields"], **document}
    return comparisons.against(proposal["values"], state)


@register.filter
def is_filled_in(section: Mapping[str, Any]) -> bool:
    """Whether it has fields of its own, or only holds others."""
    types = (kind.sections[section["type"]] for kind in KINDS.values() if section["type"] in kind.sections)
    return any(not each.only_holds for each in types)


@register.filter
def top_sections(kind: str) -> list[Addition]:
    """What may stand directly in a document of this kind."""
    return tools.additions(KINDS[kind], "") if kind in KINDS else []


@register.filter
def other_standings(status: str) -> list[tuple[str, str]]:
    """What else may be said of it, as something to do."""
    said = {
        Standing.DRAFT: _("Make it a draft again"),
        Standing.READY: _("Say that it is ready"),
        Standing.APPROVED: _("Approve the document"),
        Standing.ARCHIVED: _("Archive the document"),
    }
    return [(standing.value, words) for standing, words in said.items() if standing != status]


@register.filter
def proposal_word(state: str) -> str:
    words = {"accepted": _("Accepted"), "rejected": _("Rejected"), "superseded": _("Replaced by a newer one")}
    return words.get(state) or capfirst(labels.of_choice(state))
