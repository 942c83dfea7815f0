"""Vega-Lite by vl-convert. It runs no code of the spec, and may load nothing: data stands in the spec itself."""

import json
import re
from collections.abc import Iterator
from typing import Any

import vl_convert

from generation.diagrams.theme import EDGE, FONT, INK, INK_SOFT, RULE, SERIES

AXIS = {"domainColor": EDGE, "gridColor": RULE, "labelColor": INK_SOFT, "tickColor": EDGE, "titleColor": INK}
CONFIG = {
    "background": None,
    "font": FONT,
    "axis": {**AXIS, "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "titlePadding": 10},
    "legend": {"labelColor": INK_SOFT, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 13},
    "title": {"color": INK, "fontSize": 15, "fontWeight": "bold", "anchor": "start", "offset": 14},
    "header": {"labelColor": INK_SOFT, "titleColor": INK},
    "view": {"stroke": None, "continuousWidth": 420, "continuousHeight": 260, "step": 36},
    "range": {"category": list(SERIES)},
    "mark": {"color": SERIES[0]},
    "line": {"strokeWidth": 2.5},
    "text": {"color": INK},
}
MARKS = {
    "arc", "area", "bar", "boxplot", "circle", "errorband", "errorbar", "geoshape", "line", "point", "rect", "rule",
    "square", "text", "tick", "trail",
}  # fmt: skip
# What stands around a message of Vega's: its wrapper's word, the stack of its JavaScript.
MESSAGE = re.compile(r"\A(?:Vega-Lite to SVG conversion failed:\s*)?(?:Error: )?(.*?)(?:\n    at |\Z)", re.DOTALL)


def render(code: str) -> str:
    try:
        spec = json.loads(code)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON, line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    if not isinstance(spec, dict):
        raise ValueError("the JSON is no object")
    look = spec.pop("config", {})
    for problem in problems(spec):
        raise ValueError(problem)
    try:
        return vl_convert.vegalite_to_svg(spec, config=merged(CONFIG, look), allowed_base_urls=[])
    except ValueError as error:
        message = MESSAGE.match(str(error))
        raise ValueError(message[1].strip() if message else str(error)) from None


def merged(ours: dict[str, Any], theirs: Any) -> dict[str, Any]:
    """Theirs wins, one level deep: a spec that sets the colour of its axes keeps our font for them."""
    theirs = theirs if isinstance(theirs, dict) else {}
    both = {
        name: {**value, **theirs[name]}
        for name, value in ours.items()
        if isinstance(value, dict) and isinstance(theirs.get(name), dict)
    }
    return {**ours, **theirs, **both}


def problems(value: Any, path: str = "$") -> Iterator[str]:
    """What would be loaded from somewhere, and marks that do not exist: Vega's own words for those help nobody."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from problems(item, f"{path}[{place}]")
    elif isinstance(value, dict):
        if isinstance(value.get("url"), str):
            yield f"{path}.url: nothing can be loaded here; put the data into data.values"
        mark = value["mark"].get("type") if isinstance(value.get("mark"), dict) else value.get("mark", "bar")
        if str(mark) not in MARKS:
            yield f"{path}.mark: there is no mark {mark} here; use one of {', '.join(sorted(MARKS))}"
        for name, item in value.items():
            if name not in ("values", "datasets"):  # rows are only text and numbers
                yield from problems(item, f"{path}.{name}")
