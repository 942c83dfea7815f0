"""Markdown rendered before, kept in this process and in Redis for the others. Without Redis it is rendered anew."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

import structlog
from django.core.cache import cache

from memory.base import metrics
from memory.base.markdown import render
from memory.base.news import AWAY

log = structlog.get_logger()

MOST_KEPT = 2_000
KEEP_SECONDS = 7 * 24 * 3600
VERSION = 2  # of what `render` makes: another one forgets the rest

kept: OrderedDict[str, str] = OrderedDict()
lock = Lock()


def of(text: str) -> str:
    """HTML that may stand in any page of ours as it is."""
    key = key_of(text)
    with lock:
        if key in kept:
            kept.move_to_end(key)
            metrics.cache_hits.labels("markdown").inc()
            return kept[key]
    metrics.cache_misses.labels("markdown").inc()
    return keep(key, render(text))


def warm(texts: Iterable[str]) -> None:
    """What a page will ask for, all at once: what another process has rendered is not rendered again."""
    wanted = {key_of(text): text for text in texts}
    unknown = {key: text for key, text in wanted.items() if key not in kept}
    if not unknown:
        return
    try:
        for key, html in cache.get_many(list(unknown)).items():
            keep(key, html)
            del unknown[key]
            metrics.cache_hits.labels("markdown_shared").inc()
        metrics.cache_misses.labels("markdown_shared").inc(len(unknown))
        made = {key: keep(key, render(text)) for key, text in unknown.items()}
        if made:
            cache.set_many(made, KEEP_SECONDS)
    except AWAY as error:
        log.warning("rendered_away", error=str(error))


def keep(key: str, html: str) -> str:
    with lock:
        kept[key] = html
        while len(kept) > MOST_KEPT:
            kept.popitem(last=False)
    return html


def key_of(text: str) -> str:
    return f"markdown:{VERSION}:{hashlib.sha256(text.encode()).hexdigest()}"
