"""The words an export adds, in the document's language, not the reader's."""

from dataclasses import dataclass

from generation.manuscripts import Cell


@dataclass(frozen=True)
class Labels:
    contents: str
    figure: str
    missing: str
    exercise: str
    several: str
    answers: str
    no_answer: str
    colon: str
    decimal: str

    def numbered(self, word: str, n: int, text: str) -> str:
        """`Figure 3: caption`, or `Figure 3` when there is nothing to say."""
        return f"{word}\xa0{n}{self.colon}{text.strip()}" if text.strip() else f"{word}\xa0{n}"

    def cell(self, value: Cell) -> str:
        """As a page says it: to one place, and a dash for what is not known."""
        if value is None:
            return "—"
        if isinstance(value, str):
            return value
        return f"{round(value, 1):g}".replace(".", self.decimal)


LABELS = {
    "en": Labels(
        contents="Contents",
        figure="Figure",
        missing="This diagram could not be drawn; here is its code.",
        exercise="Exercise",
        several="Several answers may be right.",
        answers="Answers",
        no_answer="No answer is given.",
        colon=": ",
        decimal=".",
    ),
    "fr": Labels(
        contents="Sommaire",
        figure="Figure",
        missing="Ce schéma n’a pas pu être dessiné\xa0; voici son code.",
        exercise="Exercice",
        several="Plusieurs réponses peuvent être justes.",
        answers="Corrigé",
        no_answer="Aucune réponse n’est donnée.",
        colon="\xa0: ",
        decimal=",",
    ),
}


def labels(language: str) -> Labels:
    return LABELS.get(language, LABELS["en"])
