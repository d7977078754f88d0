"""What happens to alerts reaches whoever watches, whoever did it."""

import asyncio
from dataclasses import replace

from coordwatch.adapters.http_api.following import Follower, message_of_moves
from coordwatch.adapters.http_api.stream import Stream
from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.codec import decode_json
from coordwatch.ports import Moved
from tests.build import CARDS, NOW, fill


async def _watched(store: MemoryStore) -> tuple[list[int], list[bytes]]:
    """Acts before anybody watches, while somebody does, and what that one was told."""
    stream = Stream()
    follower = Follower(store, store.shelf(), stream)
    rows, _ = store.alerts({"status": "open"}, 3, None)
    amounts = [follower.look()]
    store.act(rows[0].id, Order(AlertAction.RESOLVE, "ada", NOW + 1))
    messages = stream.open()
    told = [await anext(messages)]
    amounts.append(follower.look())
    store.act(rows[1].id, Order(AlertAction.ACKNOWLEDGE, "eve", NOW + 2))
    amounts += [follower.look(), follower.look()]
    told.append(await anext(messages))
    stream.close()
    told += [message async for message in messages]
    return amounts, told


def test_whoever_watches_is_told_what_anybody_did_and_how_many_there_are_now() -> None:
    store = MemoryStore(CARDS)
    fill(store)
    amounts, told = asyncio.run(_watched(store))
    assert amounts == [0, 0, 1, 0]
    assert [message.split(b"\n")[0] for message in told] == [b"retry: 2000", b"event: changed"]
    news = decode_json(told[1].split(b"data: ")[1].split(b"\n")[0])
    (change,) = news["changes"]
    assert (change["action"], change["actor"], change["status"]) == ("acknowledge", "eve", "acknowledged")
    assert news["totals"] == dict(store.alert_totals())


def test_a_storm_is_told_as_a_number() -> None:
    store = MemoryStore(CARDS)
    fill(store)
    move = Moved(1, store.alerts({}, 1, None)[0][0], "raise", "coordwatch", NOW)
    storm = [replace(move, number=number) for number in range(150)]
    assert message_of_moves(storm, {}) == {"changes": [], "many": 150, "totals": {}}
