"""The book of one commit: alerts and detections read and written inside its transaction.

What enters: a connection in a transaction, the rule cards.
What leaves: an AlertBook for `alerts.fold`.
The next room: `store`, which opens the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.sqlite import insert

from coordwatch.adapters.alert_rows import card_columns, flat, from_flat, key_text
from coordwatch.adapters.sql.schema import alerts, audit, detections
from coordwatch.alerts.alert import ENGINE, Alert, Entry
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.plain import detection_from_plain, detection_to_plain
from coordwatch.codec import decode_json, encode_json
from coordwatch.rules.detection import Detection, DetectionStatus


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], add: Iterable[str] = ()) -> None:
    """Insert rows, or replace what stands under their primary keys; the columns in `add` are added up instead."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    adding = set(add)
    statement = insert(table)
    change = {
        name: table.c[name] + statement.excluded[name] if name in adding else statement.excluded[name]
        for name in rows[0]
        if name not in keys
    }
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=change), list(rows))


class SqlBook:
    """An AlertBook over one transaction."""

    def __init__(self, connection: Connection, cards: Mapping[str, RuleCard]) -> None:
        self._connection = connection
        self._cards = cards

    def filed(self, detection: str) -> Filed | None:
        columns = (detections.c.body, detections.c.status, detections.c.alert)
        row = self._connection.execute(select(*columns).where(detections.c.id == detection)).first()
        if row is None:
            return None
        return Filed(detection_from_plain(decode_json(row.body)), DetectionStatus(row.status), row.alert)

    def file(self, filed: Filed) -> None:
        detection = filed.detection
        body = detection_to_plain(detection) | {"status": filed.status.value}
        row = {
            "id": detection.id,
            "rule": detection.rule,
            "customer": detection.customer,
            "alert": filed.alert,
            "at": detection.at,
            "status": filed.status.value,
            "body": encode_json(body),
        }
        upsert(self._connection, detections, [row])

    def newest_standing(self, alert: str) -> Detection | None:
        question = (
            select(detections.c.body)
            .where(detections.c.alert == alert, detections.c.status != DetectionStatus.RETRACTED.value)
            .order_by(detections.c.at.desc(), detections.c.id.desc())
            .limit(1)
        )
        body = self._connection.execute(question).scalar()
        return None if body is None else detection_from_plain(decode_json(body))

    def alert(self, alert: str) -> Alert | None:
        row = self._connection.execute(select(alerts).where(alerts.c.id == alert)).mappings().first()
        return None if row is None else from_flat(dict(row))

    def nearest_alert(self, rule: str, key: tuple[str, ...], after: int, before: int) -> Alert | None:
        question = (
            select(alerts)
            .where(alerts.c.rule == rule, alerts.c.key == key_text(key))
            .where(alerts.c.last_at > after, alerts.c.first_at < before)
            .order_by(alerts.c.last_at.desc(), alerts.c.id)
            .limit(1)
        )
        row = self._connection.execute(question).mappings().first()
        return None if row is None else from_flat(dict(row))

    def save(self, alert: Alert, entry: Entry | None) -> None:
        card = self._cards.get(alert.rule)
        known = self._connection.execute(select(alerts.c.id).where(alerts.c.id == alert.id)).first() is not None
        columns = flat(alert) | (card_columns(card) if card else {})
        if entry is not None and entry.actor != ENGINE:
            columns["note"] = entry.note
        if known:
            self._connection.execute(alerts.update().where(alerts.c.id == alert.id).values(columns))
        else:
            new = card_columns(card or unknown_card(alert.rule)) | {"note": ""}
            self._connection.execute(alerts.insert().values(new | columns))
        if entry is not None:
            self._connection.execute(audit.insert().values(entry_row(alert.id, entry)))


def entry_row(alert: str, entry: Entry) -> dict[str, Any]:
    """One line of an audit trail as a row."""
    return {"alert": alert, "at": entry.at, "actor": entry.actor, "action": entry.action.value, "note": entry.note}
