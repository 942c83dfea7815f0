"""Whatever becomes of the processes in the middle of a conversation, every answer comes to its end, and what its tools
do is done once."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx

from config.supervisor.house import free_port
from tests.chaos.followers import TRANSPORTS, following
from tests.chaos.invariants import check, recorded_texts, states, until_settled
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack
from tests.patience import PATIENCE_SECONDS

REPLIES = 50
CRASHED = 0.1  # of the answers at most were hit three times before anything of them was recorded
BLOWS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM)
ASKED = "Number {:03}: add a chapter, then explain it in about 150 words."

KEPT = """
SELECT m.run_id, m.state, m.text, m.parts FROM chat_message m WHERE m.run_id = ANY(%s) AND m.speaker = 'agent'
"""
# Each with the titles of the chapters it has put in, and how many of each there are.
WRITTEN = """
SELECT s.fields->>'title', count(*) FROM generation_section s WHERE s.document_id = %s AND s.present GROUP BY 1
"""
TITLES = "SELECT r.id FROM generation_run r WHERE r.kind = 'title'"


class Speaker:
    """The owner, by REST; what does not reach the house is sent again under the same key."""

    def __init__(self, stack: Stack, port: int | None = None) -> None:
        self.url = f"http://127.0.0.1:{port or stack.port}/api/v1/"
        self.headers = {"Authorization": f"Bearer {stack.secrets['owner']}"}

    async def send(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
            while True:
                try:
                    answer = await client.request(method, path, json=body)
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer.json()

    async def say(self, text: str, key: str = "", **facts: Any) -> dict[str, Any]:
        return dict(await self.send("POST", "chat/messages", {"text": text, **facts}, key))


def rules(document: str) -> list[dict[str, Any]]:
    """Each is asked for one tool first; asked again for the same round, it does not think of it any more."""
    return [
        {
            "contains": ASKED.format(n),
            "calls": [
                {
                    "id": "same",
                    "name": "insert_section",
                    "arguments": {"document": document, "type": "section", "fields": {"title": f"Number {n:03}"}},
                }
            ],
            "times": 1,
        }
        for n in range(REPLIES)
    ]


async def test_whatever_kills_the_web_process_every_answer_ends_and_no_tool_is_applied_twice(stack: Stack) -> None:
    owner = Speaker(stack)
    document = (await owner.send("POST", "documents", {"kind": "note", "title": "Loops"}))["id"]
    stack.model(tokens_per_second=60, first_token_ms=100, rules=rules(document))
    about = [{"kind": "document", "id": document}]
    said = await asyncio.gather(
        *(owner.say(ASKED.format(n), key=f"reply-{document}-{n}", context=about) for n in range(REPLIES))
    )
    runs = [UUID(turn["run"]) for turn in said]
    async with following(stack.url) as followers:
        for run in runs[:: REPLIES // 10]:
            for by in TRANSPORTS:
                followers.follow(run, by, stack.secrets["owner"])
        for blow in BLOWS:
            await asyncio.sleep(1.5)
            await asyncio.to_thread(stack.keepers["web"].send, blow)
            await asyncio.to_thread(stack.until_ready)
        stack.model(tokens_per_second=2_000)
        await followers.until_all_ended()
    with stack.sql() as sql:
        until_settled(sql, runs)
        titles = [run for (run,) in sql.execute(TITLES).fetchall()]
        until_settled(sql, titles)
        ended = states(sql, runs)
        print(f"{dict(ended)}")
        assert check(sql, [*runs, *titles], stack.stats()["log"]) == []
        assert followers.violations(recorded_texts(sql, runs)) == []
        kept = {run: (state, text, parts) for run, state, text, parts in sql.execute(KEPT, [runs]).fetchall()}
        written = dict(sql.execute(WRITTEN, [document]).fetchall())
    assert set(ended) <= {"done", "failed run.crashed"}
    assert ended["failed run.crashed"] <= CRASHED * REPLIES
    assert len(kept) == REPLIES
    assert Counter(state for state, _, _ in kept.values())["done"] == ended["done"], "no eternal pen"
    assert all(text for state, text, _ in kept.values() if state == "done")
    used = Counter(
        f"Number {n:03}"
        for n, run in enumerate(runs)
        for part in kept[run][2]
        if part["type"] == "tool" and part["error"] is None
    )
    assert written == dict(used), "what is written is what the answers say that they wrote, once each"
    assert used, "tools were used"


@contextmanager
def another_web(stack: Stack) -> Iterator[Speaker]:
    port = free_port()
    stack.keep("web-2", lambda: stack.python("web-2", "manage.py", "web", PORT=str(port)))
    try:
        wait_until(lambda: answers(port), "the other web process")
        yield Speaker(stack, port)
    finally:
        stack.keepers.pop("web-2").stop()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


async def test_one_conversation_goes_on_over_two_web_processes(stack: Stack) -> None:
    """Asked at one, answered and read at the other; the first is killed between question and answer."""
    stack.model(tokens_per_second=40, first_token_ms=200)
    with another_web(stack) as other:
        owner = Speaker(stack)
        first = await owner.say("Explain loops in Python in about 60 words.")
        second = await other.say("And in Ruby?", session=first["session"])
        await asyncio.to_thread(stack.keepers["web"].send, signal.SIGKILL)
        while (reply := await other.send("GET", f"chat/messages/{second['reply']}"))["state"] != "done":
            assert reply["state"] in ("waiting", "writing"), reply
            await asyncio.sleep(0.1)
        page = await other.send("GET", f"chat/sessions/{first['session']}/messages")
        assert [each["state"] for each in page["items"]] == ["done"] * 4
        assert [each["id"] for each in page["items"]] == [
            first["message"],
            first["reply"],
            second["message"],
            second["reply"],
        ]
        await asyncio.to_thread(stack.until_ready)
        assert await owner.send("GET", f"chat/sessions/{first['session']}/messages") == page
