"""Looking for the alert that says already what another one would say.

What enters: a connection, inhibition rules, an alert with its labels.
What leaves: the alert that holds it back, if one does.
The next room: `holding`.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, func, or_, select

from coordwatch.adapters.alert_rows import LIVE_STATUSES, from_flat
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.inhibition import InhibitRule
from coordwatch.alerts.labels import Labels, labels_of
from coordwatch.alerts.matchers import Operator

_MOST = 5000
_COLUMNS = {
    "alertname": "rule", "rule": "rule", "severity": "severity", "owner": "owner", "customer": "customer",
    "act_tool": "act_tool", "evidence_tool": "evidence_tool", "campaign": "campaign", "attribution": "attribution",
}  # fmt: skip


def inhibitor(
    connection: Connection,
    rules: Sequence[InhibitRule],
    target: tuple[Alert, Labels],
    cards: Mapping[str, RuleCard],
) -> Alert | None:
    """The earliest alert that holds another one back, None when none does."""
    alert, labels = target
    found: list[Alert] = []
    for rule in rules:
        if not rule.takes(labels):
            continue
        for source in _candidates(connection, rule, labels):
            card = cards.get(source.rule) or unknown_card(source.rule)
            if source.id != alert.id and rule.inhibits(labels_of(source, card), labels):
                found.append(source)
                break
    return min(found, key=lambda one: (one.face.at, one.id), default=None)


def _candidates(connection: Connection, rule: InhibitRule, labels: Labels) -> Iterator[Alert]:
    """Alerts that are not over and that the columns do not rule out, earliest first."""
    conditions = [alerts.c.status.in_(LIVE_STATUSES), *_asked(rule), *_equal(rule, labels)]
    question = select(alerts).where(*conditions).order_by(alerts.c.at, alerts.c.id).limit(_MOST)
    for row in connection.execute(question).mappings():
        yield from_flat(dict(row))


def _asked(rule: InhibitRule) -> Iterator[ColumnElement[bool]]:
    for one in rule.source:
        if one.operator is Operator.EQUAL and one.name in _COLUMNS:
            yield func.coalesce(alerts.c[_COLUMNS[one.name]], "") == one.value


def _equal(rule: InhibitRule, labels: Labels) -> Iterator[ColumnElement[bool]]:
    for name in rule.equal:
        values = labels.get(name) or ("",)
        if name in _COLUMNS:
            column = alerts.c[_COLUMNS[name]]
            yield column == values[0] if values[0] else func.coalesce(column, "") == ""
        elif name == "tool" and values != ("",):
            yield or_(alerts.c.act_tool.in_(values), alerts.c.evidence_tool.in_(values))
