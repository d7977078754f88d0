"""What holds an open alert back just now: looked up for all alerts about which is being decided.

What enters: alerts with their cards, the present.
What leaves: by alert what holds it back.
The next room: `processor.telling`, which asks before somebody is told.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from coordwatch.adapters.alert_rows import SEVERITY_RANK
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.held import is_due, release
from coordwatch.adapters.sql.incident_book import incident_from
from coordwatch.adapters.sql.incident_tables import incidents
from coordwatch.adapters.sql.inhibiting import inhibitor
from coordwatch.adapters.sql.placing import place_waiting, some_wait
from coordwatch.adapters.sql.schema import alerts
from coordwatch.adapters.sql.silences import active_silences
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.incident import IncidentStatus, holds_quiet
from coordwatch.alerts.labels import Labels, labels_of
from coordwatch.alerts.silence import Silence, silenced_by
from coordwatch.notify.decide import Hold
from coordwatch.notify.holds import Quiet, by_alert, by_incident, by_silence, by_window
from coordwatch.notify.maintenance import muted_by

_CHUNK = 400


class SqlHolding:
    """The Holding of a database. Takes: `quiet`, what the settings say."""

    def __init__(self, write: Transaction, read: Transaction, cards: Mapping[str, RuleCard], quiet: Quiet) -> None:
        self._write, self._read, self._cards, self._quiet = write, read, cards, quiet

    def prepare(self, now: int) -> None:
        """Have it decided anew where a hold has ended, and every alert placed in an incident. Raises: TemporaryError."""
        with self._read() as connection:
            due, waiting = is_due(connection, now), some_wait(connection)
        if not due and not waiting:
            return
        with self._write() as connection:
            release(connection, now)
            place_waiting(connection, now)

    def holds(self, about: Sequence[tuple[Alert, RuleCard]], now: int) -> Mapping[str, Hold]:
        """By alert what holds it back: a person's silence before what the settings say, and both before other alerts."""
        if not about:
            return {}
        found: dict[str, Hold] = {}
        with self._read() as connection:
            silences, taken = active_silences(connection, now), _taken(connection, about)
            for alert, card in about:
                hold = self._hold(connection, silences, (alert, labels_of(alert, card)), now) or taken.get(alert.id)
                if hold is not None:
                    found[alert.id] = hold
        return found

    def _hold(
        self, connection: Connection, silences: Sequence[Silence], target: tuple[Alert, Labels], now: int
    ) -> Hold | None:
        silence = silenced_by(silences, target[1], now)
        if silence is not None:
            return by_silence(silence)
        window = muted_by(self._quiet.maintenance, target[1], now)
        if window is not None:
            return by_window(window, now)
        source = inhibitor(connection, self._quiet.inhibit, target, self._cards) if self._quiet.inhibit else None
        return None if source is None else by_alert(source)


def _taken(connection: Connection, about: Sequence[tuple[Alert, RuleCard]]) -> dict[str, Hold]:
    """Alerts whose incident somebody has taken, and that are no worse than what they saw then."""
    taken = select(incidents).where(incidents.c.status == IncidentStatus.ACKNOWLEDGED.value)
    known = {row["id"]: incident_from(row) for row in connection.execute(taken).mappings()}
    if not known:
        return {}
    ranks = {alert.id: SEVERITY_RANK[card.severity.value] for alert, card in about}
    mine = select(alerts.c.id, alerts.c.incident_id).where(alerts.c.incident_id.in_(known))
    found: dict[str, Hold] = {}
    every = list(ranks)
    for start in range(0, len(every), _CHUNK):
        for row in connection.execute(mine.where(alerts.c.id.in_(every[start : start + _CHUNK]))):
            if holds_quiet(known[row.incident_id], ranks[row.id]):
                found[row.id] = by_incident(known[row.incident_id])
    return found
