"""Steps that are due later: whom an alert goes to when nobody has looked at it by then, or when hours begin.

What enters: a connection in a transaction, decisions with their steps.
What leaves: rows, each of which is taken once, by one process, in the transaction that writes what is told.
The next room: `outbox`.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, bindparam, select

from coordwatch.adapters.alert_rows import from_flat
from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.outbox_tables import steps
from coordwatch.adapters.sql.schema import alerts
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.alert import ENGINE, Alert
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.codec import decode_json, encode_json
from coordwatch.events.times import MINUTE
from coordwatch.notify.decide import NotifyReason
from coordwatch.notify.plan import Decided
from coordwatch.notify.route import Step

_CHUNK = 400
# How long at most until a step that something holds back is looked at again: a person may end that early.
_AGAIN = 5 * MINUTE
_THIS = and_(steps.c.alert == bindparam("of_alert"), steps.c.name == bindparam("of_name"))


def keep_steps(connection: Connection, decisions: Sequence[Decided]) -> None:
    """What was to come for these alerts is over; what comes now is kept."""
    ids = [one.alert.id for one in decisions]
    for start in range(0, len(ids), _CHUNK):
        connection.execute(steps.delete().where(steps.c.alert.in_(ids[start : start + _CHUNK])))
    rows = [
        {
            "alert": one.alert.id,
            "name": step.name,
            "due": step.due,
            "receivers": encode_json(list(step.to)).decode(),
            "reason": step.reason.value,
            "words": step.words,
        }
        for one in decisions
        if one.reason.tells
        for step in one.steps
    ]
    upsert(connection, steps, rows)


def due_steps(connection: Connection, at: int, limit: int) -> list[tuple[Alert, Step]]:
    """Steps that are due, longest ago first. Units: microseconds since 1970 UTC."""
    question = (
        select(steps.c.name, steps.c.due, steps.c.receivers, steps.c.reason, steps.c.words, alerts)
        .join(alerts, alerts.c.id == steps.c.alert)
        .where(steps.c.due <= at)
        .order_by(steps.c.due, steps.c.alert, steps.c.name)
    )
    return [
        (
            from_flat(dict(row)),
            Step(
                row["name"], row["due"], tuple(decode_json(row["receivers"])), NotifyReason(row["reason"]), row["words"]
            ),
        )
        for row in connection.execute(question.limit(limit)).mappings()
    ]


def take(connection: Connection, decisions: Iterable[Decided], at: int) -> list[Decided]:
    """Those of these steps that are taken now: each once, whoever else tries, and only where the alert is open still.

    What is held back is looked at again later. Units: microseconds since 1970 UTC
    """
    taken: list[Decided] = []
    for one in decisions:
        this = {"of_alert": one.alert.id, "of_name": one.step}
        standing = select(alerts.c.status).join(steps, steps.c.alert == alerts.c.id).where(_THIS, steps.c.due <= at)
        status = connection.execute(standing, this).scalar()
        if status == AlertStatus.OPEN.value and one.hold is not None:
            again = max(at + 1, min(one.hold.until or at + _AGAIN, at + _AGAIN))
            connection.execute(steps.update().where(_THIS).values(due=again), this)
            continue
        if status is not None:
            connection.execute(steps.delete().where(_THIS), this)
        if status == AlertStatus.OPEN.value:
            taken.append(one)
    write_down(connection, [_deed(one, at) for one in taken if one.reason is NotifyReason.ESCALATED])
    return taken


def _deed(one: Decided, at: int) -> Deed:
    facts = {"to": ", ".join(sorted(one.to or ())), "step": one.step, "rule": one.alert.rule}
    return Deed(at, ENGINE, DeedKind.ALERT_ESCALATE, one.alert.id, facts)
