"""Each type draws what models write, says precisely why it cannot, and costs no more than one drawing when it hangs."""

import asyncio
import json
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest

from generation.diagrams import rendering, table
from generation.diagrams.rendering import render, tidy
from memory.base.errors import ToolFailed
from tests.generation.diagrams.gallery import EVERYTHING, FLOW, GRAPHVIZ, MERMAID, PLANTUML, VEGALITE
from tests.patience import PATIENCE_SECONDS

SVG = "{http://www.w3.org/2000/svg}"
HERE = table.available()


@pytest.fixture(autouse=True, scope="module")
def _no_easel_is_left() -> Iterator[None]:
    yield
    rendering.easels.close()


def said(svg: str) -> str:
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())  # noqa: S314


def refused(type: str, code: str) -> ToolFailed:
    with pytest.raises(ToolFailed) as failed:
        render(type, code)
    return failed.value


def test_what_comes_with_wheels_is_always_there() -> None:
    assert set(HERE) >= {"mermaid", "vegalite"}


@pytest.mark.parametrize(("type", "code"), [each[::2] for each in EVERYTHING if each[0] in ("mermaid", "vegalite")])
def test_what_a_model_writes_is_drawn(type: str, code: str) -> None:
    root = ElementTree.fromstring(render(type, code))  # noqa: S314
    assert root.tag == f"{SVG}svg"
    left, top, width, height = (float(each) for each in root.attrib["viewBox"].split())
    assert width <= int(root.attrib["width"]) < width + 1
    assert height <= int(root.attrib["height"]) < height + 1
    assert not list(root.iter(f"{SVG}foreignObject"))


def test_accents_emoji_and_wrapped_labels_survive() -> None:
    text = said(render("mermaid", FLOW))
    assert "Début du cours" in text
    assert "As-tu déjà programmé ?" in text
    assert "Chapitre 2 : les boucles et tout ce qu'elles permettent de répéter 🎉" in text
    assert "Élèves par mois 🎓" in said(render("vegalite", VEGALITE["bars"]))


def test_words_of_html_stay_apart_and_rows_of_a_class_stay_rows() -> None:
    svg = render("mermaid", MERMAID["classes"])
    assert ">+String nom<" in svg
    assert ">+int âge<" in svg


def test_a_larger_graph_is_drawn() -> None:
    nodes = "\n".join(f" n{i}[Étape {i} 🎉] --> n{i // 2}" for i in range(1, 50))
    assert "Étape 49 🎉" in said(render("mermaid", f"flowchart TD\n{nodes}"))


@pytest.mark.parametrize(
    "code",
    [
        "```mermaid\ngraph TD\nA-->B\n```",
        "~~~\ngraph TD\nA-->B\n~~~",
        "mermaid\ngraph TD\nA-->B",
        "```\nmermaid\ngraph TD\nA-->B  \n```\n",
    ],
)
def test_what_models_wrap_code_in_is_taken_off(code: str) -> None:
    assert tidy("mermaid", code) == "graph TD\nA-->B"


def test_code_in_which_fences_mean_something_is_left_alone() -> None:
    assert tidy("graphviz", "digraph { a }") == "digraph { a }"


@pytest.mark.parametrize(
    ("type", "code", "words"),
    [
        ("mermaid", "graph TD\nA[open --> B", "line 3"),
        ("mermaid", "hello there", "No diagram type"),
        (
            "mermaid",
            f"graph TD\n{' & '.join(f'a{n}' for n in range(23))} --> {' & '.join(f'b{n}' for n in range(23))}",
            "limit is 500",
        ),
        ("mermaid", " \n", "no code"),
        ("vegalite", '{"mark": "bar",\n "data": }', "line 2"),
        ("vegalite", '{"data": {"values": []}}', "at least one of"),
        ("vegalite", '{"mark": "banana"}', "no mark banana"),
        ("vegalite", '{"mark": []}', "no mark"),
        ("vegalite", "[1]", "no object"),
        ("vegalite", "[" * 30_000, "nested"),
    ],
)
def test_a_model_learns_what_to_repair(type: str, code: str, words: str) -> None:
    failed = refused(type, code)
    assert failed.code == "tool.diagram_invalid"
    assert words in failed.params["because"]


def test_a_type_that_is_not_here_is_named_with_those_that_are() -> None:
    failed = refused("ditaa", "x")
    assert (failed.code, failed.params["allowed"]) == ("tool.diagram_type", list(HERE))


def test_mermaid_of_five_thousand_nodes_is_too_large() -> None:
    code = "flowchart TD\n" + "\n".join(f" n{i} --> n{i // 2}" for i in range(5_000))
    assert refused("mermaid", code).code == "tool.diagram_too_large"


def test_what_cannot_be_drawn_in_time_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    render("mermaid", "graph TD\nA-->B")
    monkeypatch.setattr(rendering, "SECONDS", 2)
    nodes = "\n".join(f" n{i}[Étape {i}] --> n{i * 7 % 300}" for i in range(1, 300))
    began = time.monotonic()
    assert refused("mermaid", f"flowchart TD\n{nodes}").code == "tool.diagram_timeout"
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert "<svg" in render("mermaid", "graph TD\nB-->C")


SLOW = {
    "data": {"sequence": {"start": 0, "stop": 3_000, "as": "x"}},
    "transform": [{"calculate": "length(sequence(3e5))", "as": "y"}],
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}
HUGE = {
    "data": {"sequence": {"start": 0, "stop": 5e8}},
    "mark": "point",
    "encoding": {"x": {"field": "data", "type": "quantitative"}},
}


async def test_a_chart_that_computes_for_a_minute_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the event loop nor the GIL: a child computes, not we."""
    monkeypatch.setattr(rendering, "SECONDS", 3)
    drawing = asyncio.create_task(asyncio.to_thread(refused, "vegalite", json.dumps(SLOW)))
    turns = 0
    while not drawing.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert (await drawing).code == "tool.diagram_timeout"
    assert turns > 50


def test_a_chart_that_takes_all_memory_dies_alone() -> None:
    assert refused("vegalite", json.dumps(HUGE)).code in ("tool.diagram_died", "tool.diagram_timeout")
    assert "<svg" in render("vegalite", VEGALITE["bars"])


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should ask, and who did."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a,b\n1,2\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x", asked
    server.shutdown()
    thread.join()
    server.server_close()


XY = {"x": {"field": "a"}, "y": {"field": "b"}}


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "$"}, "mark": "bar", "encoding": XY},
        {"data": {"values": [{"a": 1, "k": 1}]}, "mark": "bar", "encoding": XY,
         "transform": [{"lookup": "k", "from": {"data": {"url": "$"}, "key": "k", "fields": ["b"]}}]},
        {"layer": [{"data": {"url": "$"}, "mark": "line", "encoding": XY}]},
        {"data": {"values": [{"a": 1, "b": 2, "c": "$"}]}, "mark": "image",
         "encoding": {**XY, "url": {"field": "c"}}},
        {"data": {"values": [{"a": 1, "b": 2}]}, "mark": {"type": "image", "url": "$"}, "encoding": XY},
    ],
)  # fmt: skip
def test_a_chart_cannot_fetch_anything(spec: dict[str, object], canary: tuple[str, list[str]]) -> None:
    address, asked = canary
    failed = refused("vegalite", json.dumps(spec).replace("$", address))
    assert failed.code == "tool.diagram_invalid"
    assert asked == []


def test_a_chart_cannot_fetch_what_it_hides(canary: tuple[str, list[str]]) -> None:
    """Links of marks and fonts of the configuration pass the first look; neither is followed nor kept."""
    address, asked = canary
    spec = {"data": {"values": [{"a": 1, "b": 2}]}, "config": {"font": f"url({address})"}, "mark": "bar",
            "encoding": {**XY, "href": {"value": address}}}  # fmt: skip
    svg = render("vegalite", json.dumps(spec))
    assert address not in svg
    assert asked == []


@pytest.mark.parametrize(
    "code",
    [
        '%%{init: {"themeCSS": "* { fill: url($) }"}}%%\ngraph TD\nA-->B',
        "---\nconfig:\n  themeCSS: '* { background: url($) }'\n---\ngraph TD\nA-->B",
        'graph TD\nA["<img src=$ />"]-->B',
        'graph TD\nA@{ img: "$", label: "x" }',
        'graph TD\nA-->B\nclick A "$"',
        "graph TD\nA-->B\nstyle A fill:url($)",
        "graph TD\nA:::x-->B\nclassDef x fill:url($),background:url($)",
    ],
)
def test_a_graph_cannot_fetch_anything_nor_make_its_readers_do_it(code: str, canary: tuple[str, list[str]]) -> None:
    address, asked = canary
    with suppress(ToolFailed):
        assert address not in render("mermaid", code.replace("$", address))
    assert asked == []


def test_a_title_stays_of_a_front_matter() -> None:
    code = "---\ntitle: Écoute\nconfig:\n  theme: dark\n---\ngraph TD\nA-->B"
    assert "Écoute" in said(render("mermaid", code))


# --- programs of the machine


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nurses know the PATH they were hired with."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    rendering.easels.close()
    yield tmp_path
    rendering.easels.close()


def install(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


DRAWN = """cat > /dev/null
echo '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">'
echo '<svg xmlns="http://www.w3.org/2000/svg" width="80pt" height="40pt" viewBox="0 0 80 40"><title>'$0 $*'</title>'
echo '<script>alert(1)</script>'
echo '<text onclick="alert(1)">'$SERVER_NAME $PLANTUML_SECURITY_PROFILE'</text></svg>'"""


@pytest.mark.parametrize(("type", "name"), [("graphviz", "dot"), ("plantuml", "plantuml")])
class TestPrograms:
    """The far side is a script of ours, so that the way there is tested on a bare machine too."""

    def test_it_draws_and_is_sanitised(self, bin_folder: Path, type: str, name: str) -> None:
        install(bin_folder, name, DRAWN)
        assert type in table.available()
        svg = render(type, "a -> b")
        assert f"{name} " in said(svg)
        assert "svg" in said(svg)
        assert "alert" not in svg
        assert ("SANDBOX" if type == "plantuml" else "scriptorium") in said(svg)

    def test_its_complaint_reaches_the_author(self, bin_folder: Path, type: str, name: str) -> None:
        install(bin_folder, name, "cat > /dev/null; echo 'Error: <stdin>: syntax error in line 1 near x' >&2; exit 1")
        failed = refused(type, "a -> b")
        assert failed.code == "tool.diagram_invalid"
        assert "syntax error in line 1" in failed.params["because"]

    def test_it_is_killed_with_its_child(
        self, bin_folder: Path, type: str, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rendering, "SECONDS", 1)
        install(bin_folder, name, f"echo $$ > {bin_folder}/pid; sleep 3600")
        assert refused(type, "a -> b").code == "tool.diagram_timeout"
        pid = (bin_folder / "pid").read_text().strip()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while Path(f"/proc/{pid}/stat").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not Path(f"/proc/{pid}/stat").exists()

    def test_its_crash_costs_one_drawing(self, bin_folder: Path, type: str, name: str) -> None:
        install(bin_folder, name, "kill -SEGV $$")
        assert refused(type, "a -> b").code == "tool.diagram_invalid"

    def test_it_is_not_offered_where_it_is_missing(
        self, tmp_path: Path, type: str, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert type not in table.available()
        assert refused(type, "a -> b").code == "tool.diagram_type"


@pytest.mark.parametrize(
    "code",
    [
        "!include /etc/passwd",
        "a -> b\n  !includeurl http://127.0.0.1/x",
        "a -> b : %getenv(\"HOME\")",
        "/' hidden '/ !include /etc/passwd",
        "!in/''/clude /etc/passwd",
        "a -> b : <img:/etc/logo.png>",
        "@startditaa\nx\n@endditaa",
        "sprite $x /etc/x.png",
    ],
)  # fmt: skip
def test_plantuml_is_never_shown_what_reads_files(bin_folder: Path, code: str) -> None:
    install(bin_folder, "plantuml", f"touch {bin_folder}/asked; {DRAWN}")
    assert "not allowed" in refused("plantuml", code).params["because"]
    assert not (bin_folder / "asked").exists()


def test_plantuml_names_the_line_of_the_author(bin_folder: Path) -> None:
    """It counts the lines of our style, too."""
    install(
        bin_folder,
        "plantuml",
        "line=$(grep -n nonsense | cut -d: -f1); printf 'ERROR\\n%s\\nSyntax Error?\\n' $((line - 1)) >&2; exit 200",
    )
    assert "line 2: Syntax Error?" in refused("plantuml", "a -> b\nnonsense").params["because"]


@pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed: the fake above is all there is")
def test_the_real_graphviz() -> None:
    assert "à faire" in said(render("graphviz", GRAPHVIZ["tree"]))
    assert "line 1" in refused("graphviz", "digraph { a -> }").params["because"]


@pytest.mark.skipif(not shutil.which("plantuml"), reason="plantuml is not installed: the fake above is all there is")
def test_the_real_plantuml() -> None:
    for code in PLANTUML.values():
        assert "Élève" in said(render("plantuml", code))
    assert "line 3" in refused("plantuml", "a -> b\nb -> a\nfoo bar baz").params["because"]
