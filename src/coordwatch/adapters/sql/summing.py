"""Summing an incident up: how many alerts and customers, how bad, since when, and the likeliest causes.

What enters: a connection in a writing transaction, incidents of which something has changed.
What leaves: their rows, up to date; incidents of which nothing is left to do are over.
The next room: `incidents`, which calls this now and then.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

from coordwatch.adapters.alert_rows import LIVE_STATUSES
from coordwatch.adapters.sql.incident_book import find_incident, save_incident
from coordwatch.adapters.sql.incident_tables import darkness, incidents, revisions
from coordwatch.adapters.sql.repairing import how_many
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.causes import Cause, CauseKind, Change, Dark, Evidence, Moment, Share, ranked, title_of_incident
from coordwatch.alerts.grouping import home_of
from coordwatch.alerts.incident import IncidentAction, moved_incident
from coordwatch.codec import decode_json, encode_json
from coordwatch.events.times import DAY, HOUR

WEEK = 7 * DAY
_MOMENTS = 2000
_GROUPS = (alerts.c.rule, alerts.c.act_tool, alerts.c.evidence_tool, alerts.c.campaign, alerts.c.incident)
_HOMES = {kind.value: kind for kind in (CauseKind.CAMPAIGN, CauseKind.JOURNEY, CauseKind.CARRIER, CauseKind.ITEM)}
Counts = Counter[tuple[CauseKind, str]]


class Around:
    """What there was in the week before, kept for a while since it is much to count. Units: microseconds since 1970 UTC."""

    def __init__(self) -> None:
        self._at: int | None = None
        self._counts: Counts = Counter()
        self._total = 0

    def week(self, connection: Connection, now: int) -> tuple[Counts, int]:
        """How many alerts of the last week have what, and how many there were."""
        if self._at is None or not 0 <= now - self._at < HOUR // 6:
            self._counts, self._total = _counted(connection, alerts.c.at >= now - WEEK)
            self._at = now
        return self._counts, self._total


def sum_up(connection: Connection, incident: str, around: Around, now: int) -> None:
    """Bring the row of an incident up to date; one of which nothing is left to do is over."""
    found = find_incident(connection, incident)
    if found is None:
        return
    mine = alerts.c.incident_id == incident
    live = func.sum(case((alerts.c.status.in_(LIVE_STATUSES), 1), else_=0))
    row = connection.execute(
        select(
            func.count(),
            live,
            func.min(alerts.c.severity_rank),
            func.min(alerts.c.first_at),
            func.max(alerts.c.last_at),
        ).where(mine)
    ).one()
    count, alive, rank, first, last = row
    this = incidents.c.id == incident
    if not count:
        connection.execute(incidents.update().where(this).values(stirred=False, summed_at=now))
        return
    customers, to_repair = how_many(connection, incident)
    causes = ranked(_evidence(connection, incident, around, now))
    severity = connection.execute(
        select(alerts.c.severity).where(mine, alerts.c.severity_rank == rank).limit(1)
    ).scalar()
    connection.execute(
        incidents.update().where(this).values(
            stirred=False, summed_at=now, alerts=count, live=int(alive or 0), customers=customers, to_repair=to_repair,
            severity_rank=rank, severity=severity, first_at=first, last_at=last, causes=encode_json([asdict(one) for one in causes]),
            title=title_of_incident(causes, count, customers, first),
        )
    )  # fmt: skip
    if not alive:
        ended, entry = moved_incident(found, IncidentAction.END, now, "all of its alerts are over")
        if entry is not None:
            save_incident(connection, ended, entry, severity_rank=rank)


def causes_from(body: bytes) -> tuple[Cause, ...]:
    """The causes that `sum_up` kept."""
    return tuple(Cause(**one | {"kind": CauseKind(one["kind"])}) for one in decode_json(body))


def _evidence(connection: Connection, incident: str, around: Around, now: int) -> Evidence:
    inside, count = _counted(connection, alerts.c.incident_id == incident)
    week, total = around.week(connection, now)
    shares = [
        Share(kind, value, many, max(0, week[kind, value] - many)) for (kind, value), many in sorted(inside.items())
    ]
    return Evidence(
        alerts=count,
        outside=max(0, total - count),
        shares=shares,
        moments=_moments(connection, incident),
        changes=[
            Change(CauseKind(row.kind), row.name, row.since)
            for row in connection.execute(select(revisions).where(revisions.c.since > 0))
        ],
        dark=_dark(connection, now),
        titles={row.rule: row.title for row in connection.execute(
            select(alerts.c.rule, alerts.c.title).where(alerts.c.incident_id == incident).distinct())},
    )  # fmt: skip


def _counted(connection: Connection, which: ColumnElement[bool]) -> tuple[Counts, int]:
    counts: Counts = Counter()
    total = 0
    question = select(*_GROUPS, func.count()).where(which).group_by(*_GROUPS)
    for rule, act, other, campaign, key, many in connection.execute(question):
        total += many
        for one in _of(rule, act, other, campaign, key):
            counts[one] += many
    return counts, total


def _of(rule: str, act: str, other: str, campaign: str | None, key: str) -> Iterable[tuple[CauseKind, str]]:
    found = {(CauseKind.RULE, rule), (CauseKind.TOOL, act), (CauseKind.TOOLS, f"{act}|{other}")}
    if campaign:
        found.add((CauseKind.CAMPAIGN, campaign))
    name, _, value = home_of(key).partition("|")
    if name in _HOMES and value:
        found.add((_HOMES[name], value))
    return found


def _moments(connection: Connection, incident: str) -> list[Moment]:
    """A part of the alerts, taken by their ids, which say nothing about when; the earliest is always there."""
    columns = select(alerts.c.id, alerts.c.at, alerts.c.rule, alerts.c.act_tool, alerts.c.evidence_tool).where(
        alerts.c.incident_id == incident
    )
    rows = [
        *connection.execute(columns.order_by(alerts.c.at).limit(1)),
        *connection.execute(columns.order_by(alerts.c.id).limit(_MOMENTS)),
    ]
    return [Moment(at, rule, frozenset((act, other))) for _, at, rule, act, other in dict.fromkeys(map(tuple, rows))]


def _dark(connection: Connection, now: int) -> list[Dark]:
    question = select(darkness).where(darkness.c.since >= now - WEEK)
    return [
        Dark(row.source, frozenset(decode_json(row.tools.encode())), row.since, row.until)
        for row in connection.execute(question)
    ]


def note_revisions(connection: Connection, kind: CauseKind, now_used: Mapping[str, str], now: int) -> None:
    """Remember since when rules or mappings are as they are; those of an empty database were never changed."""
    known = {row.name: row for row in connection.execute(select(revisions).where(revisions.c.kind == kind.value))}
    rows: list[dict[str, Any]] = [
        {"kind": kind.value, "name": name, "revision": revision, "since": now if known else 0}
        for name, revision in now_used.items()
        if name not in known or known[name].revision != revision
    ]
    for row in rows:
        connection.execute(revisions.delete().where(revisions.c.kind == kind.value, revisions.c.name == row["name"]))
    if rows:
        connection.execute(revisions.insert(), rows)


def note_dark(connection: Connection, dark: Mapping[str, Iterable[str]], now: int) -> None:
    """Remember which sources are dark, by the tools that they carry, and which are so no longer."""
    still = {row.source for row in connection.execute(select(darkness.c.source).where(darkness.c.until.is_(None)))}
    for source in sorted(still - dark.keys()):
        this = (darkness.c.source == source, darkness.c.until.is_(None))
        connection.execute(darkness.update().where(*this).values(until=now))
    for source in sorted(dark.keys() - still):
        tools = encode_json(sorted(dark[source])).decode()
        connection.execute(darkness.insert().values(source=source, since=now, until=None, tools=tools))
    connection.execute(darkness.delete().where(darkness.c.until < now - 2 * WEEK))


def dark_now(connection: Connection) -> frozenset[str]:
    """The sources that were dark when somebody looked last."""
    return frozenset(connection.execute(select(darkness.c.source).where(darkness.c.until.is_(None))).scalars())
