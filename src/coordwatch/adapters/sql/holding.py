"""What holds an open alert back just now: looked up for all alerts about which is being decided.

What enters: alerts with their cards, the present.
What leaves: by alert what holds it back.
The next room: `processor.telling`, which asks before somebody is told.
"""

from collections.abc import Mapping, Sequence

from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.held import is_due, release
from coordwatch.adapters.sql.silences import active_silences
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.labels import labels_of
from coordwatch.alerts.silence import silenced_by
from coordwatch.notify.decide import Hold
from coordwatch.notify.holds import by_silence


class SqlHolding:
    """The Holding of a database."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

    def release(self, now: int) -> None:
        """Have it decided anew where a hold has ended. Raises: TemporaryError."""
        with self._read() as connection:
            if not is_due(connection, now):
                return
        with self._write() as connection:
            release(connection, now)

    def holds(self, about: Sequence[tuple[Alert, RuleCard]], now: int) -> Mapping[str, Hold]:
        """By alert what holds it back."""
        if not about:
            return {}
        with self._read() as connection:
            silences = active_silences(connection, now)
        found: dict[str, Hold] = {}
        for alert, card in about:
            silence = silenced_by(silences, labels_of(alert, card), now)
            if silence is not None:
                found[alert.id] = by_silence(silence)
        return found
