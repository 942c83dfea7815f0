import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.llm.sse import EventReader
from memory.base.errors import ModelStreamBroken

line_ends = st.sampled_from(["\n", "\r", "\r\n"])
# No line end and no blank text: what one data line can carry.
texts = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)
noise = st.lists(st.sampled_from([": keep-alive", "event: x", "id: 1", "retry: 5", "", "database: no"]), max_size=3)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """A stream as a server may write it, and the data of its events."""
    wire, events = "", []
    for lines in draw(st.lists(st.lists(texts, min_size=1, max_size=3), max_size=5)):
        end = draw(line_ends)
        for written in (*draw(noise), *(f"data: {line}" for line in lines), ""):
            wire += written + end
        events.append("\n".join(lines).encode())
    return wire.encode(), events


def feed(reader: EventReader, pieces: list[bytes]) -> list[bytes]:
    return [event for piece in pieces for event in reader.feed(piece)]


@given(streams(), st.data())
def test_a_stream_may_be_split_anywhere(stream: tuple[bytes, list[bytes]], data: st.DataObject) -> None:
    wire, events = stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=10)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert feed(EventReader(), pieces) == events


@given(streams())
def test_a_stream_may_come_byte_by_byte(stream: tuple[bytes, list[bytes]]) -> None:
    wire, events = stream
    assert feed(EventReader(), [bytes([byte]) for byte in wire]) == events


@given(st.lists(st.binary()))
def test_any_bytes_are_read_without_a_crash(pieces: list[bytes]) -> None:
    assert all(feed(EventReader(), pieces))


def test_one_space_after_the_colon_is_not_data() -> None:
    assert EventReader().feed(b"data:a\n\ndata: b\n\ndata:  c\n\n") == [b"a", b"b", b" c"]


def test_an_event_without_its_blank_line_is_not_given() -> None:
    assert EventReader().feed(b"data: half\n") == []


def test_comments_without_end_are_no_event_and_take_no_room() -> None:
    reader = EventReader(max_event=50)
    assert [reader.feed(b": keep-alive\n") for _ in range(100)] == [[]] * 100


@pytest.mark.parametrize("piece", [b"data: 1234\n", b"1234567890", b"data: " + b"x" * 50 + b"\n\n"])
def test_an_event_past_its_cap_is_refused(piece: bytes) -> None:
    reader = EventReader(max_event=50)
    with pytest.raises(ModelStreamBroken, match="event_too_large"):
        feed(reader, [piece] * 10)


def test_a_response_past_its_cap_is_refused() -> None:
    reader = EventReader(max_response=100)
    with pytest.raises(ModelStreamBroken, match="response_too_large"):
        feed(reader, [b"data: 12345\n\n"] * 10)
