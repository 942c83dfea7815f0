"""Only a drawing passes for one."""

import pytest

from generation.exports.drawings import is_harmless
from tests.generation.exports.corpus import EVIL_SVG
from tests.generation.exports.course import TABLES_SVG, TREE_SVG


def svg(inner: str, attributes: str = "") -> str:
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {links} {attributes}>{inner}</svg>"


@pytest.mark.parametrize(
    "drawing",
    [
        TABLES_SVG,
        TREE_SVG,
        svg('<a href="https://example.org"><text>x</text></a><use xlink:href="#x"/>'),
        svg('<style>.a{fill:url(#grey)}</style><image href="data:image/png;base64,AA"/>'),
        '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd">' + svg(""),
    ],
)
def test_a_drawing_passes(drawing: str) -> None:
    assert is_harmless(drawing)


@pytest.mark.parametrize(
    "other",
    [
        EVIL_SVG,
        "",
        "<svg",
        "<html/>",
        svg("<script/>"),
        svg("", 'onload="x"'),
        svg('<image href="http://canary.invalid/x.png"/>'),
        svg('<image href="/etc/passwd"/>'),
        svg('<image href="data:image/svg+xml;base64,AA"/>'),
        svg('<use href="other.svg#x"/>'),
        svg('<a href="javascript:alert(1)"/>'),
        svg('<a xlink:href=" JavaScript:alert(1)"/>'),
        svg("<style>@import 'x.css'</style>"),
        svg("<style>a{fill:url( 'http://canary.invalid')}</style>"),
        svg('<rect style="fill:url(http://canary.invalid)"/>'),
        '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg("&x;"),
    ],
)
def test_anything_more_than_a_drawing_does_not(other: str) -> None:
    assert not is_harmless(other)
