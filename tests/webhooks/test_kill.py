"""What a tool was answered is on disk: `kill -9` at any moment, and every answered event is there once."""

import json
import random

import httpx

from coordwatch.adapters.sql.store import SqlStore
from tests.embedded.test_crash import Server, killed_after
from tests.webhooks import vendors

SECRET = "a-secret-of-nobody-1"
KILLS = 2


def a_batch(number: int) -> bytes:
    rows = [
        {"email": f"c{one}@example.com", "timestamp": 1_760_000_000 + one, "event": "processed",
         "sg_event_id": f"{number}-{one}", "sg_message_id": f"m-{number}"}
        for one in range(50)
    ]  # fmt: skip
    return json.dumps(rows).encode()


def test_what_was_answered_before_a_kill_is_there_once(tmp_path, monkeypatch):
    monkeypatch.setenv("COORDWATCH_WEBHOOKS__MAILS", SECRET)
    config = tmp_path / "serve.yaml"
    config.write_text(
        "bind: 127.0.0.1:0\ndatabase: serve.db\nlateness: 3650d\n"
        "inputs: [{kind: webhook, name: mails, source: sendgrid, check: shopify}]\n"
    )
    server, rng, answered = Server(config), random.Random(7), 0
    sent: list[bytes] = []
    for _ in range(KILLS):
        server.start()
        with killed_after(server, rng.uniform(0.02, 0.2)):
            while True:
                sent.append(a_batch(len(sent)))
                try:
                    answered += post(server, sent[-1])
                except httpx.TransportError:
                    break
    server.start()
    assert answered == (len(sent) - KILLS) * 50, "each kill left one post without an answer"
    again = sum(post(server, body) for body in sent)
    assert server.stop() == 0
    store = SqlStore(tmp_path / "serve.db", {})
    tallies = store.tallies()
    store.close()
    assert tallies["applied"] == len(sent) * 50
    assert tallies.get("duplicate", 0) == len(sent) * 50 - again, "nothing that was answered came a second time"
    assert again <= KILLS * 50, "only what was not answered could be lost"


def post(server: Server, body: bytes) -> int:
    """How many events were new; raises TransportError when the server died before it answered."""
    url, headers = f"{server.address}/v1/sources/mails", vendors.shopify(body, SECRET, 0)
    answer = httpx.post(url, content=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return sum(item["events"].get("applied", 0) for item in answer.json()["items"])
