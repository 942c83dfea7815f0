"""A small valid drawing in each notation that writes diagrams as text, with the prompt's phrases as labels."""

import json
import re
from collections.abc import Callable, Sequence


def named(text: str) -> str | None:
    """The notation a text speaks of, if any."""
    return next((name for name in NOTATIONS if re.search(rf"\b{name}\b", text, re.IGNORECASE)), None)


def draw(notation: str, labels: Sequence[str]) -> str:
    """The labels in a row, each leading to the next."""
    return NOTATIONS[notation]([re.sub(r"[^\w\s'’-]", " ", label) for label in labels])


def _mermaid(labels: Sequence[str]) -> str:
    nodes = [f'    n{index}["{label}"]' for index, label in enumerate(labels)]
    return "\n".join(["flowchart TD", *nodes, *(f"    n{i} --> n{i + 1}" for i in range(len(labels) - 1))])


def _plantuml(labels: Sequence[str]) -> str:
    return "\n".join(["@startuml", "start", *(f":{label};" for label in labels), "stop", "@enduml"])


def _graphviz(labels: Sequence[str]) -> str:
    nodes = [f'  n{index} [label="{label}"];' for index, label in enumerate(labels)]
    return "\n".join(["digraph {", *nodes, *(f"  n{i} -> n{i + 1};" for i in range(len(labels) - 1)), "}"])


def _vega_lite(labels: Sequence[str]) -> str:
    values = [{"label": label, "words": len(label)} for label in labels]
    encoding = {
        "x": {"field": "label", "type": "nominal", "title": None},
        "y": {"field": "words", "type": "quantitative", "title": None},
    }
    schema = "https://vega.github.io/schema/vega-lite/v5.json"
    chart = {"$schema": schema, "data": {"values": values}, "mark": "bar", "encoding": encoding}
    return json.dumps(chart, ensure_ascii=False)


NOTATIONS: dict[str, Callable[[Sequence[str]], str]] = {
    "mermaid": _mermaid,
    "plantuml": _plantuml,
    "graphviz": _graphviz,
    "dot": _graphviz,
    "vegalite": _vega_lite,
    "vega-lite": _vega_lite,
}
