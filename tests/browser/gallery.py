"""Every page worth a look, each with somebody to look at it, in a house furnished for that: what is asked for access,
what is looked at for its looks.
"""

import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack
from tests.password import PASSWORD

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungsbestimmungen"
RIGHT_TO_LEFT = "دورة قصيرة عن قواعد البيانات"
BRIEF = (
    "A flash course in two chapters: what a library keeps, and what it lends. 2 exercises in each chapter and an "
    "evaluation of 4 questions."
)
FULL = 300
# As people name things: in a word or two, at length, from right to left, with what the machine would take for code.
TITLES = (
    "What a library keeps, and what it lends",
    LONG,
    RIGHT_TO_LEFT,
    "Les bases de données relationnelles expliquées à une équipe qui vient de reprendre la bibliothèque de Roubaix, "
    "ses 40 000 fiches et les habitudes de trois générations de bibliothécaires",
    "SQL",
    '<b>Bold</b> & "quoted" in a title/with/slashes_and_underscores_that_never_end.markdown',
)
SIDES = (
    f"هذه فقرة تخلط العربية مع SQL و {LONG} وأرقام مثل ١٢٣ و 456.\n\n- أولا\n- Second, from left to right\n\n"
    "> اقتباس قصير\n\n| الاسم | Meaning |\n|---|---|\n| مفتاح | the key of a row, which is never twice the same |"
    "\n\n```sql\nSELECT title, author, borrowed_at, returned_at FROM loans JOIN books USING (book_id) WHERE true;\n```"
)
SECOND_FAILS = {"contains": "This chapter: What it lends", "fault": "refusal"}
LESSONS = """
SELECT count(*) FROM generation_step s JOIN generation_run r ON r.id = s.run_id
WHERE r.document_id = %s AND s.key LIKE '%%/lesson'
"""

# More than a window is high.
MANY_TALKS = """
INSERT INTO chat_session (id, workspace_id, user_id, title, folded_title, is_named, agent, state, place)
SELECT gen_random_uuid(), m.workspace_id, u.id, 'What a library keeps, no. ' || n, '', true, 'assistant', 'dormant',
       gen_random_uuid()
FROM memory_user u JOIN memory_membership m ON m.user_id = u.id, generate_series(1, 40) n WHERE u.username = %s
"""


@dataclass(frozen=True)
class Shown:
    """One page: its name in the gallery, its address, who looks at it (`nobody` has not signed in)."""

    name: str
    path: str
    who: str = "owner"


class Furnisher:
    """Puts into a running house what pages show: done, going on, gone wrong, huge."""

    def __init__(self, house: Stack) -> None:
        self.house = house
        self.client = httpx.Client(
            base_url=f"{house.url}/api/v1/", headers={"Authorization": f"Bearer {house.secrets['owner']}"}, timeout=60
        )

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def course(self, **options: Any) -> str:
        """A course that is being written: its document."""
        return str(self.post("runs", kind="course", brief=BRIEF, options={"chapters": 2, **options})["document"])

    def until(self, document: str, *states: str) -> str:
        def there() -> bool:
            return bool(self.client.get(f"documents/{document}").json()["state"] in states)

        wait_until(there, f"a document that is {' or '.join(states)}")
        return document

    def until_answered(self, reply: str) -> None:
        wait_until(lambda: self.client.get(f"chat/messages/{reply}").json()["state"] in ("done", "failed"), "an answer")

    def shared(self, session: str) -> str:
        """The link by which others read it."""
        return f"/chat/shared/{self.post(f'chat/sessions/{session}/share')['secret']}/"

    def run(self, document: str) -> str:
        return str(self.client.get(f"documents/{document}").json()["run"])

    def workspace(self) -> str:
        return str(self.client.get("workspaces").json()[0]["id"])

    def section(self, document: str, type: str) -> str:
        """The first of its type, at any depth."""
        waiting = list(self.client.get(f"documents/{document}").json()["sections"])
        while waiting:
            section = waiting.pop(0)
            if section["type"] == type:
                return str(section["id"])
            waiting[:0] = section["sections"]
        raise LookupError(type)


class Learner(ExitStack):
    """Somebody at their own browser, without one: signs in and sends the forms of pages."""

    def __init__(self, house: Stack, name: str) -> None:
        super().__init__()
        self.client = self.enter_context(httpx.Client(base_url=house.url, timeout=60, headers={"Referer": house.url}))
        self.client.get("/sign-in/").raise_for_status()
        self.send("/sign-in/", username=name, password=PASSWORD)

    def send(self, path: str, **form: str) -> str:
        """Where it leads."""
        answer = self.client.post(path, data={**form, "csrfmiddlewaretoken": self.client.cookies["csrftoken"]})
        assert answer.status_code in (204, 302), answer.text
        return answer.headers.get("location", "")

    def hand_in(self, evaluation: str) -> str:
        """The page of an attempt in which every question was answered with a sentence or not at all."""
        self.send(f"/sections/{evaluation}/begin/")
        paper = self.client.get(f"/evaluations/{evaluation}/").text
        finish = re.search(r"/attempts/[-0-9a-f]+/finish/", paper)
        assert finish
        asked = dict.fromkeys(re.findall(r'name="(asked-\d+)"', paper), "")
        written = dict.fromkeys(re.findall(r'<textarea[^>]*name="(answer-\d+)"', paper), "What is kept stays.")
        return self.send(finish[0], **asked, **written)


def furnish(house: Stack) -> list[Shown]:
    put = Furnisher(house)
    with put.client:
        return filled(put, house)


def filled(put: Furnisher, house: Stack) -> list[Shown]:
    house.model(rules=[SECOND_FAILS], first_token_ms=5, tokens_per_second=20_000)
    short = put.until(put.course(), "partial", "failed")
    house.model(rules=[])
    done = put.until(put.course(), "draft", "ready")
    review = put.until(put.course(review_outline=True), "waiting")
    for title in (RIGHT_TO_LEFT, "Les bases de données relationnelles, avec la bibliothèque de Roubaix"):
        put.post("documents", kind="course", title=title, fields={})
    long = put.post("documents", kind="course", title=LONG, fields={"description": RIGHT_TO_LEFT})["id"]
    sides = put.post("documents", kind="note", title=RIGHT_TO_LEFT, fields={})["id"]
    put.post(f"documents/{sides}/sections", type="section", fields={"title": LONG, "content": SIDES})
    put.post(f"documents/{sides}/sections", type="section", fields={"title": RIGHT_TO_LEFT, "content": SIDES})
    put.post("folders", name="Roubaix")
    house.ask("settle", name="beginner", workspace="Atelier", titles=TITLES[:1])
    house.ask("settle", name="librarian", workspace=LONG, titles=[TITLES[n % len(TITLES)] for n in range(FULL)])
    put.client.patch(f"sections/{put.section(done, 'part')}", json={"fields": {"title": "What a library keeps"}})
    evaluation = put.section(done, "evaluation")
    with Learner(house, "teammate") as teammate, Learner(house, "owner") as owner:
        teammate.send(f"/sections/{evaluation}/begin/")
        handed_in = owner.hand_in(evaluation)
    assigned = comments(put, house, done)
    portfolio = portfolios(put)
    talk, panel = conversations(put, house, done)
    going = writing(house, put)
    slow = put.post("chat/messages", text="Explain at length what a library keeps.")["session"]
    with house.sql() as sql:
        sql.execute(MANY_TALKS, ["librarian"])
    return [
        Shown("sign-in", "/sign-in/", "nobody"),
        Shown("missing", "/nowhere/"),
        Shown("home", "/"),
        Shown("home-empty", "/", "stranger"),
        Shown("home-viewed", "/", "viewer"),
        Shown("home-one", "/", "beginner"),
        Shown("home-full", "/", "librarian"),
        Shown("home-found", "/?q=zzz", "librarian"),
        Shown("bin", "/bin/"),
        Shown("new", "/new/"),
        Shown("new-note", "/new/note/"),
        Shown("queue", "/queue/"),
        Shown("queue-all", "/queue/?of=all"),
        Shown("queue-empty", "/queue/", "beginner"),
        Shown("run", f"/runs/{put.run(short)}/"),
        Shown("profile", "/profile/"),
        Shown("workspaces", "/workspaces/"),
        Shown("workspace", f"/workspaces/{put.workspace()}/"),
        Shown("document", f"/documents/{done}/"),
        Shown("document-partial", f"/documents/{short}/"),
        Shown("document-review", f"/documents/{review}/"),
        Shown("document-writing", f"/documents/{going}/"),
        Shown("document-viewed", f"/documents/{done}/", "viewer"),
        Shown("document-empty", f"/documents/{long}/"),
        Shown("document-sides", f"/documents/{sides}/"),
        Shown("comments", f"/documents/{done}/comments/?of=all"),
        Shown("comments-section", f"/documents/{done}/comments/?section={put.section(done, 'part')}&quote=keeps"),
        Shown("comments-viewed", f"/documents/{done}/comments/", "viewer"),
        Shown("comments-mine", "/comments/"),
        Shown("comments-none", "/comments/", "beginner"),
        Shown("comments-assign", f"/threads/{assigned}/assign/"),
        Shown("history", f"/documents/{done}/history/"),
        Shown("history-proposals", f"/documents/{done}/history/?proposals=all"),
        Shown("edit", f"/sections/{put.section(done, 'part')}/edit/"),
        Shown("edit-questions", f"/sections/{evaluation}/edit/"),
        Shown("edit-document", f"/documents/{done}/edit/"),
        Shown("missing-document", f"/documents/{UUID(int=0)}/"),
        Shown("chat", "/chat/"),
        Shown("chat-empty", "/chat/", "beginner"),
        Shown("chat-full", "/chat/", "librarian"),
        Shown("chat-session", f"/chat/{talk}/"),
        Shown("chat-panel", f"/chat/{panel}/"),
        Shown("chat-writing", f"/chat/{slow}/"),
        Shown("chat-shared", put.shared(talk), "viewer"),
        Shown("evaluation", f"/evaluations/{evaluation}/", "viewer"),
        Shown("evaluation-paper", f"/evaluations/{evaluation}/", "teammate"),
        Shown("evaluation-result", handed_in),
        *portfolio,
    ]


def portfolios(put: Furnisher) -> list[Shown]:
    """A company, its portfolio with a case that nobody wrote and one of a long name, a case, the summary."""
    company = str(put.post("runs", kind="company", brief="A library in Roubaix: 12 people.")["document"])
    put.until(company, "draft")
    options = {"companies": [company], "requested_count": 4}
    home = str(put.post("runs", kind="use_case_list", brief="What could help it?", options=options)["document"])
    put.until(home, "draft")
    found = put.client.get(f"documents/{home}/portfolio").json()
    first = found["cases"][0]["id"]
    put.client.patch(f"documents/{first}", json={"fields": {"title": LONG, "description": SIDES}})
    put.post("documents", kind="use_case", title=RIGHT_TO_LEFT, parent=home, fields={})
    return [
        Shown("company", f"/documents/{company}/"),
        Shown("portfolio", f"/documents/{home}/"),
        Shown("portfolio-viewed", f"/documents/{home}/", "viewer"),
        Shown("portfolio-edit", f"/documents/{home}/edit/"),
        Shown("portfolio-new", f"/new/use_case_list/?companies={company}"),
        Shown("case", f"/documents/{first}/"),
        Shown("summary", f"/documents/{found['summary']}/"),
        Shown("summary-new", "/new/executive_summary/"),
    ]


def conversations(put: Furnisher, house: Stack, document: str) -> tuple[str, str]:
    """One in which something was changed, looked at, refused and begun, and one with a panel that was put together."""
    about = [{"kind": "document", "id": document}]
    change = {"object": document, "value": f"What a library keeps, {LONG}."}
    calls = [
        {"name": "list_objects", "arguments": {}},
        {"name": "update_description", "arguments": change},
        {"name": "update_field", "arguments": {"object": document, "field": "nonsense", "value": "x"}},
        {"name": "start_run", "arguments": {"kind": "note", "brief": "What a library keeps.", "title": LONG}},
    ]
    text = f"Shorten the description.\n\n{RIGHT_TO_LEFT} {LONG}"
    rules = [{"contains": LONG, "calls": calls, "times": 1}, {"contains": LONG, "content": SIDES, "times": 1}]
    house.model(rules=rules)
    first = put.post("chat/messages", text=text, context=about)
    put.until_answered(first["reply"])
    house.model(rules=[])
    put.until_answered(put.post("chat/messages", text="And why?", session=first["session"])["reply"])
    asked = put.post("panels", text="Should a library keep everything?")
    put.until_answered(asked["reply"])
    put.until_answered(put.post(f"chat/messages/{asked['reply']}/synthesis")["reply"])
    return first["session"], asked["session"]


def comments(put: Furnisher, house: Stack, document: str) -> str:
    """Open, closed, of words that are gone, of great length, from right to left, without its first words; one of them
    is for somebody.
    """
    part = put.section(document, "part")
    with httpx.Client(
        base_url=f"{house.url}/api/v1/", headers={"Authorization": f"Bearer {house.secrets['teammate']}"}, timeout=60
    ) as teammate:
        said = {"section": part, "quote": "A library keeps", "field": "content", "text": f"@owner {LONG}\n\nAnd why?"}
        first = teammate.post(f"documents/{document}/threads", json=said).json()["id"]
        put.post(f"threads/{first}/comments", text=RIGHT_TO_LEFT)
        put.client.patch(f"threads/{first}", json={"assignee": "teammate"})
        begun = teammate.post(f"documents/{document}/threads", json={"text": "Who is to read this?"}).json()
        put.post(f"threads/{begun['id']}/comments", text="Whoever borrows books.")
        teammate.delete(f"comments/{begun['comments'][0]['id']}")
    closed = put.post(f"documents/{document}/threads", section=part, quote=LONG, text="Settled.")["id"]
    put.client.patch(f"threads/{closed}", json={"state": "closed"})
    put.client.patch(f"sections/{part}", json={"fields": {"title": "What libraries keep"}})
    return str(first)


def writing(house: Stack, put: Furnisher) -> str:
    """A course whose lessons have begun; from then on so slowly that it is still seen while it is written."""
    house.model(first_token_ms=300, tokens_per_second=60)
    going = put.course()
    wait_until(lambda: bool(house.number(LESSONS, going)), "a lesson that has begun")
    time.sleep(2)
    house.model(tokens_per_second=2)
    return going
