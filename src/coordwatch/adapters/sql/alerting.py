"""What a runtime asks of the alerts of a database now and then: wake what slept, close what ended, what nobody decided on.

What enters: the present, decisions.
What leaves: changed alerts, told to whoever listens.
The next room: `store`, which adds the rest of the writing side.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select

from coordwatch.adapters.alert_rows import LIVE_STATUSES, from_flat
from coordwatch.adapters.sql.book import SqlBook
from coordwatch.adapters.sql.errors import translated
from coordwatch.adapters.sql.read import SqlReader
from coordwatch.adapters.sql.schema import alerts, detections
from coordwatch.adapters.sql.state import reopen_notices
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.alert import Alert, moved_by_engine
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus
from coordwatch.audit.of_alerts import deeds_of
from coordwatch.codec import decode_json

Listener = Callable[[Sequence[AlertChange]], None]
_AT_ONCE = 1000


class SqlAlerting(SqlReader):
    """The life of alerts as time passes; the one writer of a process."""

    def __init__(self, reading: Engine, writing: Engine, cards: Mapping[str, RuleCard]) -> None:
        super().__init__(reading)
        self._writing, self._cards = writing, cards
        self._one_writer = threading.Lock()
        self.listen: Listener = lambda _: None

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._one_writer, translated(), self._writing.begin() as connection:
            yield connection

    def wake_snoozed(self, now: int) -> list[AlertChange]:
        """Open the alerts whose snooze has ended. Units: microseconds since 1970 UTC."""
        question = select(alerts.c.id).where(alerts.c.status == AlertStatus.SNOOZED.value, alerts.c.snooze_until <= now)
        with self._read() as connection:
            ids = list(connection.execute(question.order_by(alerts.c.snooze_until).limit(_AT_ONCE)).scalars())
        if not ids:
            return []
        changes: list[AlertChange] = []
        with self._write() as connection:
            book = SqlBook(connection, self._cards)
            for alert_id in ids:
                before = book.alert(alert_id)
                if before is None or before.status is not AlertStatus.SNOOZED:
                    continue
                after, entry = moved_by_engine(before, AlertAction.WAKE, now, "the snooze ended")
                book.save(after, entry)
                changes.append(AlertChange(AlertAction.WAKE, after, before.status))
            reopen_notices(connection, changes)
            write_down(connection, deeds_of(changes, now))
        self.listen(changes)
        return changes

    def close_rules_that_ended(self, now: int) -> int:
        """Resolve what is open of rules that are retired or no longer there (RULES 36), and say how many."""
        live = [card.id for card in self._cards.values() if card.raises_alerts]
        open_now = alerts.c.status.in_(LIVE_STATUSES)
        with self._write() as connection:
            book = SqlBook(connection, self._cards)
            ids = list(connection.execute(select(alerts.c.id).where(open_now, alerts.c.rule.not_in(live))).scalars())
            changes: list[AlertChange] = []
            for alert_id in ids:
                before = book.alert(alert_id)
                assert before is not None, "the id was read in this transaction"
                after, entry = moved_by_engine(before, AlertAction.RESOLVE, now, "rule_retired")
                book.save(after, entry)
                changes.append(AlertChange(AlertAction.RESOLVE, after, before.status))
            reopen_notices(connection, changes)
            write_down(connection, deeds_of(changes, now))
        return len(ids)

    def undecided(self, limit: int) -> list[Alert]:
        """Alerts of which nobody has decided yet whether somebody is told, oldest first."""
        question = (
            select(alerts).where(alerts.c.notice.is_(None)).order_by(alerts.c.raised_at, alerts.c.id).limit(limit)
        )
        with self._read() as connection:
            return [from_flat(dict(row)) for row in connection.execute(question).mappings()]

    def decided(self, reasons: Mapping[str, str]) -> None:
        """Keep what was decided, by alert."""
        if not reasons:
            return
        statement = alerts.update().where(alerts.c.id == bindparam("alert")).values(notice=bindparam("reason"))
        with self._write() as connection:
            connection.execute(statement, [{"alert": alert, "reason": reason} for alert, reason in reasons.items()])

    def standing_detections(self) -> Iterator[dict[str, Any]]:
        """Every detection that is not retracted, as plain data, by (at, id)."""
        question = select(detections.c.body).where(detections.c.status != "retracted")
        with self._read() as connection:
            for body in connection.execute(question.order_by(detections.c.at, detections.c.id)).scalars():
                yield decode_json(body)
