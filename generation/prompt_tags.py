"""All that a prompt template may use: conditions, loops, comments and a few filters. No include, no load, no debug."""

from django.template import Library, defaultfilters, defaulttags

register = Library()

for tag in ("if", "for", "with", "comment", "verbatim", "firstof"):
    register.tag(tag, defaulttags.register.tags[tag])
for name in ("default", "join", "length", "lower", "upper", "truncatewords", "truncatechars", "add", "first", "last"):
    register.filter(name, defaultfilters.register.filters[name])
