"""The book of one commit: alerts and detections read and written inside its transaction.

What enters: a connection in a transaction, the rule cards.
What leaves: an AlertBook for `alerts.fold`.
The next room: `store`, which opens the transaction.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from coordwatch.adapters.alert_rows import card_columns, flat, from_flat, key_text
from coordwatch.adapters.sql.schema import alerts, audit, detections
from coordwatch.alerts.alert import ENGINE, Alert, Entry
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.plain import detection_from_plain, detection_to_plain
from coordwatch.codec import decode_json, encode_json
from coordwatch.rules.detection import Detection, DetectionStatus


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    add: tuple[str, ...] = (),
    keep: tuple[str, ...] = (),
) -> None:
    """Insert rows, or replace what stands under their primary keys.

    Takes: columns to `add` up instead, and columns to `keep` as they stand
    """
    if rows:
        columns = tuple(rows[0])
        make = _upsert_postgres if connection.dialect.name == "postgresql" else _upsert_sqlite
        connection.execute(make(table, columns, add, keep), list(rows))


# Statements are made once: making one costs more than running it. Each database has its own kind, with the same words.
@cache
def _upsert_sqlite(
    table: Table, columns: tuple[str, ...], add: tuple[str, ...], keep: tuple[str, ...]
) -> sqlite.Insert:
    statement = sqlite.insert(table).values({name: bindparam(name) for name in columns})
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys, set_=_change(table, statement.excluded, columns, add, keep)
    )


@cache
def _upsert_postgres(
    table: Table, columns: tuple[str, ...], add: tuple[str, ...], keep: tuple[str, ...]
) -> postgresql.Insert:
    statement = postgresql.insert(table).values({name: bindparam(name) for name in columns})
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys, set_=_change(table, statement.excluded, columns, add, keep)
    )


def _change(
    table: Table, excluded: Any, columns: tuple[str, ...], add: tuple[str, ...], keep: tuple[str, ...]
) -> dict[str, Any]:
    keys = table.primary_key.columns
    return {
        name: table.c[name] + excluded[name] if name in add else excluded[name]
        for name in columns
        if name not in keys and name not in keep
    }


_FILED = select(detections.c.body, detections.c.status, detections.c.alert).where(detections.c.id == bindparam("id"))
_NEWEST = (
    select(detections.c.body)
    .where(detections.c.alert == bindparam("alert"), detections.c.status != DetectionStatus.RETRACTED.value)
    .order_by(detections.c.at.desc(), detections.c.id.desc())
    .limit(1)
)
_ALERT = select(alerts).where(alerts.c.id == bindparam("id"))
_NEAREST = (
    select(alerts)
    .where(alerts.c.rule == bindparam("rule"), alerts.c.key == bindparam("key"))
    .where(alerts.c.last_at > bindparam("after"), alerts.c.first_at < bindparam("before"))
    .order_by(alerts.c.last_at.desc(), alerts.c.id)
    .limit(1)
)
_ENTRY = audit.insert()
_OF_CARD = ("title", "severity", "severity_rank", "owner")


class SqlBook:
    """An AlertBook over one transaction."""

    def __init__(self, connection: Connection, cards: Mapping[str, RuleCard]) -> None:
        self._connection = connection
        self._cards = cards

    def filed(self, detection: str) -> Filed | None:
        row = self._connection.execute(_FILED, {"id": detection}).first()
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
        body = self._connection.execute(_NEWEST, {"alert": alert}).scalar()
        return None if body is None else detection_from_plain(decode_json(body))

    def alert(self, alert: str) -> Alert | None:
        row = self._connection.execute(_ALERT, {"id": alert}).mappings().first()
        return None if row is None else from_flat(dict(row))

    def nearest_alert(self, rule: str, key: tuple[str, ...], after: int, before: int) -> Alert | None:
        wanted = {"rule": rule, "key": key_text(key), "after": after, "before": before}
        row = self._connection.execute(_NEAREST, wanted).mappings().first()
        return None if row is None else from_flat(dict(row))

    def save(self, alert: Alert, entry: Entry | None) -> None:
        card = self._cards.get(alert.rule)
        by_person = entry is not None and entry.actor != ENGINE
        note = entry.note if entry is not None and by_person else ""
        row = flat(alert) | card_columns(card or unknown_card(alert.rule)) | {"note": note}
        # A store without the rule's card (the command line) leaves the words of the rule as they are.
        keep = (() if card else _OF_CARD) + (() if by_person else ("note",))
        upsert(self._connection, alerts, [row], keep=keep)
        if entry is not None:
            self._connection.execute(_ENTRY, entry_row(alert.id, entry))


def entry_row(alert: str, entry: Entry) -> dict[str, Any]:
    """One line of an audit trail as a row."""
    return {"alert": alert, "at": entry.at, "actor": entry.actor, "action": entry.action.value, "note": entry.note}
