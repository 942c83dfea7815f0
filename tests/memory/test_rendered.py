"""What was rendered before is not rendered again, in this process or in another, and the figures say so."""

from django.core.cache import cache

from memory.base import rendered
from tests.counting import counted


def asked(kind: str) -> tuple[float, float]:
    return counted("cache_hits_total", cache=kind), counted("cache_misses_total", cache=kind)


def test_a_text_is_rendered_once_in_a_process() -> None:
    hits, misses = asked("markdown")
    assert rendered.of("*once* in a process") == rendered.of("*once* in a process")
    assert asked("markdown") == (hits + 1, misses + 1)


def test_what_another_process_has_rendered_is_taken_from_it() -> None:
    hits, misses = asked("markdown_shared")
    cache.set(rendered.key_of("*theirs*"), "<p>rendered by another</p>")
    rendered.warm(["*theirs*", "*ours*"])
    assert asked("markdown_shared") == (hits + 1, misses + 1)
    assert rendered.of("*theirs*") == "<p>rendered by another</p>"
    assert cache.get(rendered.key_of("*ours*")) == rendered.of("*ours*")
