"""Snoozes that wait for something: what an alert can wait for, which ones wait, and waking them when it has come.

What enters: a connection, alerts, conditions that have come true.
What leaves: conditions; alerts that are open again.
The next rooms: `store`, where people snooze; `embedded.incident_keeper`, which looks whether it has come.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from coordwatch.adapters.alert_rows import wake_of
from coordwatch.adapters.sql.book import SqlBook
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.incident_tables import darkness
from coordwatch.adapters.sql.schema import alerts, detections
from coordwatch.adapters.sql.state import reopen_notices
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.alert import ActionRefused, moved_by_engine
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus
from coordwatch.alerts.waking import AWAITED, Condition, offered
from coordwatch.audit.of_alerts import deeds_of
from coordwatch.codec import decode_json
from coordwatch.ports import Waiting

_BODIES, _WAITING, _CUSTOMERS = 20, 1000, 20


class SqlWaking:
    """The Waking of a database."""

    def __init__(self, write: Transaction, read: Transaction, cards: Mapping[str, RuleCard]) -> None:
        self._write, self._read, self._cards = write, read, cards

    def waiting(self) -> list[Waiting]:
        """Snoozed alerts that wait for something, those first that may wait longest."""
        question = select(alerts).where(alerts.c.wake_when.is_not(None), alerts.c.status == AlertStatus.SNOOZED.value)
        found = []
        with self._read() as connection:
            for row in connection.execute(
                question.order_by(alerts.c.snooze_until, alerts.c.id).limit(_WAITING)
            ).mappings():
                condition = wake_of(dict(row))
                if condition is not None:
                    found.append(Waiting(row["id"], _customers(connection, row["id"], row["customer"]), condition))
        return found

    def wake(self, alert_id: str, condition: Condition, now: int) -> bool:
        """End the snooze of an alert that still waits for this, since it has come; whether it did."""
        with self._write() as connection:
            book = SqlBook(connection, self._cards)
            before = book.alert(alert_id)
            if before is None or before.status is not AlertStatus.SNOOZED or before.wake_when != condition:
                return False
            after, entry = moved_by_engine(before, AlertAction.CONDITION_MET, now, condition.words)
            book.save(after, entry)
            changes = [AlertChange(AlertAction.CONDITION_MET, after, before.status)]
            reopen_notices(connection, changes)
            write_down(connection, deeds_of(changes, now))
        return True


def conditions_of(connection: Connection, alert_id: str, cards: Mapping[str, RuleCard]) -> list[Condition]:
    """What an alert can wait for. Without the rules, as on the command line, everything that its events name."""
    newest = detections.c.at.desc(), detections.c.id.desc()
    question = select(detections.c.body).where(detections.c.alert == alert_id).order_by(*newest).limit(_BODIES)
    bodies = [decode_json(body) for body in connection.execute(question).scalars()]
    events: list[Mapping[str, Any]] = [one for body in bodies for one in (body["act"], *body["evidence"])]
    tools = {one["tool"] for one in events if one.get("tool")}
    read = frozenset[str]().union(*(one.reads for one in cards.values()))
    if not cards:
        read = frozenset[str]().union(*(one.types for one in AWAITED.values()))
    dark = [
        row.source
        for row in connection.execute(select(darkness).where(darkness.c.until.is_(None)))
        if tools & set(decode_json(row.tools.encode()))
    ]
    return offered((one["data"] for one in events), read, dark)


def check_condition(
    connection: Connection, alert_id: str, wanted: Condition | None, cards: Mapping[str, RuleCard]
) -> None:
    """That an alert can wait for this. Raises: ActionRefused with what it can wait for."""
    if wanted is None:
        return
    can = conditions_of(connection, alert_id, cards)
    if wanted not in can:
        choices = ", ".join(f"{one.when} {one.about}" for one in can) or "a time"
        raise ActionRefused(
            f"this alert cannot wait for '{wanted.when} {wanted.about[:80]}'; it can wait for: {choices}"
        )


def _customers(connection: Connection, alert_id: str, shown: str) -> tuple[str, ...]:
    question = select(detections.c.customer).where(detections.c.alert == alert_id).distinct().limit(_CUSTOMERS)
    return tuple(dict.fromkeys((shown, *connection.execute(question).scalars())))
