"""DOCX: made by pandoc, dressed by reference.docx, whose styles are changed in a word processor.

A figure lies in it twice, as the drawing it is and in pixels for what cannot show one. The table of contents is Word's
own, and already filled: it can be followed before anybody updates it.
"""

import re
from base64 import b64encode
from html import escape
from pathlib import Path

from generation.exports import typesetting, zips
from generation.exports.article import Article
from generation.exports.labels import labels
from generation.exports.pandoc import convert, document
from generation.manuscripts import Figure, Heading, Manuscript

DRESS = Path(__file__).parent / "reference.docx"
LISTED_LEVELS = 2
OPTIONS = (f"--reference-doc={DRESS}", "--toc", f"--toc-depth={LISTED_LEVELS}")
PIXELS_PER_INCH, PIXELS_PER_INCH_OF_HTML = 192, 96

TEXT, RELATIONS, TYPES = "word/document.xml", "word/_rels/document.xml.rels", "[Content_Types].xml"
DRAWING = (
    '<a:blip r:embed="{pixels}"><a:extLst><a:ext uri="{{96DAC541-7B7A-43D3-8B79-37D633B846F1}}"><asvg:svgBlip '
    'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" r:embed="{drawing}" />'
    "</a:ext></a:extLst></a:blip>"
)
RELATION = (
    '<Relationship Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" '
    'Id="{drawing}" Target="media/{drawing}.svg" />'
)
TYPE = '<Default Extension="svg" ContentType="image/svg+xml" />'
ENTRY = (
    '<w:p><w:pPr><w:pStyle w:val="TOC{level}" /></w:pPr><w:hyperlink w:anchor="section-{n}">'
    '<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:hyperlink></w:p>'
)
# The field as pandoc writes it, in one run: its beginning, marked as out of date, what it asks for, and its end.
CONTENTS = re.compile(r'(<w:fldChar w:fldCharType="begin") w:dirty="true"(.*?"separate" />)(<w:fldChar [^>]*"end" />)')


def write(manuscript: Manuscript) -> bytes:
    drawable, pixels = typesetting.draw(manuscript, Path.cwd(), PIXELS_PER_INCH)
    article = Article(labels(manuscript.language), lambda _, svg: picture(pixels[svg]), 'data-custom-style="Notice"')
    made = zips.parts(convert(document(manuscript, article.body(drawable)), "docx", *OPTIONS))
    made[TEXT] = fill_contents(made[TEXT].decode(), manuscript).encode()
    drawings = [block.svg for block in drawable.blocks if isinstance(block, Figure) and block.svg]
    return zips.pack(add_drawings(made, drawings))


def picture(pixels: bytes) -> str:
    width = int.from_bytes(pixels[16:20]) * PIXELS_PER_INCH_OF_HTML // PIXELS_PER_INCH
    return f'width="{max(1, width)}" src="data:image/png;base64,{b64encode(pixels).decode()}"'


def add_drawings(made: dict[str, bytes], drawings: list[str]) -> dict[str, bytes]:
    """Beside each picture, in their order, the drawing it was made from."""
    names = [f"drawing{n}" for n, _ in enumerate(drawings, 1)]
    waiting = iter(names)

    def both(match: re.Match[str]) -> str:
        return DRAWING.format(pixels=match[1], drawing=next(waiting))

    text = re.sub(r'<a:blip r:embed="(\w+)" />', both, made[TEXT].decode())
    text = re.sub(r'(<pic:cNvPr descr=")data:[^"]*', r"\1", text)  # pandoc repeats the whole picture there
    relations = "".join(RELATION.format(drawing=name) for name in names)
    return {
        **made,
        TEXT: text.encode(),
        RELATIONS: made[RELATIONS].replace(b"</Relationships>", f"{relations}</Relationships>".encode()),
        TYPES: made[TYPES].replace(b"</Types>", f"{TYPE}</Types>".encode()),
        **{f"word/media/{name}.svg": svg.encode() for name, svg in zip(names, drawings, strict=True)},
    }


def fill_contents(text: str, manuscript: Manuscript) -> str:
    """What pandoc leaves to Word's next update: the entries of the table of contents."""
    headings = [block for block in manuscript.blocks if isinstance(block, Heading)]
    listed = [(n, block) for n, block in enumerate(headings, 1) if block.level <= LISTED_LEVELS]
    entries = [ENTRY.format(level=max(1, block.level), n=n, text=escape(block.text)) for n, block in listed]
    filling = f"</w:r></w:p>{''.join(entries)}<w:p><w:r>"
    return CONTENTS.sub(lambda field: f"{field[1]}{field[2]}{filling}{field[3]}", text, count=1)
