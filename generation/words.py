"""Words that stand in documents themselves: in the document's language, whatever the reader's."""

WORDS: dict[str, dict[str, str]] = {
    "fallback": {
        "en": "Fallback: this could not be written; here is what it was meant to say.",
        "fr": "Version de secours : ceci n’a pas pu être écrit ; voici ce que cela devait dire.",
    },
    "missing": {"en": "Not written.", "fr": "Non écrit."},
    "exercises": {"en": "Exercises", "fr": "Exercices"},
    "evaluation": {"en": "Evaluation", "fr": "Évaluation"},
    "portfolio": {"en": "Use cases of {of}", "fr": "Cas d’usage de {of}"},
    "summary": {"en": "Summary: {of}", "fr": "Synthèse : {of}"},
    "minutes": {"en": "Time limit: {n} minutes", "fr": "Durée : {n} minutes"},
}


def words(name: str, language: str, **values: object) -> str:
    """The words of this name; English for a language we have none in."""
    said = WORDS[name]
    return said.get(language, said["en"]).format(**values)
