"""People's actions on alerts, inside a transaction: one alert, or all those of an incident.

What enters: a connection in a writing transaction, an order.
What leaves: changed alerts, each with a line of its history and of the audit trail.
The next room: `store` and `incidents`, which open the transaction.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from coordwatch.adapters.sql.book import SqlBook
from coordwatch.adapters.sql.state import reopen_notices
from coordwatch.adapters.sql.trail import write_down
from coordwatch.adapters.sql.verdicts import judge
from coordwatch.alerts.alert import ActionRefused, Order, carry_out
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import AlertChange
from coordwatch.audit.of_alerts import deed_of


def act_on(
    connection: Connection, cards: Mapping[str, RuleCard], ids: Iterable[str], order: Order
) -> list[AlertChange]:
    """Do what a person asks to several alerts; one whose status does not take it stays as it is."""
    book = SqlBook(connection, cards)
    changes: list[AlertChange] = []
    for alert_id in ids:
        before = book.alert(alert_id)
        if before is None:
            continue
        try:
            after, entry = carry_out(before, order)
        except ActionRefused:
            continue
        judge(connection, before, order)
        book.save(after, entry)
        changes.append(AlertChange(order.action, after, before.status))
    reopen_notices(connection, changes)
    write_down(connection, [deed_of(one, order) for one in changes])
    return changes
