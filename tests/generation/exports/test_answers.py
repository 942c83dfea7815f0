"""Without the answers nobody finds them, wherever he looks; with them they stand apart from the questions."""

import re

import pytest

from generation.exports import FORMATS, export
from tests.generation.exports.corpus import flipped
from tests.generation.exports.course import COURSE
from tests.generation.exports.readers import course, words

SECRETS = (
    "n’est pas unique",
    "ne change pas",
    "LEFT JOIN",
    "ORDER BY",
    "Elle manque ou",
    'is_correct": true',
    "Corrigé",
)


@pytest.mark.parametrize("format", FORMATS)
def test_no_answer_is_found_in_a_file_without_them(format: str) -> None:
    text = " ".join(words(format, course(format, answers=False)).split())
    assert [secret for secret in SECRETS if secret in text] == []
    assert "À quoi sert une clé" in text


@pytest.mark.parametrize("format", FORMATS)
def test_whatever_is_right_the_file_without_answers_is_the_same(format: str) -> None:
    other = export(flipped(COURSE), format, answers=False)
    assert other.content == course(format, answers=False)
    assert export(flipped(COURSE), format, answers=True).content != course(format)


@pytest.mark.parametrize("format", sorted(FORMATS.keys() - {"json"}))
def test_the_key_follows_the_last_question_of_its_exercise(format: str) -> None:
    text = re.sub(r"<[^>]*>|\s+", " ", words(format, course(format)))
    text = " ".join(text.split())
    exercise = text[text.index("À quoi sert une clé") :]
    assert exercise.index("N’importe quoi") < exercise.index("Corrigé") < exercise.index("Elle manque ou")
    assert re.search(r"A, B", exercise)


def test_the_data_of_the_api_loses_its_answers_at_any_depth() -> None:
    assert b'is_correct": true' in course("json")
    assert b"n\xe2\x80\x99est pas unique" not in course("json", answers=False)
    assert b"Elle identifie chaque ligne" in course("json", answers=False)
