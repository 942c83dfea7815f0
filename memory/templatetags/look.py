"""The look in templates: icons, marks, and Markdown as safe HTML."""

import re

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from memory.base import rendered

register = template.Library()

CODE = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)

# How a condition is drawn; what is not named here has a mark of its own name.
MARKS = {
    "generating": "writing",
    "missing": "queued",
    "partial": "fallback",
    "running": "writing",
    "ready": "done",
    "approved": "done",
    "draft": "edit",
    "archived": "file",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Always with a word beside it, visible or `.hidden-words`."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("look/icons.svg"), name)


@register.simple_tag
def mark(state: str, word: object) -> SafeString:
    """A state in the margin: its icon, its colour, its word."""
    drawn = look_of(state)
    return format_html('<span class="mark" data-state="{}">{}{}</span>', drawn, icon(drawn), word)


@register.filter
def look_of(state: str) -> str:
    """The `data-state` of a condition."""
    return MARKS.get(state, state)


@register.filter
def markdown(text: str | None) -> SafeString:
    return mark_safe(rendered.of(text)) if text else SafeString()  # noqa: S308 sanitised by render


@register.filter
def coded(text: str | None) -> SafeString:
    """Plain text, in which what stands between backticks is code; `__init__` and 2*3*4 stay what they are."""
    return mark_safe(CODE.sub(r"<code>\2</code>", escape(text or "")))  # noqa: S308 escaped before
