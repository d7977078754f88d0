"""Deeds of alerts: what became of them, by people and by the engine.

What enters: changes of alerts, who did it and when.
What leaves: one Deed for each change that is more than an amendment.
The next room: the stores, which write them down in the same transaction.
"""

from collections.abc import Iterable, Iterator

from coordwatch.alerts.alert import ENGINE, Order
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.verdict import verdict_of
from coordwatch.audit.chain import Link
from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.codec import NotJson, decode_json
from coordwatch.events.times import format_time


def deeds_of(changes: Iterable[AlertChange], now: int) -> list[Deed]:
    """What the engine did: alerts that are new or stand elsewhere than before. Units: microseconds since 1970 UTC."""
    return [
        _deed(change, ENGINE, now, {})
        for change in changes
        if change.action is not None and change.before is not change.alert.status
    ]


def deed_of(change: AlertChange, order: Order) -> Deed:
    """What a person did. What they wrote beside it is not repeated, since it may name somebody."""
    facts: dict[str, Fact] = {"noted": True} if order.note else {}
    if order.ends is not None:
        facts["until"] = format_time(order.ends)
    if order.when is not None:
        facts["when"] = order.when.when.value
    verdict = verdict_of(order.action, order.verdict)
    if verdict is not None:
        facts["verdict"] = verdict.value
    return _deed(change, order.actor, order.now, facts)


class Last:
    """Where the trail left each alert; it listens to links on their way to a check."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}

    def heard(self, links: Iterable[Link]) -> Iterator[Link]:
        """The same links, remembered."""
        for link in links:
            status = status_after(link)
            if status is not None:
                self.statuses[link.subject] = status
            yield link


def status_after(link: Link) -> str | None:
    """The status in which a link left an alert; None for a link of something else."""
    if not link.kind.startswith("alert."):
        return None
    try:
        after = decode_json(link.facts).get("after")
    except (NotJson, AttributeError):
        return None
    return after if isinstance(after, str) else None


def _deed(change: AlertChange, actor: str, now: int, facts: dict[str, Fact]) -> Deed:
    alert = change.alert
    assert change.action is not None, "an amendment is no deed"
    moved: dict[str, Fact] = {"after": alert.status.value, "version": alert.version, "rule": alert.rule}
    if change.before is not None:
        moved["before"] = change.before.value
    return Deed(now, actor, DeedKind(f"alert.{change.action.value}"), alert.id, moved | facts)
