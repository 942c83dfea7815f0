"""What the child makes of a page, asked where it runs: letters as they were written, and nothing of what is no text."""

import logging
from collections.abc import Iterator

import orjson
import pytest

from generation.web import article

SAID = "Élan à l’œuvre"


@pytest.fixture(autouse=True)
def logs_again() -> Iterator[None]:
    """A child has no log."""
    yield
    logging.disable(logging.NOTSET)


def read(content: bytes, type: str = "text/html", charset: str = "") -> dict[str, str]:
    return dict(orjson.loads(article.main(content, type, charset)))


@pytest.mark.parametrize(
    ("content", "type", "charset"),
    [
        (SAID.encode(), "text/plain", ""),
        (SAID.encode(), "text/plain", "nonsense"),
        (SAID.encode(), "text/plain", "hex"),
        (SAID.encode("cp1252"), "text/plain", "windows-1252"),
        (SAID.encode("cp1252"), "text/plain", ""),
        (SAID.encode("utf-16"), "text/plain", "utf-8"),
        (f'<meta charset="windows-1252"><p>{SAID}</p>'.encode("cp1252"), "text/html", ""),
        (f"<html><body><p>{SAID}</p></body></html>".encode(), "application/xhtml+xml", ""),
        (f"<?xml version='1.0' encoding='latin-1'?><html><body><p>{SAID}".encode(), "application/xhtml+xml", "utf-8"),
    ],
)
def test_letters_arrive_as_they_were_written(content: bytes, type: str, charset: str) -> None:
    assert read(content, type, charset)["text"] == SAID


def test_bytes_that_are_no_letters_are_no_harm() -> None:
    text = read(bytes(range(256)) * 50, "text/plain")["text"]
    assert "\x00" not in text
    assert text


@pytest.mark.parametrize(
    "content",
    ["", "   ", "<html></html>", "<script>alert(1)</script>", "\x00\x01", "<div>" * 100_000, "<!--" + "x" * 100_000],
    ids=["empty", "blank", "bare", "script", "control", "deep", "comment"],
)
def test_what_says_nothing_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="unreadable"):
        read(content.encode())


def test_a_title_is_one_line_and_may_be_a_heading() -> None:
    words = "Dairies buy valves of Acme. " * 20
    assert read(f"<title> Acme —\n figures </title><p>{words}".encode())["title"] == "Acme — figures"
    assert read(f"<body><h1>Acme</h1><p>{words}".encode())["title"] == "Acme"
    assert len(read(f"<title>{'x' * 1_000}</title><p>{words}".encode())["title"]) == article.MOST_TITLE


def test_a_page_without_an_article_is_read_whole() -> None:
    cells = "".join(f"<li><a href='/{n}'>Valve {n}</a></li>" for n in range(20))
    assert "Valve 19" in read(f"<div><ul>{cells}</ul></div>".encode())["text"]
