"""The running server is changed, aimed and counted."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from generation.demo.server import build, change
from tests.generation.demo.conftest import BRIEF, Door


async def statuses(door: Door, count: int, text: str = BRIEF) -> list[int]:
    return [(await door.stream(text)).status for _ in range(count)]


async def test_chance_is_seeded_and_each_attempt_draws_anew(door: Door) -> None:
    settings = {"fault_rate": 0.5, "faults": ["server_error"], "seed": 7}
    await door.post("/control", settings)
    first = await statuses(door, 12)
    await door.post("/control", settings)
    assert await statuses(door, 12) == first
    assert set(first) == {200, 500}


async def test_a_rate_of_one_meets_every_request(door: Door) -> None:
    await door.post("/control", {"fault_rate": 1, "faults": ["rate_limit"]})
    assert await statuses(door, 3) == [429, 429, 429]
    await door.post("/control", {"fault_rate": 0})
    assert await statuses(door, 2) == [200, 200]


async def test_a_rule_aims_at_content_so_many_times(door: Door) -> None:
    await door.post("/control", {"rules": [{"contains": "Chapter 3", "fault": "server_error", "times": 2}]})
    assert await statuses(door, 2, "Chapter 2") == [200, 200]
    assert await statuses(door, 3, "Write Chapter 3 now") == [500, 500, 200]


async def test_a_rule_without_times_always_applies(door: Door) -> None:
    await door.post("/control", {"rules": [{"contains": "marées", "fault": "401", "times": None}]})
    assert await statuses(door, 3, "Les marées") == [401, 401, 401]


async def test_a_rule_may_say_what_is_answered(door: Door) -> None:
    await door.post("/control", {"rules": [{"contains": "marées", "content": "Word for word.", "times": 1}]})
    said = ["".join((await door.stream("Les marées")).deltas()) for _ in range(2)]
    assert said[0] == "Word for word."
    assert said[1] != "Word for word."


async def test_the_settings_in_force_are_shown(door: Door) -> None:
    status, shown = await door.post("/control", {"first_token_ms": 20, "tokens_per_second": 100, "seed": 3})
    assert (status, shown["first_token_ms"], shown["tokens_per_second"], shown["seed"]) == (200, 20, 100, 3)
    async with door.session.get(f"{door.url}/control") as response:
        assert await response.json() == shown


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"fault_rate": 2},
        {"fault_rate": "often"},
        {"faults": []},
        {"faults": ["gremlin"]},
        {"speed": 1},
        {"rules": [{"fault": "hang"}]},
        {"rules": "all"},
        {"rules": [{"contains": "x", "content": 5}]},
        {"rules": [{"contains": "x"}]},
        {"seed": 1, "tokens_per_second": -1},
        {"seed": None},
    ],
)
async def test_a_wrong_setting_changes_nothing(door: Door, wrong: Any) -> None:
    _, before = await door.post("/control", {})
    status, body = await door.post("/control", wrong)
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert (await door.post("/control", {}))[1] == before


async def test_another_machine_cannot_change_anything() -> None:
    request = make_mocked_request("POST", "/control", app=build()).clone(remote="192.0.2.1")
    with pytest.raises(aiohttp.web.HTTPForbidden):
        await change(request)


async def test_what_is_served_is_counted(door: Door) -> None:
    seen = await door.stream(stream_options={"include_usage": True})
    await door.stream(fault="server_error")
    stats = await door.stats()
    assert (stats["requests"], stats["in_flight"], stats["completed"], stats["failed"]) == (2, 0, 1, 1)
    assert stats["by_model"] == {"demo": 2}
    assert stats["by_fault"] == {"server_error": 1}
    assert stats["tokens_out"] == len(seen.deltas())
    assert [entry["state"] for entry in stats["log"]] == ["completed", "failed"]
    assert (await door.stats(log=0))["log"] == []


async def test_counting_starts_again_after_a_reset(door: Door) -> None:
    await door.stream()
    await door.post("/stats/reset", {})
    assert (await door.stats())["requests"] == 0


async def test_the_log_carries_the_clients_request_id(door: Door) -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": BRIEF}]}
    async with door.session.post(
        f"{door.url}/v1/chat/completions", json=body, headers={"X-Client-Request-Id": "run-7"}
    ) as response:
        await response.read()
    assert (await door.stats())["log"][0]["id"] == "run-7"


async def test_a_client_that_goes_away_is_noticed_at_once(door: Door) -> None:
    await door.post("/control", {"tokens_per_second": 20})
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": BRIEF}]}
    async with door.session.post(f"{door.url}/v1/chat/completions", json=body) as response:
        await response.content.readany()
        assert (await door.stats(log=0))["in_flight"] == 1
    await asyncio.sleep(0.1)
    stats = await door.stats()
    assert (stats["in_flight"], stats["cut_by_client"], stats["completed"]) == (0, 1, 0)
    assert stats["log"][0]["state"] == "cut_by_client"
    assert stats["log"][0]["tokens_out"] < 10


async def test_a_client_that_leaves_a_hanging_server_is_counted(door: Door) -> None:
    await door.stream(fault="hang", silence=0.5)
    await asyncio.sleep(0.05)
    assert (await door.stats())["cut_by_client"] == 1


@pytest.mark.parametrize("fault", ["reset", "reset_mid", "cut", "clean_cut"])
async def test_a_line_the_server_breaks_is_not_the_clients_doing(door: Door, fault: str) -> None:
    await door.stream(fault=fault)
    await asyncio.sleep(0.05)
    stats = await door.stats()
    assert (stats["failed"], stats["cut_by_client"], stats["in_flight"]) == (1, 0, 0)
