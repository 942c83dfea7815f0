"""What strangers may have written, on every page that shows it: nothing of it runs, nothing is loaded, no policy is
broken, and it can still be read as the text it is.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.gallery import Furnisher
from tests.chaos.stack import Stack
from tests.generation.exports.corpus import ALL, PAYLOADS

LINES = [each.replace("\n", " ") for each in PAYLOADS]
MERMAID = 'graph TD\nA["<img src=x onerror=\'window.__xss=1\'>"]-->B\nclick A "javascript:window.__xss=1"'
PREVIEW = "preview"


class Poisoner(Furnisher):
    """Puts a payload into every field of a course."""

    def __init__(self, house: Stack) -> None:
        super().__init__(house)
        self.lines = cycle(LINES)

    def add(self, document: str, type: str, parent: str | None, **fields: Any) -> str:
        made = self.post(f"documents/{document}/sections", type=type, parent=parent, fields=fields)
        return str(made["id"])

    def line(self) -> str:
        return next(self.lines)[:100]

    def question(self) -> dict[str, Any]:
        answers = [{"text": self.line(), "is_correct": True}, {"text": self.line()}]
        return {"text": self.line(), "answers": answers, "explanation": self.line()}

    def course(self, **options: Any) -> str:
        made = self.post("documents", kind="course", title=self.line(), fields={"description": ALL[:2_000]})
        document = str(made["id"])
        for _ in range(2):
            chapter = self.add(document, "chapter", None, title=self.line(), description=ALL[:1_000])
            lesson = self.add(document, "lesson", chapter)
            for _ in range(9):
                self.add(
                    document,
                    "part",
                    lesson,
                    title=self.line(),
                    content=ALL,
                    schema_description=self.line(),
                    diagram_type="mermaid",
                    diagram_code=MERMAID,
                )
            exercises = self.add(document, "exercises", chapter)
            open_question = {"text": self.line(), "expected": self.line()}
            questions = [self.question(), open_question]
            self.add(document, "exercise_block", exercises, topic=self.line(), questions=questions)
            self.add(document, "evaluation", chapter, questions=questions)
        return document


@pytest.fixture(scope="module")
def poisoned(whole_house: Stack) -> Iterator[dict[str, str]]:
    put = Poisoner(whole_house)
    with put.client:
        document = put.course()
        part, evaluation = put.section(document, "part"), put.section(document, "evaluation")
        put.client.patch(f"sections/{part}", json={"fields": {"content": ALL[::-1], "title": LINES[0]}})
        put.post("folders", name=LINES[2][:100])
    with whole_house.sql() as sql:
        sql.execute("UPDATE memory_user SET first_name = %s WHERE username = 'owner'", [LINES[1][:100]])
        sql.execute("UPDATE memory_workspace SET name = %s WHERE name = 'Scriptorium'", [LINES[3]])
    yield {
        "home": "/",
        "search": "/?q=script",
        "document": f"/documents/{document}/",
        "history": f"/documents/{document}/history/",
        "edit": f"/sections/{part}/edit/",
        "evaluation": f"/evaluations/{evaluation}/",
        "new": "/new/",
        "queue": "/queue/",
        "profile": "/profile/",
        "workspaces": "/workspaces/",
    }
    with whole_house.sql() as sql:  # the house is everybody's
        sql.execute("UPDATE memory_user SET first_name = '' WHERE username = 'owner'")
        sql.execute("UPDATE memory_workspace SET name = 'Scriptorium' WHERE name = %s", [LINES[3]])


def look_around(page: Page) -> None:
    """To the end of the page, over what can be hovered, and into what is folded."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for _ in range(12):
        page.mouse.wheel(0, 4_000)
        page.wait_for_timeout(50)
    for each in page.locator("main a, main img").all()[:30]:
        if each.is_visible():
            each.hover(force=True, timeout=10_000)


@pytest.mark.parametrize("name", ["home", "search", "document", "history", "edit", "evaluation", "new", "queue",
                                  "profile", "workspaces"])  # fmt: skip
def test_nothing_of_it_runs_and_nothing_is_loaded(poisoned: dict[str, str], visit: Visit, name: str) -> None:
    page = visit("owner", poisoned[name])
    look_around(page)
    assert page.evaluate("window.__xss") is None
    assert (
        page.locator("main iframe, main object, main embed, main [onerror], main [onload], main [style]").count() == 0
    )
    assert page.locator("main a[href^='javascript'], main a[href^='data'], main a[href^='file']").count() == 0


def test_it_is_read_as_the_text_it_is(poisoned: dict[str, str], visit: Visit) -> None:
    page = visit("owner", poisoned["document"])
    assert "<script>window.__xss=1</script>" in page.locator("main").inner_text()
