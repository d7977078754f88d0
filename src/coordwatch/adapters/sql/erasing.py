"""Erasing in the database: rows of forgotten customers deleted, the file written anew, and what its bytes still name.

What enters: customers and dead letters that must go.
What leaves: a file in which nothing is left of them, or the names that are.
The next room: `store`, inside whose transaction rows are deleted.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, or_, select, union

from coordwatch.adapters.alert_rows import reduced
from coordwatch.adapters.sql.schema import alerts, aliases, audit, dead_letters, deadlines, detections, items
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.plain import detection_from_plain
from coordwatch.codec import decode_json
from coordwatch.processor.traces import names_in
from coordwatch.rules.detection import DetectionStatus

_CHUNK, _OVERLAP = 8 * 1024 * 1024, 128
_CUSTOMERS = ("customer/", "given/")
_LEFT = select(detections.c.body, detections.c.status, detections.c.alert).where(
    detections.c.alert == bindparam("alert")
)


def erase(
    connection: Connection, customers: Sequence[str], letters: Sequence[str], cards: Mapping[str, RuleCard]
) -> None:
    """Delete the alerts and detections of customers, what was done about them, and dead letters.

    Of an alert about several customers only what is theirs goes; what people wrote about it goes too, since it may name them.
    """
    for letter in letters:
        connection.execute(dead_letters.delete().where(dead_letters.c.id == letter))
    for customer in customers:
        touched = select(detections.c.alert).where(detections.c.customer == customer, detections.c.alert.is_not(None))
        found = select(alerts.c.id).where(or_(alerts.c.customer == customer, alerts.c.id.in_(touched)))
        ids = list(connection.execute(found).scalars())
        connection.execute(detections.delete().where(detections.c.customer == customer))
        connection.execute(aliases.delete().where(or_(aliases.c.old == customer, aliases.c.customer == customer)))
        for alert in ids:
            _reduce(connection, alert, cards)


def _reduce(connection: Connection, alert: str, cards: Mapping[str, RuleCard]) -> None:
    left = [
        Filed(detection_from_plain(decode_json(row.body)), DetectionStatus(row.status), row.alert)
        for row in connection.execute(_LEFT, {"alert": alert})
    ]
    mine = alerts.c.id == alert
    if left:
        row: dict[str, Any] = dict(connection.execute(select(alerts).where(mine)).mappings().one())
        connection.execute(alerts.update().where(mine).values(reduced(row, left, cards)))
        connection.execute(audit.update().where(audit.c.alert == alert).values(note=""))
        return
    connection.execute(alerts.delete().where(mine))
    connection.execute(audit.delete().where(audit.c.alert == alert))


def compact(engine: Engine) -> None:
    """Write the file anew, without free pages, and empty the log beside it."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        raw.close()


def names_in_files(path: Path) -> Iterator[str]:
    """Every customer key we made and every digest that stands in the bytes of a database or of its log."""
    for one in (path, path.with_name(f"{path.name}-wal")):
        if not one.exists():
            continue
        with one.open("rb") as file:
            before = b""
            while chunk := file.read(_CHUNK):
                yield from names_in(before + chunk)
                before = chunk[-_OVERLAP:]


def customers_in(connection: Connection) -> Iterator[str]:
    """Every customer key that stands in a column for one, whatever it looks like."""
    columns = (alerts.c.customer, detections.c.customer, deadlines.c.customer, aliases.c.old, aliases.c.customer)
    yield from connection.execute(union(*(select(one) for one in columns))).scalars()
    for prefix in _CUSTOMERS:
        keys = select(items.c.key).where(items.c.key >= prefix, items.c.key < prefix + "\uffff")
        for key in connection.execute(keys).scalars():
            yield key.removeprefix(prefix).split("/", 1)[-1] if prefix == "given/" else key.removeprefix(prefix)
