"""What tools read of a customer, by examples."""

from __future__ import annotations

from typing import Any

import pytest

from coordwatch.codec import decode_json
from coordwatch.processor.detecting.suppressing import Suppression
from coordwatch.processor.topics import Topics
from tests.detecting.cluster import Cluster, Worker
from tests.statements.scene import at, document, on

ONE = Topics("t", 1)
PROMO = Suppression.of("promotions", "marketing.message.sent", {"category": "promotional", "channel": "email"})
OPEN_CASE = """
when: {promo: {event: sent, where: category == "promotional"}}
while: {complaint: {opened: {event: case}, closed: {event: status, where: status == "resolved", same: case}, within: 3d}}
"""
AFTER = "{when: {promo: {event: sent}}, after: {complaint: {event: case, within: 2h}}}"


def cluster(*rules: Any, wanted: tuple[Suppression, ...] = (PROMO,)) -> Cluster:
    docs = [document(rule, number) if isinstance(rule, str) else rule for number, rule in enumerate(rules, 1)]
    return Cluster.of(docs, topics=ONE, settings={"suppressions": wanted})


def read(one: Cluster) -> dict[str, Any]:
    return {key.decode(): decode_json(value) for key, value in one.suppressions.items()}


def test_a_tool_reads_until_when_and_why_and_no_longer_once_it_is_over() -> None:
    one = cluster(AFTER)
    one.file(on("case", "0h"))
    one.file(on("order", "0h", who="C2"))
    worker = Worker(one)
    worker.settle(at("1h"))
    held = {"advice": "hold", "until": "2026-03-02T14:00:00Z", "rules": ["rule-1"]}
    assert read(one) == {
        "C1": {"customer": "C1", "as_of": "2026-03-02T13:00:00Z", "suppressions": {"promotions": held}}
    }
    worker.settle(at("2h", -1))
    assert list(read(one)) == ["C1"]
    worker.settle(at("2h"))
    assert read(one) == {}


def test_nothing_is_written_while_the_answer_stays_the_same() -> None:
    one = cluster(AFTER)
    one.file(on("case", "0h"))
    worker = Worker(one)
    worker.settle(at("1h"))
    before = dict(one.suppressions)
    one.file(on("order", "61m"))
    one.file(on("sent", "62m"))
    worker.settle(at("63m"))
    assert one.suppressions == before


def test_who_was_known_before_it_was_asked_for_is_told_too_and_taken_back_when_nobody_asks_any_more() -> None:
    one = cluster(AFTER, wanted=())
    for number in range(5):
        one.file(on("case", "0h", who=f"C{number}"))
    Worker(one).settle(at("1h"))
    assert read(one) == {}
    one.settings = {"suppressions": (PROMO,), "again_max": 2}
    for told in (2, 2, 4, 5):
        # Who starts again in the midst of it begins anew, and asks for everybody.
        worker = Worker(one)
        worker.stage.tick(at("1h"))
        for _ in range(told // 2 + told % 2):
            one.apply(worker.stage.give(at("1h")), worker.positions)
        assert len(read(one)) == told
    assert not worker.stage.pending
    assert not Worker(one).stage.pending
    one.settings = {}
    Worker(one).settle(at("1h"))
    assert read(one) == {}
    assert not [key for key in one.rows[0] if key.startswith(b"held/")]


@pytest.mark.parametrize(
    "rule",
    [
        "{when: {promo: {event: sent}}, given: {stock: {event: stock, where: available <= 0}}}",
        '{when: {promo: {event: sent, where: channel == "email"}}, unless: {order: {event: order, within: 1h}}}',
        {**document(AFTER), "status": "shadow"},
        f"{AFTER[:-1]}, expect: {{notice: {{event: order, within: 30m}}}}}}",
    ],
    ids=["facts of all", "no fact of the customer", "not live", "what must follow"],
)
def test_what_cannot_be_kept_in_step_or_decides_nothing_is_not_told(rule: Any) -> None:
    one = cluster(rule)
    for kind in ("sent", "case", "order"):
        one.file(on(kind, "0h"))
    one.file(on("stock", "0h", available=0))
    Worker(one).settle(at("90m"))
    assert read(one) == {}


@pytest.mark.parametrize(
    ("rule", "begins"),
    [
        (
            f"{AFTER[:-1]}, exceptions: [{{where: 'channel == \"email\"', name: fair, owner: me, reason: a fair, until: 2026-03-03}}]}}".replace(
                "2h", "5d"
            ),
            "12h",
        ),
        (
            "{when: {promo: {event: sent}}, given: {last: {event: case, where: 'kind == \"complaint\"', per: kind, within: 2h}}}",
            "2h",
        ),
        (f"{AFTER[:-1]}, unless: {{sorry: {{event: status, within: 1h}}}}}}".replace("2h", "9h"), "90m"),
    ],
    ids=["an exception is over", "a fact that was otherwise leaves the window", "an excuse leaves the window"],
)
def test_what_begins_by_itself_is_told_when_it_does(rule: str, begins: str) -> None:
    one = cluster(rule)
    one.file(on("case", "0h", kind="question"))
    one.file(on("case", "1h", kind="complaint"))
    one.file(on("status", "30m", status="open"))
    worker = Worker(one)
    worker.settle(at("1h", 1))
    worker.settle(at(begins, -1))
    assert read(one) == {}
    worker.settle(at(begins, 1))
    assert list(read(one)) == ["C1"]


def test_a_deny_is_looked_at_again_every_day() -> None:
    """Its end may lie further ahead than anybody looks."""
    one = cluster(AFTER.replace("2h", "500d"))
    one.file(on("case", "0h"))
    worker = Worker(one)
    for day in (0, 200, 499, 501):
        worker.settle(at(f"{day}d"))
        held = read(one).get("C1", {}).get("suppressions", {}).get("promotions")
        assert (held and held["advice"]) == (("deny" if day == 0 else "hold") if day < 500 else None)


@pytest.mark.parametrize("settings", [{"suppressions": (PROMO,)}, {}], ids=["asked for", "asked for no more"])
def test_who_is_forgotten_is_told_of_no_more(settings: dict[str, Any]) -> None:
    one = cluster(AFTER)
    one.file(on("case", "0h"))
    Worker(one).settle(at("1h"))
    assert list(read(one)) == ["C1"]
    one.settings = settings
    one.send("C1", "forget", {})
    worker = Worker(one)
    worker.take(0, 100, at("1h"))
    given = {output.topic: output.value for output in worker.stage.give(at("1h")) if output.key == b"C1"}
    assert given[one.topics.suppressions] is None
