"""The manuscript as HTML: the body that the HTML export, and pandoc for the others, is given.

Every text is escaped or goes through the house's Markdown renderer; what stands around it is ours. The title is not
part of it: a chapter is an `h2`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import assert_never

from generation.exports import neutral
from generation.exports.answers import has_answers
from generation.exports.labels import Labels
from generation.exports.outline import Placed, is_of_numbers, outline, right_letters
from generation.manuscripts import Cell, Exercise, Figure, Heading, Manuscript, Notice, Prose, Question, Table
from memory.base.markdown import render

DEEPEST = 6


@dataclass(frozen=True)
class Article:
    """`picture(n, svg)` gives the `src` of figure n; `notice` and `key` are attributes of labels and answer keys."""

    labels: Labels
    picture: Callable[[int, str], str]
    notice: str = 'class="notice" role="note"'
    key: str = 'class="answers"'

    def body(self, manuscript: Manuscript) -> str:
        return "\n".join(self.block(placed) for placed in outline(manuscript)) + "\n"

    def block(self, placed: Placed) -> str:
        match placed.block:
            case Heading(text=text):
                return heading(placed.level, text, f"section-{placed.n}")
            case Prose(markdown=markdown):
                return prose(markdown, placed.level + 1)
            case Figure() as figure:
                return self.figure(figure, placed.n)
            case Notice(text=text):
                return self.notes(text)
            case Exercise() as exercise:
                return self.exercise(exercise, placed)
            case Table() as table:
                return self.table(table.on_a_page())
            case unknown:
                assert_never(unknown)

    def notes(self, text: str) -> str:
        return f"<div {self.notice}>{plain(text)}</div>"

    def figure(self, figure: Figure, n: int) -> str:
        caption = escape(self.labels.numbered(self.labels.figure, n, figure.caption))
        if figure.svg:
            picture = f'<img {self.picture(n, figure.svg)} alt="{escape(figure.caption)}">'
            return f'<figure id="figure-{n}">{picture}<figcaption>{caption}</figcaption></figure>'
        code = f"<pre><code>{escape(figure.code.strip())}</code></pre>"
        return f"""{self.notes(self.labels.missing)}
<div class="missing" id="figure-{n}">{code}<p class="caption">{caption}</p></div>"""

    def table(self, table: Table) -> str:
        styles = [' style="text-align: right;"' if is_of_numbers(table, n) else "" for n in range(len(table.columns))]
        heads = "".join(
            f"<th{style}>{escape(column.name)}</th>" for style, column in zip(styles, table.columns, strict=True)
        )
        rows = "\n".join(f"<tr>{self.cells(row, styles)}</tr>" for row in table.rows)
        return f"<table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>"

    def cells(self, row: Iterable[Cell], styles: Iterable[str]) -> str:
        written = zip(styles, row, strict=True)
        return "".join(f"<td{style}>{escape(self.labels.cell(cell))}</td>" for style, cell in written)

    def exercise(self, exercise: Exercise, placed: Placed) -> str:
        title = self.labels.numbered(self.labels.exercise, placed.n, exercise.topic)
        return f"""<section class="exercise">
{heading(placed.level + 1, title, f"exercise-{placed.n}")}
{ordered(map(self.question, exercise.questions), 'class="questions"')}
{self.answers(exercise, placed) if has_answers(exercise) else ""}
</section>"""

    def question(self, question: Question) -> str:
        hint = f'<p class="hint"><em>{escape(self.labels.several)}</em></p>' if question.is_multiple else ""
        choices = ordered((escape(choice.text) for choice in question.choices), 'type="A"') if question.choices else ""
        return f"{plain(question.text)}{hint}{choices}"

    def answers(self, exercise: Exercise, placed: Placed) -> str:
        return f"""<section {self.key}>
{heading(placed.level + 2, self.labels.answers, f"answers-{placed.n}")}
{ordered(map(self.answer, exercise.questions), 'class="questions"')}
</section>"""

    def answer(self, question: Question) -> str:
        letters = right_letters(question)
        given = [
            f"<p><strong>{letters}</strong></p>" if letters else "",
            plain(question.expected),
            prose(question.explanation, DEEPEST),
        ]
        return "".join(given) or f"<p>{escape(self.labels.no_answer)}</p>"


def heading(level: int, text: str, anchor: str) -> str:
    tag = f"h{min(level + 1, DEEPEST)}"
    return f'<{tag} id="{anchor}">{escape(text)}</{tag}>'


def prose(markdown: str, level: int) -> str:
    # Typst breaks off at a formula that pandoc cannot translate well: in exports they stay as they were written.
    return render(neutral.prose(markdown, level + 1), draws_formulas=False)


def plain(text: str) -> str:
    """Plain text with its paragraphs and its lines."""
    paragraphs = (each.strip() for each in re.split(r"\n\s*\n", text))
    return "".join(f"<p>{escape(each).replace(chr(10), '<br>')}</p>" for each in paragraphs if each)


def ordered(items: Iterable[str], attributes: str) -> str:
    lines = "\n".join(f"<li>{item}</li>" for item in items)
    return f"<ol {attributes}>\n{lines}\n</ol>"
