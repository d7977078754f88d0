"""Verdicts in the database: one row an alert, kept also when the alert is gone, so that a rule's precision stays.

What enters: a connection in a writing transaction, an alert, what a person asked.
What leaves: rows; how often each verdict stands, by rule.
The next room: `store`, inside whose transaction people act.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.schema import audit, verdicts
from coordwatch.alerts.alert import ENGINE, Alert, Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.verdict import Judged, Verdict, judged_after

_STANDS = select(verdicts.c.verdict, verdicts.c.before).where(verdicts.c.alert == bindparam("judged"))
_LAST = (
    select(audit.c.action)
    .where(audit.c.alert == bindparam("judged"), audit.c.actor != ENGINE)
    .order_by(audit.c.number.desc())
    .limit(1)
)


def standing_verdict(connection: Connection, alert: str) -> Judged:
    """The verdict that stands on an alert."""
    row = connection.execute(_STANDS, {"judged": alert}).first()
    return Judged() if row is None else Judged(_read(row.verdict), _read(row.before))


def judge(connection: Connection, alert: Alert, order: Order) -> None:
    """Keep the verdict that stands after what a person does; called before their line stands in the alert's history."""
    judge_all(connection, [alert], order)


def judge_all(connection: Connection, several: Sequence[Alert], order: Order) -> None:
    """The same for what is done to many alerts at once."""
    stands = select(verdicts.c.alert, verdicts.c.verdict, verdicts.c.before)
    known = stands.where(verdicts.c.alert.in_([one.id for one in several]))
    found = {row.alert: Judged(_read(row.verdict), _read(row.before)) for row in connection.execute(known)}
    rows = []
    for alert in several:
        judged = found.get(alert.id, Judged())
        last = connection.execute(_LAST, {"judged": alert.id}).scalar() if order.action is AlertAction.UNDO else None
        after = judged_after(judged, order.action, order.verdict, None if last is None else AlertAction(last))
        if after != judged:
            rows.append(
                {
                    "alert": alert.id,
                    "rule": alert.rule,
                    "verdict": _written(after.verdict),
                    "before": _written(after.before),
                }
            )
    upsert(connection, verdicts, rows)


def verdict_counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How often each verdict stands, by rule."""
    question = select(verdicts.c.rule, verdicts.c.verdict, func.count()).where(verdicts.c.verdict != "")
    counts: dict[str, dict[str, int]] = {}
    for rule, verdict, amount in connection.execute(question.group_by(verdicts.c.rule, verdicts.c.verdict)):
        counts.setdefault(rule, {})[verdict] = amount
    return counts


def _read(text: str) -> Verdict | None:
    return Verdict(text) if text else None


def _written(verdict: Verdict | None) -> str:
    return "" if verdict is None else verdict.value
