"""How long, how much, in which state: what the margin says of work, in the reader's language."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from generation import saying, telling
from memory.templatetags.look import mark

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """`48 s`, `2 min 05 s`, `1 h 12 min`."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds))
    if whole < 60:
        return gettext("{n} s").format(n=whole)
    if whole < 3600:
        return gettext("{m} min {s:02} s").format(m=whole // 60, s=whole % 60)
    return gettext("{h} h {m:02} min").format(h=whole // 3600, m=whole % 3600 // 60)


@register.filter
def money(dollars: Decimal | float | None) -> str:
    """Nothing for an unknown price, and for none."""
    return saying.money(dollars) if dollars else ""


@register.filter
def moment(at: datetime) -> str:
    """The hour today, the day before."""
    return saying.moment(at)


@register.simple_tag
def fresh_key() -> str:
    """Of one form on one page: sent twice, it does once."""
    return str(uuid4())


@register.simple_tag
def state_mark(state: str) -> SafeString | str:
    """The mark of a state; none for what needs no word."""
    word = telling.state(state)
    return mark(state, word) if word else ""


@register.simple_tag
def state_icon(state: str) -> SafeString | str:
    """The mark alone, its word for those who hear the page."""
    word = telling.state(state)
    return hidden_mark(state, word) if word else ""


def hidden_mark(state: str, word: str) -> SafeString:
    from_mark = format_html('<span class="hidden-words">{}</span>', word)
    return mark(state, from_mark)
