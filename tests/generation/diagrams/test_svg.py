"""Whatever a renderer may be brought to write, the picture runs nothing and points nowhere."""

import time
from xml.etree import ElementTree

import pytest

from generation.diagrams import css
from generation.diagrams.svg import ATTRIBUTES, ELEMENTS, MOST_PIXELS, sanitise

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 50">'
ATTACKS = [
    "<script>attack()</script>",
    "<script href='http://evil/attack.js'/>",
    "<g onload='attack()'/>",
    "<a href='javascript:attack()'><text>x</text></a>",
    "<a xlink:href='http://evil/attack'><text>x</text></a>",
    "<foreignObject width='9'><img xmlns='http://www.w3.org/1999/xhtml' src='attack'/></foreignObject>",
    "<image href='http://evil/attack.png'/>",
    "<image href='data:image/svg+xml;base64,attack'/>",
    "<use href='http://evil/attack.svg#a'/>",
    "<use xlink:href='data:image/svg+xml,attack#a'/>",
    "<rect fill='url(http://evil/attack)'/>",
    "<rect fill='url( \"//evil/attack#a\" )'/>",
    "<rect fill='url&#40;http://evil/attack)'/>",
    "<rect style='fill:u\\72l(http://evil/attack)'/>",
    "<rect style='fill:ur/**/l(http://evil/attack)'/>",
    "<rect style='background:url(attack)'/>",
    "<rect style='fill:image-set(\"attack\" 1x)'/>",
    "<rect style='behavior:attack'/>",
    "<style>@import 'http://evil/attack.css'; rect{fill:red}</style>",
    "<style>@import url(http://evil/attack.css);</style>",
    "<style>@font-face{font-family:a;src:url(http://evil/attack)}</style>",
    "<style>rect{background:url(http://evil/attack)}</style>",
    "<style>rect{fill:URL(http://evil/attack)}</style>",
    "<style>rect{fill:red}<script>attack()</script></style>",
    "<style>&lt;/style>&lt;script>attack()&lt;/script></style>",
    "<style><![CDATA[</style><script>attack()</script>]]></style>",
    "<set attributeName='href' to='javascript:attack()'/>",
    "<animate attributeName='href' values='javascript:attack()'/>",
    "<handler xmlns='http://www.w3.org/2001/xml-events'>attack()</handler>",
    "<iframe xmlns='http://www.w3.org/1999/xhtml' src='javascript:attack()'/>",
    "<html:script xmlns:html='http://www.w3.org/1999/xhtml'>attack()</html:script>",
    "<feImage href='http://evil/attack'/>",
    "<metadata>attack</metadata>",
    "<g data-x='attack' xml:base='http://evil/attack'/>",
    "<!-- attack --><?xml-stylesheet href='attack'?>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_leaves_nothing_behind(attack: str) -> None:
    svg = sanitise(f"{HEAD}<rect width='5'/>{attack}<circle r='1'/></svg>")
    assert "attack" not in svg
    assert "evil" not in svg
    assert "circle" in svg
    for element in ElementTree.fromstring(svg).iter():  # noqa: S314
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES | {"href"}


@pytest.mark.parametrize(
    "svg",
    [
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + HEAD + "<text>&b;</text></svg>",
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + HEAD + "<text>&a;</text></svg>",
        '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://evil/x.dtd">%a;]>' + HEAD + "</svg>",
        HEAD + "<g>",
        "<html/>",
        "",
        HEAD.replace("100 50", "0 50") + "</svg>",
        HEAD.replace("100 50", f"{MOST_PIXELS + 1} 50") + "</svg>",
        HEAD.replace("100 50", "inf nan") + "</svg>",
        HEAD + "<g>" * 300 + "</g>" * 300 + "</svg>",
    ],
)
def test_what_cannot_be_trusted_or_shown_is_refused(svg: str) -> None:
    with pytest.raises(ValueError, match=r"entities|well-formed|no SVG|pixels|many"):
        sanitise(svg)


def test_it_stands_on_paper_of_its_own_with_a_size() -> None:
    root = ElementTree.fromstring(sanitise(HEAD + "<text>été 🎉</text></svg>"))  # noqa: S314
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == ("-12 -12 124 74", "124", "74")
    assert root[0].get("style") == "fill:#fcfbf8;stroke:none"
    assert root[1].text == "été 🎉"


def test_what_is_inside_a_link_stays() -> None:
    svg = sanitise(f"{HEAD}<a href='http://evil'><a><text>kept</text></a><text>too</text></a></svg>")
    assert ">kept<" in svg
    assert ">too<" in svg


def test_what_draws_stays() -> None:
    kept = ['marker-end="url(#arrow)"', 'fill="rgba(0, 0, 0, 0.5)"', 'href="#shape"', 'transform="translate(1,2)"']
    svg = sanitise(f"{HEAD}<use {' '.join(kept)}/></svg>")
    assert [each for each in kept if each not in svg] == []


def test_a_sheet_keeps_paint_and_nothing_else() -> None:
    sheet = "@keyframes a{from{fill:red}} .x > p, #y{fill:#fff!important;position:fixed;stroke:url(#a)} z{} {fill:red}"
    assert css.sheet(sheet) == "from{fill:red}.x > p, #y{fill:#fff!important;stroke:url(#a)}"


@pytest.mark.parametrize("text", ["{" * 200_000, "a" * 200_000, "/*" * 100_000, "a{b:c;" * 50_000, "(" * 200_000])
def test_a_long_sheet_takes_no_time(text: str) -> None:
    began = time.process_time()
    css.sheet(text)
    css.is_harmless(text)
    assert time.process_time() - began < 20  # what backtracks takes hours
