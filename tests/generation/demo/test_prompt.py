"""What is read out of a prompt."""

import pytest

from generation.demo import prompt
from generation.demo.prompt import Count
from tests.generation.demo.conftest import BRIEF


def test_topics_are_phrases_of_the_text_in_order() -> None:
    topics = prompt.read(BRIEF).topics
    assert [topics.index(phrase) for phrase in ("les boucles", "la boucle for", "les erreurs fréquentes")] == sorted(
        topics.index(phrase) for phrase in ("les boucles", "la boucle for", "les erreurs fréquentes")
    )
    assert "parties" not in topics


def test_the_marks_around_a_text_are_not_what_it_is_about() -> None:
    assert prompt.read(f"<brief>\n{BRIEF}\n</brief>").topics == prompt.read(BRIEF).topics


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BRIEF, "fr"),
        ("The work of lighthouse keepers", "en"),
        ("😀😀😀 the tides 😀", "en"),
        ("Les marées, in English please", "en"),
        ("Language: fr\nTides", "fr"),
        ("12345", "en"),
    ],
)
def test_the_language_is_that_of_the_text_or_the_one_asked_for(text: str, code: str) -> None:
    assert prompt.read(text).language.code == code


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("about 200 words", 200),
        ("environ 1 500 mots", 1500),
        ("1,500 words", 1500),
        ("60–100 mots", 80),
        ("between 40 to 60 words", 50),
        ("9999999999 words", 20_000),
        ("two pages", None),
    ],
)
def test_a_length_is_read(text: str, words: int | None) -> None:
    assert prompt.length(text) == words


def test_numbers_are_read_with_their_nouns() -> None:
    counts = prompt.read("Quatre parties et 6 exercices en 3 semaines, 30 000 habitants").counts
    assert counts[:2] == (Count(4, ("parties",)), Count(6, ("exercices",)))
    assert counts[2] == Count(3, ())


def test_a_prompt_that_says_nothing_still_has_topics() -> None:
    assert prompt.read("").topics
    assert prompt.read("Continue", ["Les phares de Bretagne"]).topics[-1] == "les phares de Bretagne"


def test_of_instructions_only_the_length_counts() -> None:
    brief = prompt.read("Les phares de Bretagne", instructions="You write lessons, 200 to 400 words each.")
    assert brief.words == 300
    assert brief.topics == prompt.read("Les phares de Bretagne").topics
    assert prompt.read("In about 50 words.", instructions="200 to 400 words").words == 50


def test_what_a_prompt_enumerates_is_read_as_its_items() -> None:
    said = "Quatre parties : pourquoi répéter, la boucle for, la boucle while, les erreurs fréquentes.\nUn schéma."
    brief = prompt.read(said)
    assert brief.listed(4) == ("Pourquoi répéter", "La boucle for", "La boucle while", "Les erreurs fréquentes")
    assert brief.listed(3) == ()


@pytest.mark.parametrize(("said", "value"), [("Niveau détaillé", "detailed"), ("a flash course", "flash")])
def test_a_choice_is_the_one_that_the_prompt_names(said: str, value: str) -> None:
    brief = prompt.read(f"<brief>{said}</brief>")
    assert [each for each in ("flash", "standard", "detailed") if brief.mentions(each)] == [value]
