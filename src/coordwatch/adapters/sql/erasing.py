"""Erasing in the database: rows of forgotten customers deleted, the file written anew, and what its bytes still name.

What enters: customers and dead letters that must go.
What leaves: a file in which nothing is left of them, or the names that are.
The next room: `store`, inside whose transaction rows are deleted.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, LargeBinary, bindparam, or_, select, union

from coordwatch.adapters.alert_rows import LIVE_STATUSES, reduced
from coordwatch.adapters.sql.held_tables import held, silences
from coordwatch.adapters.sql.incident_erasing import expire_incidents, forget_in_incidents
from coordwatch.adapters.sql.incident_tables import incident_audit, incidents, repairs
from coordwatch.adapters.sql.outbox import forget_alert
from coordwatch.adapters.sql.outbox_tables import messages, steps, tellings
from coordwatch.adapters.sql.schema import (
    alerts,
    aliases,
    answers,
    audit,
    dead_letters,
    deadlines,
    detections,
    items,
)
from coordwatch.adapters.sql.words import Words
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.plain import detection_from_plain
from coordwatch.codec import decode_json
from coordwatch.processor.traces import names_in
from coordwatch.rules.detection import DetectionStatus

_CHUNK, _OVERLAP = 8 * 1024 * 1024, 128
_OPEN: dict[tuple[int, int], int] = {}
# The tables whose rows may name a customer.
_NAMING = (
    alerts, aliases, answers, audit, dead_letters, deadlines, detections, incident_audit, incidents, items, messages, repairs,
    silences, tellings,
)  # fmt: skip
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
    if customers:
        connection.execute(answers.delete())  # they repeat what was shown of alerts, for a day at most
    for letter in letters:
        connection.execute(dead_letters.delete().where(dead_letters.c.id == letter))
    for customer in customers:
        touched = select(detections.c.alert).where(detections.c.customer == customer, detections.c.alert.is_not(None))
        found = select(alerts.c.id).where(or_(alerts.c.customer == customer, alerts.c.id.in_(touched)))
        ids = list(connection.execute(found).scalars())
        connection.execute(detections.delete().where(detections.c.customer == customer))
        connection.execute(silences.delete().where(silences.c.matchers.contains(customer, autoescape=True)))
        connection.execute(aliases.delete().where(or_(aliases.c.old == customer, aliases.c.customer == customer)))
        forget_in_incidents(connection, customer, ids)
        for alert in ids:
            forget_alert(connection, alert)
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


def expire(connection: Connection, before_alerts: int, before_letters: int) -> None:
    """Delete closed alerts and dead letters that are older."""
    over = select(alerts.c.id).where(alerts.c.status.not_in(LIVE_STATUSES), alerts.c.last_at < before_alerts)
    connection.execute(detections.delete().where(detections.c.alert.in_(over)))
    connection.execute(detections.delete().where(detections.c.alert.is_(None), detections.c.at < before_alerts))
    connection.execute(audit.delete().where(audit.c.alert.in_(over)))
    connection.execute(tellings.delete().where(tellings.c.alert.in_(over)))
    connection.execute(held.delete().where(held.c.alert.in_(over)))
    connection.execute(steps.delete().where(steps.c.alert.in_(over)))
    connection.execute(messages.delete().where(messages.c.made_at < before_alerts, messages.c.state != "waiting"))
    expire_incidents(connection, over, before_alerts)
    connection.execute(alerts.delete().where(alerts.c.id.in_(over)))
    connection.execute(dead_letters.delete().where(dead_letters.c.at < before_letters))


def compact(engine: Engine) -> None:
    """Write everything anew, without what was deleted: SQLite's file and the log beside it, PostgreSQL's tables."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # A table is written anew one by one; a reader waits for one of them at most.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for one in _NAMING:
                connection.exec_driver_sql(f"VACUUM (FULL) {one.name}")
            return
        cursor = connection.connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()


def names_in_rows(connection: Connection) -> Iterator[str]:
    """Every customer key we made and every digest that stands in a row: whoever has no file looks there."""
    for one in _NAMING:
        wanted = [column for column in one.columns if isinstance(column.type, Words | LargeBinary)]
        question = select(*wanted).execution_options(yield_per=1000)
        for row in connection.execute(question):
            text = b"\x00".join(value if isinstance(value, bytes) else str(value or "").encode() for value in row)
            yield from names_in(text)


def names_in_files(path: Path) -> Iterator[str]:
    """Every customer key we made and every digest that stands in the bytes of a database or of its log."""
    yield from _names_in(path)
    yield from _names_in(path.with_name(f"{path.name}-wal"))


def _names_in(path: Path) -> Iterator[str]:
    try:
        file = _kept_open(path)
    except FileNotFoundError:
        return
    offset, before = 0, b""
    while chunk := os.pread(file, _CHUNK, offset):
        yield from names_in(before + chunk)
        before, offset = chunk[-_OVERLAP:], offset + len(chunk)


def _kept_open(path: Path) -> int:
    """A descriptor to read by, which is never closed: closing one takes every lock of this process on that file away.

    POSIX wants it so, and SQLite locks by POSIX. The next process to leave the database would then take itself for the
    last one and delete the log beside it, with all that this process goes on to write there.
    """
    there = path.stat()
    which = (there.st_dev, there.st_ino)
    if which not in _OPEN:
        _OPEN[which] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return _OPEN[which]


def customers_in(connection: Connection) -> Iterator[str]:
    """Every customer key that stands in a column for one, whatever it looks like."""
    columns = (alerts.c.customer, detections.c.customer, deadlines.c.customer, aliases.c.old, aliases.c.customer)
    yield from connection.execute(union(*(select(one) for one in columns))).scalars()
    for prefix in _CUSTOMERS:
        keys = select(items.c.key).where(items.c.key >= prefix, items.c.key < prefix + "\uffff")
        for key in connection.execute(keys).scalars():
            yield key.removeprefix(prefix).split("/", 1)[-1] if prefix == "given/" else key.removeprefix(prefix)
