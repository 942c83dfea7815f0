"""However many follow, by whatever door, leaving and coming back: all have the same text."""

import asyncio
import random

from tests.chaos.followers import TRANSPORTS, following
from tests.chaos.invariants import check, recorded_texts, states, until_settled
from tests.chaos.stack import Stack

FOLLOWERS = 200
SEED = 1


async def test_200_restless_followers_have_the_same_text(stack: Stack) -> None:
    stack.model(tokens_per_second=40)
    run = await asyncio.to_thread(stack.begin, "web", brief="Six sections on reading together.")
    chance = random.Random(SEED)
    secrets = list(stack.secrets.values())  # no user may open more than 30 sockets
    async with following(stack.url, patience=2, poll_seconds=1) as followers:
        for n in range(FOLLOWERS):
            followers.follow(run, TRANSPORTS[n % 3], secrets[n % len(secrets)], seed=chance.randrange(1 << 30))
            await asyncio.sleep(0.01)
        await followers.until_all_ended()
    with stack.sql() as sql:
        until_settled(sql, [run])
        assert check(sql, [run], stack.stats()["log"]) == []
        assert states(sql, [run]) == {"done": 1}
        recorded = recorded_texts(sql, [run])
    assert len(recorded) >= 5
    assert followers.violations(recorded) == []
    assert len({tuple(sorted(reader.texts().items())) for reader in followers.readers}) == 1
    assert sum(reader.connections for reader in followers.readers) > 2 * FOLLOWERS, "they hardly left"
