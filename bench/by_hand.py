"""The same five rules as somebody would write them by hand: one loop, dictionaries, no second thoughts.

It decides each event when it arrives, so it is quick, and wrong wherever events arrive out of order.

    python -m bench.by_hand FILE
"""

import json
import sys
import time
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

HOUR = 3600.0
DAY = 24 * HOUR


class Customer:
    """What the loop remembers of one customer."""

    __slots__ = ("captured", "cases", "closed", "fallbacks", "handed", "notices", "pending", "returned", "seen")

    def __init__(self) -> None:
        self.cases: dict[str, tuple[float, str]] = {}
        self.closed: dict[str, tuple[float, float, str]] = {}
        self.returned: dict[str, tuple[float, str]] = {}
        self.fallbacks: dict[str, deque[tuple[float, str]]] = {}
        self.handed: dict[str, tuple[float, str]] = {}
        self.captured: dict[str, tuple[float, str]] = {}
        self.pending: dict[str, list[tuple[float, str]]] = {}
        self.seen: set[str] = set()


class Loop:
    """The loop; `found` holds what it raised."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.found: list[tuple[str, str, str]] = []
        self.deadlines: deque[tuple[float, str, str, str]] = deque()
        self.clock = 0.0

    def take(self, line: bytes) -> None:
        """Take one line."""
        event = orjson.loads(line)
        kind = event["type"].removeprefix("org.coordwatch.")
        key = event["subject"]
        now = datetime.fromisoformat(event["time"]).timestamp()
        self.clock = max(self.clock, now)
        deadlines = self.deadlines
        while deadlines and deadlines[0][0] < self.clock:
            self.expire(*deadlines.popleft())
        customer = self.customers.get(key)
        if customer is None:
            customer = self.customers[key] = Customer()
        name = event["id"]
        if name in customer.seen:
            return
        customer.seen.add(name)
        data = event["data"]
        if kind == "marketing.message.sent":
            self.message(customer, key, now, name, data)
        elif kind == "service.case.opened":
            if data["kind"] == "complaint":
                customer.cases.setdefault(data["case"], (now, name))
        elif kind == "service.case.status_changed":
            if data["status"] in ("solved", "closed"):
                opened = customer.cases.pop(data["case"], None)
                if opened is not None:
                    customer.closed[data["case"]] = (opened[0], now, opened[1])
        elif kind == "commerce.order.changed":
            if data["status"] == "cancelled":
                customer.pending.setdefault(data["order"], []).append((now, name))
                deadlines.append((now + HOUR, key, data["order"], name))
        elif kind == "fulfilment.return.changed":
            if data["status"] == "received":
                customer.returned[data["item"]] = (now, name)
        elif kind == "marketing.audience.changed":
            if data["action"] == "added":
                returned = customer.returned.get(data["item"])
                if returned is not None and now - returned[0] < 30 * DAY:
                    self.found.append(("ad-for-returned-item", key, name))
        elif kind == "bot.message.sent":
            if data["fallback"]:
                self.fallback(customer, key, now, name, data)
        elif kind == "bot.detail.captured":
            customer.captured[data["field"]] = (now, name)
        elif kind == "bot.handoff.requested":
            customer.handed[data["conversation"]] = (now, name)
        elif kind == "agent.detail.requested":
            captured = customer.captured.get(data["field"])
            handed = customer.handed.get(data["conversation"])
            if captured and handed and captured[0] <= handed[0] and now - captured[0] < DAY:
                self.found.append(("details-asked-again", key, name))

    def message(self, customer: Customer, key: str, now: float, name: str, data: dict[str, Any]) -> None:
        """A message: maybe a promotion during a complaint, maybe the notice of a cancellation."""
        if data["category"] == "promotional":
            for opened, _ in customer.cases.values():
                if opened <= now - 600:
                    self.found.append(("promo-during-open-complaint", key, name))
                    return
            for opened, closed, _ in customer.closed.values():
                if closed > now - 48 * HOUR and opened <= now - 600:
                    self.found.append(("promo-during-open-complaint", key, name))
                    return
        elif data["purpose"] == "cancellation_notice":
            customer.pending.pop(data["order"], None)

    def fallback(self, customer: Customer, key: str, now: float, name: str, data: dict[str, Any]) -> None:
        """A fallback of the bot: the third within 15 minutes without a hand-off."""
        times = customer.fallbacks.setdefault(data["conversation"], deque())
        while times and times[0][0] <= now - 900:
            times.popleft()
        if len(times) >= 2:
            handed = customer.handed.get(data["conversation"])
            if handed is None or handed[0] < times[-2][0]:
                self.found.append(("bot-loop", key, name))
        times.append((now, name))

    def expire(self, deadline: float, key: str, order: str, name: str) -> None:
        """The hour after a cancellation is over."""
        pending = self.customers[key].pending.get(order)
        if pending and any(event == name for _, event in pending):
            self.found.append(("cancellation-without-notice", key, name))


def main() -> None:
    """Run the loop over a file and print how long it took and what it found."""
    loop = Loop()
    take = loop.take
    start = time.process_time()
    count = 0
    with Path(sys.argv[1]).open("rb") as file:
        for line in file:
            take(line)
            count += 1
    seconds = time.process_time() - start
    print(json.dumps({"events": count, "seconds": round(seconds, 3), "found": sorted(map(list, loop.found))}))


if __name__ == "__main__":
    main()
