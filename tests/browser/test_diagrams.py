"""In a real browser nothing of a drawing runs, as a picture or opened on its own, and everything of it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from generation.diagrams import rendering
from generation.diagrams.svg import sanitise
from memory.base.errors import ToolFailed
from tests.generation.diagrams.gallery import FLOW
from tests.generation.diagrams.test_svg import ATTACKS, HEAD

RUN = "window.__xss = 1"
MERMAID = [
    f"graph TD\nA-->B\nclick A \"javascript:{RUN}\"",
    f"graph TD\nA-->B\nclick A call {RUN}",
    f"graph TD\nA[\"<img src=x onerror='{RUN}'>\"]-->B",
    f"graph TD\nA[\"<script>{RUN}</script>\"]-->B[\"<svg onload='{RUN}'>\"]",
    f"graph TD\nA[\"<iframe srcdoc='&lt;script>top.{RUN}&lt;/script>'>\"]",
    # CVE-2025-54881: labels of sequence diagrams with a formula
    f"sequenceDiagram\nparticipant A as Alice<img src=x onerror=\"{RUN}\">$$\\alpha$$\nA->>A: hi",
    # CVE-2025-54880: icons of architecture diagrams
    f"architecture-beta\n group api(cloud)[API]\n service db(\"<img src=x onerror='{RUN}'>\")[Base] in api",
    # CVE-2026-41148 and -41149: CSS and HTML through classes and styles
    f"stateDiagram-v2\n classDef x fill:red;}}</style><script>{RUN}</script>\n A:::x",
    f"graph TD\nA-->B\nclassDef x color:red}}*{{background:url(javascript:{RUN})}}\nclass A x",
    f"%%{{init: {{'securityLevel': 'loose', 'htmlLabels': true}}}}%%\ngraph TD\nA[\"<b onclick='{RUN}'>x</b>\"]",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def easels() -> Iterator[None]:
    yield
    rendering.easels.close()


def drawn(code: str) -> str:
    try:
        return rendering.render("mermaid", code)
    except ToolFailed as failed:
        return f"<!-- {failed.code} -->"


def pages(browser: Browser, svg: str, folder: Path) -> Iterator[Page]:
    """The drawing opened on its own, and, as nobody should ever put it, inside a page of ours."""
    (folder / "own.svg").write_text(svg)
    (folder / "inside.html").write_text(f"<!doctype html><meta charset=utf-8>{svg}")
    for name in ("own.svg", "inside.html"):
        page = browser.new_page()
        visit(page, (folder / name).as_uri())
        yield page
        page.close()


def visit(page: Page, address: str) -> None:
    """Load, click on what can be clicked, and see that nothing else was loaded."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    for link in page.query_selector_all("a, [onclick]"):
        link.click(force=True)
    page.wait_for_timeout(50)
    assert set(asked) == {address}


@pytest.mark.parametrize("code", MERMAID)
def test_no_mermaid_of_an_attacker_runs(browser: Browser, tmp_path: Path, code: str) -> None:
    for page in pages(browser, drawn(code), tmp_path):
        assert page.evaluate("window.__xss") is None


def test_no_attack_of_a_renderer_runs(browser: Browser, tmp_path: Path) -> None:
    svg = sanitise(HEAD + "".join(ATTACKS).replace("attack()", RUN) + "</svg>")
    for page in pages(browser, svg, tmp_path):
        assert page.evaluate("window.__xss") is None


@pytest.mark.parametrize("ground", ["#fcfbf8", "#17181b"])
def test_a_drawing_shows_on_light_and_on_dark(browser: Browser, tmp_path: Path, ground: str) -> None:
    (tmp_path / "flow.svg").write_text(rendering.render("mermaid", FLOW))
    (tmp_path / "page.html").write_text(f"<body style='background:{ground}'><img src=flow.svg>")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    width, height, shown = page.evaluate("(i => [i.naturalWidth, i.naturalHeight, i.complete])(document.images[0])")
    assert shown
    assert min(width, height) > 300
    page.close()
