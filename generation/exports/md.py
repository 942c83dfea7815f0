"""Markdown, the reference form: readable as it stands, on GitHub too. Figures keep their code, which GitHub draws."""

from typing import assert_never

from generation.exports.answers import has_answers
from generation.exports.labels import Labels, labels
from generation.exports.neutral import fence, item, line, plain, prose, quote
from generation.exports.outline import Placed, is_of_numbers, letter, outline, right_letters
from generation.manuscripts import Exercise, Figure, Heading, Manuscript, Notice, Prose, Question, Table

DEEPEST = 6


def write(manuscript: Manuscript) -> bytes:
    words = labels(manuscript.language)
    authors = line(", ".join(manuscript.authors))
    parts = [
        f"# {line(manuscript.title)}",
        f"*{authors}*" if authors else "",
        plain(manuscript.description),
        *(block(placed, words) for placed in outline(manuscript)),
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def block(placed: Placed, words: Labels) -> str:
    match placed.block:
        case Heading(text=text):
            return heading(placed.level, text)
        case Prose(markdown=markdown):
            return prose(markdown, placed.level + 2)
        case Figure() as diagram:
            return figure(diagram, placed.n, words)
        case Notice(text=text):
            return notice(text)
        case Exercise() as one:
            return exercise(one, placed, words)
        case Table() as full:
            return table(full.on_a_page(), words)
        case unknown:
            assert_never(unknown)


def heading(level: int, text: str) -> str:
    return f"{'#' * min(level + 1, DEEPEST)} {line(text)}"


def notice(text: str) -> str:
    return quote(f"⚠ **{line(text)}**")


def figure(diagram: Figure, n: int, words: Labels) -> str:
    label = "" if diagram.svg else f"{notice(words.missing)}\n\n"
    caption = line(words.numbered(words.figure, n, diagram.caption))
    return f"{label}{fence(diagram.code, diagram.type)}\n\n*{caption}*"


def table(shown: Table, words: Labels) -> str:
    rules = ["---:" if is_of_numbers(shown, n) else "---" for n in range(len(shown.columns))]
    cells = [[line(words.cell(each)) for each in row] for row in shown.rows]
    rows = [[line(column.name) for column in shown.columns], rules, *cells]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def exercise(one: Exercise, placed: Placed, words: Labels) -> str:
    parts = [
        heading(placed.level + 1, words.numbered(words.exercise, placed.n, one.topic)),
        *(item(f"{n}.", question(each, words)) for n, each in enumerate(one.questions, 1)),
    ]
    if has_answers(one):
        parts.append(heading(placed.level + 2, words.answers))
        parts += [item(f"{n}.", answer(each, words)) for n, each in enumerate(one.questions, 1)]
    return "\n\n".join(parts)


def question(asked: Question, words: Labels) -> str:
    choices = "\n".join(f"- [ ] **{letter(n)}.** {line(choice.text)}" for n, choice in enumerate(asked.choices))
    hint = f"*{words.several}*" if asked.is_multiple else ""
    return "\n\n".join(part for part in (plain(asked.text), hint, choices) if part)


def answer(asked: Question, words: Labels) -> str:
    letters = right_letters(asked)
    parts = (f"**{letters}**" if letters else "", plain(asked.expected), prose(asked.explanation, DEEPEST))
    return "\n\n".join(part for part in parts if part) or words.no_answer
