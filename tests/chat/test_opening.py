"""A page over its socket: after the snapshot it was drawn from comes what is new, and nothing else."""

import orjson

from tests.chat.test_socket import Open, open_page
from tests.generation import test_opening as opening
from tests.generation.conftest import Start
from tests.people import People

__all__ = ["open_page"]


async def test_a_socket_opened_in_mid_run_carries_no_more_than_what_is_new(
    open_page: Open, start: Start, house: People
) -> None:
    work = await opening.Work.begin(start)
    await work.open("a")
    await work.write("a", *(f"{word} " for word in opening.words()))
    page = await opening.Page.open(await opening.client_of(house), work.run)
    socket = await open_page(house.teammate)
    await socket.send(type="follow", run=str(work.run.id), since=page.position, html=True)
    for n in range(10):
        await work.write("a", f"New {n}.", "\n\n")
    while page.position < work.cursor.last_seq:
        page.hear(orjson.dumps(await socket.hear()).decode())
    assert len(work.text["a"]) > 50_000
    assert sum(map(len, page.frames)) < 10_000
    assert page.is_whole("a", work.text["a"])
