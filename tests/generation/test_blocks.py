"""Blocks: joined they are the text, each closes once, and closed ones render to safe HTML."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from generation import blocks
from generation.blocks import Renderer
from memory.base.markdown import BlockCutter, render

TEXT = """# Title

First paragraph
goes on.

- one

- two
  more of two

1. a
2. b

```python
x = 1

y = 2
```

| a | b |
|---|---|
| 1 | 2 |

Last *words*"""

LINES = st.lists(
    st.sampled_from(["", "word", "- item", "  more", "```", "```py", "~~~", "1. x", "| a |", "    code", "\ttab"]),
    max_size=25,
)


def cut(text: str, size: int) -> list[str]:
    cutter = BlockCutter()
    blocks = [block for at in range(0, len(text), size) for block in cutter.feed(text[at : at + size])]
    return blocks + list(cutter.finish())


def test_blocks_close_where_nothing_can_change_them() -> None:
    blocks = cut(TEXT, 7)
    assert [block.strip().splitlines()[0] for block in blocks] == [
        "# Title", "First paragraph", "- one", "```python", "| a | b |", "Last *words*",
    ]  # fmt: skip


@given(LINES, st.integers(1, 9))
def test_joined_blocks_are_the_text(lines: list[str], size: int) -> None:
    text = "\n".join(lines)
    assert "".join(cut(text, size)).strip("\n") == text.strip("\n")


@given(LINES)
def test_the_cut_does_not_depend_on_the_pieces(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert cut(text, 1) == cut(text, 1000)


def test_html_in_the_text_stays_text_and_pictures_load_nothing() -> None:
    html = render("<script>x</script> ![a](http://evil/x.png) [b](javascript:alert(1)) <img src=x onerror=y>")
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html


def event(kind: str, seq: int, **data: object) -> dict[str, object]:
    return {"type": kind, "seq": seq, "data": data}


def test_a_new_attempt_begins_its_blocks_anew() -> None:
    renderer = Renderer()
    first = renderer.feed([event("content_delta", 1, step="s", attempt=1, text="one\n\ntwo\n\nthr")])
    second = renderer.feed([event("content_delta", 2, step="s", attempt=2, text="uno\n\ndue")])
    last = renderer.feed([event("step", 3, key="s", state="done", attempt=2)])
    assert [(block.attempt, block.n) for block in [*first, *second, *last]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert "<p>uno</p>" in second[0].html
    assert renderer.closed_in(1, 3) == [*second, *last]
    assert not renderer.writing


@given(st.integers(1, 40))
def test_each_block_says_where_it_ends_as_browsers_count(size: int) -> None:
    text = "A 🎉 party.\n\n" + TEXT
    renderer = Renderer()
    deltas = [event("content_delta", n, step="one", attempt=1, text=each) for n, each in enumerate(cut(text, size), 1)]
    closed = renderer.feed(deltas)
    units = text.encode("utf-16-le")
    begins = [0, *(block.end for block in closed)]
    pieces = [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in pairwise(begins)]
    assert [render(piece) for piece in pieces] == [block.html for block in closed]


@given(st.integers(0, len(TEXT)))
def test_a_text_cut_anywhere_is_its_blocks_and_what_is_open(at: int) -> None:
    text = "🎉 " + TEXT[:at]
    now = blocks.cut(text)
    open_text = text.encode("utf-16-le")[2 * now.end :].decode("utf-16-le")
    assert open_text == now.rest
    closed = list(BlockCutter().feed(text))
    assert now.blocks == [render(block) for block in closed]
    assert "".join(closed) + now.rest == text
