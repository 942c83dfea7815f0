"""HTML of ours to another format, by a pandoc that can neither read files nor reach the network."""

import subprocess
from html import escape
from pathlib import Path

import pypandoc

from generation.exports.labels import labels
from generation.manuscripts import Manuscript

PANDOC = Path(pypandoc.__file__).parent / "files" / "pandoc"  # the wheel's, whatever else lies on the machine
# What is text stays text: no raw HTML, no TeX.
READER = "html-raw_html-raw_tex-tex_math_dollars-smart"
ALWAYS = ("--output=-", "--shift-heading-level-by=-1", "--syntax-highlighting=none")


def convert(document: str, to: str, *options: str) -> bytes:
    """A chapter is an `h2` here and a first level there. Raises ValueError, with what pandoc says."""
    command = [str(PANDOC), "--sandbox", f"--from={READER}", f"--to={to}", *ALWAYS, *options]
    done = subprocess.run(command, input=document.encode(), capture_output=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace")[:500])
    return done.stdout


def document(manuscript: Manuscript, body: str, **metadata: str) -> str:
    """A whole HTML document: pandoc takes title, language and the rest from its head."""
    known = {
        "description": manuscript.description,
        "subtitle": manuscript.description,
        "toc-title": labels(manuscript.language).contents,
        **metadata,
    }
    pairs = [
        *((name, text) for name, text in known.items() if text),
        *(("author", name) for name in manuscript.authors),
    ]
    head = "\n".join(f'<meta name="{name}" content="{escape(text)}">' for name, text in pairs)
    title, language = escape(manuscript.title), escape(manuscript.language)
    return f'<html lang="{language}"><head><title>{title}</title>\n{head}</head>\n<body>\n{body}</body></html>'
