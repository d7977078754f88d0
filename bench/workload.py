"""The seeded workload: canonical events of about 500 bytes, for as many customers as asked.

    python -m bench.workload --events 1000000 --customers 100000 --late 300 OUT.jsonl

2 % of the events arrive late by up to `--late` seconds, 0.5 % arrive twice.
"""

import argparse
import heapq
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

START = 1_767_225_600
WORDS = [
    "order",
    "delayed",
    "customer",
    "refund",
    "status",
    "promo",
    "spring",
    "sale",
    "vip",
    "agent",
    "reply",
    "waiting",
    "shipping",
    "address",
    "changed",
    "gift",
    "card",
    "loyalty",
    "points",
    "warehouse",
    "carrier",
    "label",
    "returned",
    "invoice",
    "paid",
]
KINDS = (
    ("marketing.message.sent", 30), ("marketing.message.engaged", 9), ("service.case.opened", 4),
    ("service.case.status_changed", 6), ("commerce.order.changed", 12), ("fulfilment.return.changed", 4),
    ("marketing.audience.changed", 6), ("bot.message.sent", 14), ("bot.detail.captured", 4),
    ("bot.handoff.requested", 2), ("agent.detail.requested", 3), ("fulfilment.shipment.changed", 6),
)  # fmt: skip


class Writer:
    """Makes one event after the other, with just enough memory of each customer to make the rules meet their cases."""

    def __init__(self, seed: int, customers: int) -> None:
        self.random = random.Random(seed)
        self.customers = customers
        self.kinds = [kind for kind, weight in KINDS for _ in range(weight)]

    def event(self, number: int, second: float) -> dict[str, Any]:
        """The event of a number at a second."""
        rng = self.random
        kind = self.kinds[rng.randrange(len(self.kinds))]
        top = self.customers // 5 or 1
        customer = rng.randrange(top) if rng.random() < 0.6 else rng.randrange(self.customers)
        if kind.startswith(("bot", "agent")):
            customer = (number // 200 * 20 + rng.randrange(20)) % self.customers
        small = rng.randrange(3)
        data: dict[str, Any] = {
            "tool": {"name": kind.split(".", maxsplit=1)[0], "family": "bench", "instance": "eu-1", "team": "bench"},
            "channel": rng.choice(("email", "sms", "push", "chat", "web")),
            "campaign": f"campaign-{rng.randrange(300):04d}",
        }
        data |= getattr(self, "_" + kind.replace(".", "_"))(customer, small)
        whole = int(second)
        time = f"{_stamp(whole)}Z"
        event = {
            "specversion": "1.0", "id": f"{number:012d}-{rng.getrandbits(32):08x}", "source": f"/bench/{kind.split('.')[0]}",
            "type": f"org.coordwatch.{kind}", "time": time, "subject": f"cust-{customer:07d}", "recordedtime": time,
            "datacontenttype": "application/json", "data": data,
        }  # fmt: skip
        missing = 500 - len(orjson.dumps(event)) - 14
        words: list[str] = []
        while missing > 0:
            word = WORDS[rng.randrange(len(WORDS))]
            words.append(word)
            missing -= len(word) + 1
        data["template"] = " ".join(words)
        return event

    def _marketing_message_sent(self, customer: int, small: int) -> dict[str, Any]:
        purpose = ("promo", "cancellation_notice", "newsletter", "shipping_notice")[self.random.randrange(4)]
        return {
            "category": "promotional" if purpose in ("promo", "newsletter") else "transactional",
            "purpose": purpose,
            "message": f"m-{self.random.getrandbits(40):010x}",
            "order": f"o-{customer}-{small}",
        }

    def _marketing_message_engaged(self, customer: int, small: int) -> dict[str, Any]:
        return {"message": f"m-{self.random.getrandbits(40):010x}", "kind": ("open", "click")[small % 2]}

    def _service_case_opened(self, customer: int, small: int) -> dict[str, Any]:
        return {"case": f"k-{customer}-{small}", "kind": ("complaint", "question", "request")[self.random.randrange(3)]}

    def _service_case_status_changed(self, customer: int, small: int) -> dict[str, Any]:
        return {"case": f"k-{customer}-{small}", "status": ("open", "solved", "closed")[self.random.randrange(3)]}

    def _commerce_order_changed(self, customer: int, small: int) -> dict[str, Any]:
        status = ("placed", "shipped", "cancelled", "processing", "delivered", "placed")[self.random.randrange(6)]
        return {"order": f"o-{customer}-{small}", "status": status, "total": self.random.randrange(10, 500)}

    def _fulfilment_return_changed(self, customer: int, small: int) -> dict[str, Any]:
        return {
            "return": f"r-{customer}-{small}",
            "status": ("requested", "received")[self.random.randrange(2)],
            "item": f"sku-{self.random.randrange(40)}",
        }

    def _marketing_audience_changed(self, customer: int, small: int) -> dict[str, Any]:
        return {
            "audience": f"a-{self.random.randrange(50)}",
            "action": ("added", "removed")[self.random.randrange(2)],
            "platform": "ads",
            "item": f"sku-{self.random.randrange(40)}",
        }

    def _bot_message_sent(self, customer: int, small: int) -> dict[str, Any]:
        return {"conversation": f"c-{customer}", "turn": small, "fallback": self.random.random() < 0.5}

    def _bot_detail_captured(self, customer: int, small: int) -> dict[str, Any]:
        return {"conversation": f"c-{customer}", "field": ("order", "email", "name")[small]}

    def _bot_handoff_requested(self, customer: int, small: int) -> dict[str, Any]:
        return {"conversation": f"c-{customer}", "reason": "asked"}

    def _agent_detail_requested(self, customer: int, small: int) -> dict[str, Any]:
        return {
            "contact": f"t-{customer}-{small}",
            "field": ("order", "email", "name")[small],
            "conversation": f"c-{customer}",
        }

    def _fulfilment_shipment_changed(self, customer: int, small: int) -> dict[str, Any]:
        return {
            "shipment": f"s-{customer}-{small}",
            "status": ("in_transit", "delivered")[small % 2],
            "order": f"o-{customer}-{small}",
        }


def _stamp(second: int) -> str:
    days, rest = divmod(second - START, 86_400)
    return f"2026-{1 + days // 28:02d}-{1 + days % 28:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"


def lines(events: int, customers: int, late: int, seed: int = 7, share: float = 0.02) -> Iterator[bytes]:
    """The lines of a workload in order of their arrival.

    Units: `late` in seconds, how much later than it happened an event of the late share may arrive
    """
    writer = Writer(seed, customers)
    rng = random.Random(seed + 1)
    span = 27 * 86_400
    waiting: list[tuple[float, int, bytes]] = []
    for number in range(events):
        second = START + span * number / events
        line = orjson.dumps(writer.event(number, second), option=orjson.OPT_APPEND_NEWLINE)
        arrives = second + rng.random() * late if rng.random() < share else second
        heapq.heappush(waiting, (arrives, number, line))
        if rng.random() < 0.005:
            heapq.heappush(waiting, (arrives + rng.random() * 60, number, line))
        while waiting and waiting[0][0] <= second:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def main() -> None:
    """Write a workload to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--late", type=int, default=300)
    parser.add_argument("--share", type=float, default=0.02)
    arguments = parser.parse_args()
    with arguments.out.open("wb", buffering=1 << 20) as file:
        file.writelines(lines(arguments.events, arguments.customers, arguments.late, share=arguments.share))


if __name__ == "__main__":
    main()
