"""Whom a comment names: `@name` is a member of its workspace, or plain text."""

import re
from collections.abc import Collection, Iterator

from django.db.models import Q

from memory import workspaces
from memory.base.folding import Folded, fold
from memory.models import User, Workspace

# As Django lets user names be; an address has something before its @.
NAMED = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")
ENDS = ".@+-"  # a name may end like a sentence
MOST_OFFERED = 8
MOST_NAMED = 100  # words with an @ that are looked up


def of(text: str, workspace: Workspace) -> list[User]:
    """The members that the text names, each once."""
    words = list(dict.fromkeys(NAMED.findall(text)))[:MOST_NAMED]
    wanted = {name for word in words for name in readings(word)}
    if not wanted:
        return []
    found = {each.username: each for each in User.objects.filter(workspaces=workspace, username__in=wanted)}
    named = (next((found[name] for name in readings(word) if name in found), None) for word in words)
    return list({user.pk: user for user in named if user}.values())


def readings(word: str) -> Iterator[str]:
    """What somebody may have meant, the longest first: `ann.`, `ann`."""
    yield word
    while word and word[-1] in ENDS:
        word = word[:-1]
        if word:
            yield word


def pieces(text: str, names: Collection[str]) -> list[tuple[str, bool]]:
    """The text cut where it names one of these, and whether a piece is such a name."""
    cut: list[tuple[str, bool]] = []
    begin = 0
    for found in NAMED.finditer(text):
        name = next((name for name in readings(found[1]) if name in names), None)
        if name is None:
            continue
        end = found.start() + 1 + len(name)
        cut += [(text[begin : found.start()], False), (text[found.start() : end], True)]
        begin = end
    return [each for each in (*cut, (text[begin:], False)) if each[0]]


def offered(workspace: Workspace, q: str) -> list[User]:
    """Members whose user name or name holds these words, to choose from."""
    found = workspaces.members(workspace).exclude(user__is_active=False)
    for word in fold(q).split()[:3]:
        found = found.alias(
            named=Folded("user__username"), first=Folded("user__first_name"), last=Folded("user__last_name")
        ).filter(Q(named__contains=word) | Q(first__contains=word) | Q(last__contains=word))
    return [each.user for each in found.order_by("user__username")[:MOST_OFFERED]]
