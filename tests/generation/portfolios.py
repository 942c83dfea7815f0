"""A small portfolio as people have it."""

from html import unescape
from typing import Any

from generation import documents
from generation.models import Document
from generation.recipes.use_case_list.schema import default_axes
from memory.history import By
from memory.models import User
from tests.people import People


def scores(axes: list[dict[str, Any]], rating: int) -> list[dict[str, Any]]:
    return [{"axis": axis["id"], "rating": rating, "justification": "So."} for axis in axes]


CASES = (("Plan the rounds", 55, 13), ("Foresee the weekend", 89, 89), ("Unrated", None, None))


class Portfolio:
    """Three cases: a good one, one that is hard, one that nobody rated; and their summary."""

    def __init__(self, people: People) -> None:
        self.people = people
        value, complexity = default_axes("en")
        home = {"user": people.owner, "workspace": people.workspace}
        axes = {"value_axes": value, "complexity_axes": complexity}
        self.document = documents.create("use_case_list", "Harbour 2028", axes, **home)  # type: ignore[arg-type]
        self.cases = [
            documents.create(
                "use_case",
                title,
                {
                    "description": f"About {title}.",
                    **(
                        {"value_scores": scores(value, good), "complexity_scores": scores(complexity, hard)}
                        if good is not None and hard is not None
                        else {}
                    ),
                },
                parent=self.document,
                **home,  # type: ignore[arg-type]
            )
            for title, good, hard in CASES
        ]
        fields = {"portfolio": str(self.document.id), "introduction": "Why.", "references": None}
        self.summary = documents.create("executive_summary", "In short", fields, parent=self.document, **home)  # type: ignore[arg-type]

    def page(self, document: Document, user: User | None = None) -> str:
        answer = self.people.client(user or self.people.teammate).get(f"/documents/{document.id}/")
        assert answer.status_code == 200
        return unescape(answer.content.decode())

    def moving(self, case: Document) -> str:
        return f"/documents/{self.document.id}/cases/{case.id}/move/"

    def edit(self, document: Document, **values: Any) -> None:
        paths = {name.replace("__", "/"): value for name, value in values.items()}
        documents.edit(Document.whole().get(id=document.id), paths, By.person(self.people.owner))
