"""What a stretch of time came to, read from the database.

What enters: two instants.
What leaves: a Stretch.
The next room: `coordwatch report`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from sqlalchemy import BigInteger, Connection, cast, distinct, func, select

from coordwatch.adapters.sql.schema import alerts, ledger
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.report import Stretch
from coordwatch.engine.ledger import HOUR

CAMPAIGNS_MOST = 10


class SqlReports:
    """Reads stretches of whole hours."""

    def __init__(self, read: Callable[[], AbstractContextManager[Connection]], cards: Mapping[str, RuleCard]) -> None:
        self._read, self._cards = read, cards

    def titles(self) -> dict[str, str]:
        """What rules are called, by id: those of now, and those that once raised an alert."""
        question = select(alerts.c.rule, func.max(alerts.c.title)).group_by(alerts.c.rule)
        with self._read() as connection:
            found = {row[0]: row[1] for row in connection.execute(question)}
        return {**found, **{name: card.title for name, card in self._cards.items()}}

    def stretch(self, since: int, until: int) -> Stretch:
        """Everything whose act happened, and every alert whose newest detection lies, at or after one instant and before another.

        Units: microseconds since 1970 UTC, of full hours
        """
        columns = (ledger.c.rule, ledger.c.act_tool, ledger.c.evidence_tool, ledger.c.kind)
        hours = ledger.c.hour.between(since // HOUR, until // HOUR - 1)
        amounts = select(*columns, cast(func.sum(ledger.c.amount), BigInteger)).where(hours).group_by(*columns)
        inside = (alerts.c.at >= since, alerts.c.at < until, alerts.c.status.not_in(("retracted", "not_a_conflict")))
        known = select(alerts.c.rule, alerts.c.attribution, func.count()).where(*inside)
        named = select(alerts.c.campaign, func.count(), func.count(distinct(alerts.c.customer)))
        named = named.where(*inside, alerts.c.campaign.is_not(None)).group_by(alerts.c.campaign)
        named = named.order_by(func.count().desc(), alerts.c.campaign).limit(CAMPAIGNS_MOST)
        with self._read() as connection:
            return Stretch(
                since,
                until,
                [(row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(amounts)],
                {
                    (row[0], row[1]): row[2]
                    for row in connection.execute(known.group_by(alerts.c.rule, alerts.c.attribution))
                },
                [(row[0], row[1], row[2]) for row in connection.execute(named)],
            )
