"""Short stretches of time as staff read them."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext

register = template.Library()


@register.filter
def lapse(milliseconds: int | None) -> str:
    """`87 ms`, `2.5 s`, in one piece; nothing for none."""
    if milliseconds is None:
        return ""
    if milliseconds < 1_000:
        said = gettext("{n} ms").format(n=milliseconds)
    else:
        said = gettext("{n} s").format(n=number_format(milliseconds / 1_000, 1))
    return said.replace(" ", "\u00a0")
