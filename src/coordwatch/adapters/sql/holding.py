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
from coordwatch.adapters.sql.placing import place_waiting, some_wait
from coordwatch.adapters.sql.schema import alerts
from coordwatch.adapters.sql.silences import active_silences
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.incident import IncidentStatus, holds_quiet
from coordwatch.alerts.labels import labels_of
from coordwatch.alerts.silence import silenced_by
from coordwatch.notify.decide import Hold
from coordwatch.notify.holds import by_incident, by_silence

_CHUNK = 400


class SqlHolding:
    """The Holding of a database."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

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
        """By alert what holds it back."""
        if not about:
            return {}
        with self._read() as connection:
            silences = active_silences(connection, now)
            found = _taken(connection, about)
        for alert, card in about:
            silence = silenced_by(silences, labels_of(alert, card), now)
            if silence is not None:
                found[alert.id] = by_silence(silence)
        return found


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
