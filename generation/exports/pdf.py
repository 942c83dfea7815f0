"""PDF: set by Typst, from what pandoc makes of the article. All text arrives escaped; `book.typ` is the only code."""

from pathlib import Path

from generation.exports import typesetting
from generation.exports.article import Article
from generation.exports.labels import labels
from generation.exports.pandoc import convert, document
from generation.manuscripts import Manuscript

BOOK = (Path(__file__).parent / "book.typ").read_text()
NOTICE = (
    'data-typst:stroke="(left: 1.5pt + ochre)" data-typst:inset="(left: 10pt, y: 4pt)" data-typst:text:fill="ochre"'
)
KEY = 'data-typst:stroke="(left: 0.5pt + soft)" data-typst:inset="(left: 10pt)"'
COARSE = 20  # pixels per inch, to see whether it can be drawn at all


def write(manuscript: Manuscript) -> bytes:
    folder = Path.cwd()  # the child's own

    def picture(n: int, svg: str) -> str:
        (folder / f"figure-{n}.svg").write_text(svg)
        return f'src="figure-{n}.svg"'

    drawable, _ = typesetting.draw(manuscript, folder, COARSE)
    body = Article(labels(manuscript.language), picture, notice=NOTICE, key=KEY).body(drawable)
    text = convert(document(manuscript, body), "typst-smart").decode()  # quotes stay as they were written
    facts = {
        "title": manuscript.title,
        "description": manuscript.description,
        "authors": manuscript.authors,
        "language": manuscript.language,
        "contents": labels(manuscript.language).contents,
    }
    return typesetting.pdf(f"{BOOK}\n{text}", folder, facts)
