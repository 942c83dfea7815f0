"""Typst, held to the fonts we bring and to the folder it is given: neither the machine's files nor the network."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import noto_cjk_sans_otc
import orjson
import typst

from generation.exports.outline import outline
from generation.manuscripts import Figure, Manuscript

# The wheel of Typst has serif and mono. East Asian words come in a wheel of their own, emoji (in ink, as on paper) from
# Noto Emoji 3.005, the TrueType form of @fontsource/noto-emoji 5.2.11; its licence lies beside it.
FOLDERS = [Path(__file__).parent / "fonts", Path(noto_cjk_sans_otc.__file__).parent]
FONTS = typst.Fonts(include_system_fonts=False, font_paths=FOLDERS)
LONG_AGO = 0  # no export tells when it was made

# As large as it was drawn, within a page.
DRAWING = """
#set page(width: auto, height: auto, margin: 0pt)
#context {
  let drawn = measure(image("drawing.svg"))
  let scale = calc.min(1, 16cm / drawn.width, 22cm / drawn.height)
  image("drawing.svg", width: drawn.width * scale)
}
"""


def pdf(source: str, folder: Path, facts: Mapping[str, object]) -> bytes:
    """`facts` reach the source as data, never as code. Raises ValueError, with what Typst says."""
    (folder / "book.typ").write_text(source)
    inputs = {"facts": orjson.dumps(facts).decode()}
    try:
        return typst.compile(
            str(folder / "book.typ"),
            root=str(folder),
            font_paths=FONTS,
            format="pdf",
            sys_inputs=inputs,
            timestamp=LONG_AGO,
        )
    except typst.TypstError as error:
        raise ValueError(error.message) from error


def draw(manuscript: Manuscript, folder: Path, pixels_per_inch: float) -> tuple[Manuscript, dict[str, bytes]]:
    """All figures in pixels, by their SVG, and the manuscript without those that cannot be drawn.

    One such figure must not cost the whole document.
    """
    figures = [placed.block for placed in outline(manuscript) if isinstance(placed.block, Figure)]
    pixels = {figure.svg: png(figure.svg, folder, pixels_per_inch) for figure in figures if figure.svg}
    drawn = {svg: picture for svg, picture in pixels.items() if picture}
    blocks = tuple(
        replace(block, svg=None) if isinstance(block, Figure) and block.svg not in drawn else block
        for block in manuscript.blocks
    )
    return replace(manuscript, blocks=blocks), drawn


def png(svg: str, folder: Path, pixels_per_inch: float) -> bytes | None:
    """The drawing in pixels; None when it cannot be drawn."""
    (folder / "drawing.svg").write_text(svg)
    (folder / "drawing.typ").write_text(DRAWING)
    try:
        return typst.compile(
            str(folder / "drawing.typ"), root=str(folder), font_paths=FONTS, format="png", ppi=pixels_per_inch
        )
    except typst.TypstError:
        return None
