"""HTML: one file that needs nothing else, runs nothing, loads nothing; for the screen, the phone, the dark, paper."""

from base64 import b64encode
from html import escape
from pathlib import Path

from generation.exports.article import Article, plain
from generation.exports.labels import labels
from generation.manuscripts import Heading, Manuscript

STYLE = (Path(__file__).parent / "export.css").read_text()
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
LISTED_LEVELS = 2


def write(manuscript: Manuscript) -> bytes:
    article = Article(labels(manuscript.language), embedded)
    authors = escape(", ".join(manuscript.authors))
    return f"""<!doctype html>
<html lang="{escape(manuscript.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(manuscript.title)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(manuscript.title)}</h1>
{f'<p class="authors">{authors}</p>' if authors else ""}
{plain(manuscript.description)}
</header>
{contents(manuscript)}
<main>
{article.body(manuscript)}</main>
</body>
</html>
""".encode()


def embedded(_: int, svg: str) -> str:
    return f'src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"'


def contents(manuscript: Manuscript) -> str:
    """Where there are several chapters to choose from."""
    headings = [block for block in manuscript.blocks if isinstance(block, Heading)]
    if sum(heading.level <= 1 for heading in headings) < 2:
        return ""
    lines = "\n".join(
        f'<li class="level-{max(1, heading.level)}"><a href="#section-{n}">{escape(heading.text)}</a></li>'
        for n, heading in enumerate(headings, 1)
        if heading.level <= LISTED_LEVELS
    )
    title = escape(labels(manuscript.language).contents)
    return f'<nav aria-labelledby="contents"><h2 id="contents">{title}</h2>\n<ul>\n{lines}\n</ul></nav>'
