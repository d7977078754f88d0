"""People's actions on the alerts of an incident or of a message, inside one transaction: many at once, hence in few statements.

What enters: a connection in a writing transaction, an order.
What leaves: changed alerts, each with a line of its history and of the audit trail.
The next rooms: `incidents` and `store`, which open the transaction.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from coordwatch.adapters.alert_rows import flat, from_flat
from coordwatch.adapters.sql.book import entry_row
from coordwatch.adapters.sql.outbox_tables import messages, tellings
from coordwatch.adapters.sql.schema import alerts, audit
from coordwatch.adapters.sql.state import reopen_notices
from coordwatch.adapters.sql.trail import write_down
from coordwatch.adapters.sql.verdicts import judge_all
from coordwatch.alerts.alert import ActionRefused, Alert, Entry, Order, carry_out
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.audit.of_alerts import deed_of

_CHUNK = 400
# What a person's action may change of an alert; its face and its counts are the engine's.
_MOVED = ("status", "version", "snooze_until", "wake_on_repeat", "wake_when", "wake_about", "undo")
_MOVE = (
    alerts.update()
    .where(alerts.c.id == bindparam("acted_alert"))
    .values({name: bindparam(name) for name in (*_MOVED, "note")})
)


def act_on(connection: Connection, ids: Sequence[str], order: Order) -> list[AlertChange]:
    """Do what a person asks to several alerts; one whose status does not take it stays as it is."""
    changes: list[AlertChange] = []
    for start in range(0, len(ids), _CHUNK):
        part = select(alerts).where(alerts.c.id.in_(ids[start : start + _CHUNK])).order_by(alerts.c.id)
        found = [from_flat(dict(row)) for row in connection.execute(part).mappings()]
        done = [(before, *after) for before in found if (after := _done(before, order)) is not None]
        if not done:
            continue
        judge_all(connection, [before for before, _, _ in done], order)
        connection.execute(_MOVE, [_moved(after, entry) for _, after, entry in done])
        connection.execute(audit.insert(), [entry_row(after.id, entry) for _, after, entry in done])
        changes += [AlertChange(order.action, after, before.status) for before, after, _ in done]
    reopen_notices(connection, changes)
    write_down(connection, [deed_of(one, order) for one in changes])
    return changes


def open_in_message(connection: Connection, channel: str, message: str) -> list[str] | None:
    """The alerts of a message of a channel that nobody has in hand; None when there is no such message."""
    this = (messages.c.id == message, messages.c.channel == channel)
    if connection.execute(select(messages.c.id).where(*this)).first() is None:
        return None
    told = select(tellings.c.alert).where(tellings.c.message == message)
    mine = (alerts.c.id.in_(told), alerts.c.status == AlertStatus.OPEN.value)
    return list(connection.execute(select(alerts.c.id).where(*mine).order_by(alerts.c.id)).scalars())


def _done(before: Alert, order: Order) -> tuple[Alert, Entry] | None:
    try:
        return carry_out(before, order)
    except ActionRefused:
        return None


def _moved(after: Alert, entry: Entry) -> dict[str, object]:
    columns = flat(after)
    return {"acted_alert": after.id, "note": entry.note, **{name: columns[name] for name in _MOVED}}
