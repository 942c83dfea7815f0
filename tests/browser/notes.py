"""A note to be changed before a browser, and how one opens its second section."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack


class Note:
    """A note with two sections, made over REST by its owner."""

    def __init__(self, page: Page, house: Stack) -> None:
        self.page, self.house = page, house
        self.id = self.send("POST", "documents", {"kind": "note", "title": "Loops"})["id"]
        second = self.add("What for", "To repeat what is dull.")
        self.section, self.second = self.add("Why", "One two three four five."), second

    def add(self, title: str, content: str) -> str:
        body = {"type": "section", "fields": {"title": title, "content": content}}
        return str(self.send("POST", f"documents/{self.id}/sections", body)["id"])

    def send(self, method: str, path: str, body: Any = None, by: str = "owner") -> Any:
        headers = {"Authorization": f"Bearer {self.house.secrets[by]}"}
        answer = self.page.request.fetch(f"{self.house.url}/api/v1/{path}", method=method, data=body, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def write(self, by: str = "teammate", **fields: Any) -> Any:
        return self.send("PATCH", f"sections/{self.section}", {"fields": fields}, by)

    def until_ended(self, run: str) -> None:
        wait_until(lambda: self.send("GET", f"runs/{run}")["state"] in ("done", "partial"), "the end of the run")

    @property
    def path(self) -> str:
        return f"/documents/{self.id}/"

    @property
    def content(self) -> str:
        return str(self.send("GET", f"sections/{self.section}")["fields"]["content"])


def section(page: Page, note: Note) -> Locator:
    return page.locator(f"#section-{note.section}")


def open_form(page: Page, note: Note) -> Locator:
    section(page, note).hover()
    page.locator(f"#edit-{note.section}").click()
    text = page.locator(f"#section-{note.section} textarea[name=content]")
    expect(text).to_be_focused()
    return text
