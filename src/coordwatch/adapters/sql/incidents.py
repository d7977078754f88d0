"""Incidents in the database: alerts find their place, what changed is summed up, people act on all of it at once.

What enters: the present; orders of people.
What leaves: IncidentRows and views; alerts that changed, told to whoever listens.
The next room: the API, the pages and the commands; `holding`, which has alerts placed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, func, select

from coordwatch.adapters.sql.acting import act_on
from coordwatch.adapters.sql.answers import keep_answer, recalled
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.incident_book import (
    find_incident,
    save_incident,
    stir,
)
from coordwatch.adapters.sql.incident_lists import (
    conditions,
    cursor_after,
    incident_item,
    incident_query,
    incident_view,
    order_by,
)
from coordwatch.adapters.sql.incident_tables import incidents
from coordwatch.adapters.sql.repairing import decide, hit, lines
from coordwatch.adapters.sql.schema import alerts, audit
from coordwatch.adapters.sql.splitting import put_together, split_off, take_out
from coordwatch.adapters.sql.summing import Around, dark_now, note_dark, note_revisions, sum_up
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.alert import ActionRefused, Order
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.causes import CauseKind
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.incident import (
    GOING_ON,
    Incident,
    IncidentAction,
    IncidentOrder,
    IncidentStatus,
    do_to_incident,
    seen_as,
)
from coordwatch.alerts.lifecycle import LIVE, AlertAction, AlertStatus
from coordwatch.alerts.once import Once
from coordwatch.alerts.repair import RepairLine
from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.codec import decode_json, encode_json
from coordwatch.ports import IncidentRow, IncidentTotals, IncidentView, RepairOrder

_ALONG_WORDS = "with its incident"
# How long an incident is left as it was summed up, for each of its alerts. Units: microseconds
_AT_ONCE, _SUMMED_AT_ONCE, _A_WHILE = 500, 20, 1000
# What is done to its alerts along with an incident, and at which of them.
_ALONG: Mapping[IncidentAction, tuple[AlertAction, frozenset[AlertStatus]]] = {
    IncidentAction.ACKNOWLEDGE: (AlertAction.ACKNOWLEDGE, frozenset({AlertStatus.OPEN})),
    IncidentAction.RESOLVE: (AlertAction.RESOLVE, LIVE),
}
_DEEDS = {
    IncidentAction.ACKNOWLEDGE: DeedKind.INCIDENT_ACKNOWLEDGE,
    IncidentAction.RESOLVE: DeedKind.INCIDENT_RESOLVE,
}
Listen = Callable[[Sequence[AlertChange]], None]


class SqlIncidents:
    """The IncidentDesk of a database, and what a runtime asks of it now and then."""

    def __init__(self, write: Transaction, read: Transaction, cards: Mapping[str, RuleCard], listen: Listen) -> None:
        self._write, self._read, self._cards, self._listen = write, read, cards, listen
        self._around = Around()

    # ---- reading

    def incidents(
        self, filters: Mapping[str, str], limit: int, cursor: str | None
    ) -> tuple[list[IncidentRow], str | None]:
        query = incident_query(filters, limit, cursor)
        question = select(incidents).where(*conditions(query)).order_by(*order_by(query)).limit(query.limit + 1)
        with self._read() as connection:
            rows = connection.execute(question).mappings().all()
        shown = rows[: query.limit]
        return [incident_item(one) for one in shown], cursor_after(query, shown[-1]) if len(rows) > len(shown) else None

    def incident(self, incident_id: str) -> IncidentView | None:
        with self._read() as connection:
            return incident_view(connection, incident_id)

    def repairs(self, incident_id: str, limit: int, after: str | None) -> list[RepairLine] | None:
        with self._read() as connection:
            if find_incident(connection, incident_id) is None:
                return None
            return lines(connection, incident_id, hit(connection, incident_id, after, limit), self._cards)

    def all_repairs(self, incident_id: str, actor: str, now: int) -> Iterator[RepairLine] | None:
        with self._write() as connection:
            if find_incident(connection, incident_id) is None:
                return None
            write_down(connection, [Deed(now, actor, DeedKind.INCIDENT_EXPORT, incident_id)])
        return self._every_repair(incident_id)

    def _every_repair(self, incident_id: str) -> Iterator[RepairLine]:
        with self._read() as connection:
            customers = hit(connection, incident_id, None, None)
        for start in range(0, len(customers), _AT_ONCE):
            with self._read() as connection:
                yield from lines(connection, incident_id, customers[start : start + _AT_ONCE], self._cards)

    def totals(self) -> IncidentTotals:
        going_on = incidents.c.status.in_([one.value for one in GOING_ON])
        question = select(incidents.c.severity, func.count(), func.sum(incidents.c.to_repair)).where(going_on)
        with self._read() as connection:
            rows = connection.execute(question.group_by(incidents.c.severity)).all()
        return IncidentTotals({row[0]: row[1] for row in rows}, sum(int(row[2]) for row in rows))

    # ---- people

    def act(self, incident_id: str, order: IncidentOrder, once: Once | None = None) -> IncidentRow | None:
        with self._write() as connection:
            known = recalled(connection, once)
            if known is not None:
                return IncidentRow(**decode_json(known))
            before = find_incident(connection, incident_id)
            if before is None:
                return None
            if before.status is IncidentStatus.MERGED and order.action is IncidentAction.UNDO:
                row = self._taken_out(connection, before, order)
                if once is not None:
                    keep_answer(connection, once, encode_json(asdict(row)), order.now)
                return row
            after, entry = do_to_incident(before, order)
            changes = self._along(connection, before, order)
            beside: dict[str, str | int] = {"note": order.note} if order.note else {}
            if after.status is not before.status:
                beside |= {"acted_at": order.now}
            save_incident(connection, after, entry, **beside, stirred=True)
            facts: dict[str, Fact] = {"action": order.action.value, "alerts": len(changes), "noted": bool(order.note)}
            kind = _DEEDS.get(order.action, DeedKind.INCIDENT_CHANGE)
            write_down(connection, [Deed(order.now, order.actor, kind, incident_id, facts)])
            row = self._summed(connection, incident_id, order.now)
            if once is not None:
                keep_answer(connection, once, encode_json(asdict(row)), order.now)
        self._listen(changes)
        return row

    def _along(self, connection: Connection, incident: Incident, order: IncidentOrder) -> list[AlertChange]:
        """Do to the alerts what is done to their incident; undoing takes back only what was done along with it."""
        note = f"{_ALONG_WORDS}: {order.note}" if order.note else _ALONG_WORDS
        if order.action in _ALONG:
            action, at = _ALONG[order.action]
            ids = _alerts_at(connection, incident.id, at)
            return act_on(connection, ids, Order(action, order.actor, order.now, note=note))
        if order.action in (IncidentAction.UNDO, IncidentAction.REOPEN):
            ids = _acted_along(connection, incident.id)
            changes = act_on(connection, ids, Order(AlertAction.UNDO, order.actor, order.now, note=note))
            if incident.status not in GOING_ON and not _alerts_at(connection, incident.id, LIVE):
                raise ActionRefused(
                    "all of its alerts are over: reopen the alert that matters, and the incident comes back with it"
                )
            return changes
        return []

    def _taken_out(self, connection: Connection, gone: Incident, order: IncidentOrder) -> IncidentRow:
        into = take_out(connection, gone, order)
        facts: dict[str, Fact] = {"action": "take_out", "out_of": into, "noted": bool(order.note)}
        write_down(connection, [Deed(order.now, order.actor, DeedKind.INCIDENT_CHANGE, gone.id, facts)])
        self._summed(connection, into, order.now)
        return self._summed(connection, gone.id, order.now)

    def split(self, incident_id: str, alerts: Sequence[str], order: IncidentOrder) -> IncidentRow | None:
        with self._write() as connection:
            before = find_incident(connection, incident_id)
            if before is None:
                return None
            seen_as(before, order.version)
            new = split_off(connection, before, alerts, order)
            facts: dict[str, Fact] = {"action": "split", "alerts": len(alerts), "into": new.id}
            write_down(connection, [Deed(order.now, order.actor, DeedKind.INCIDENT_CHANGE, incident_id, facts)])
            self._summed(connection, incident_id, order.now)
            return self._summed(connection, new.id, order.now)

    def merge(self, incident_id: str, others: Sequence[str], order: IncidentOrder) -> IncidentRow | None:
        with self._write() as connection:
            into = find_incident(connection, incident_id)
            if into is None:
                return None
            seen_as(into, order.version)
            put_together(connection, into, others, order)
            facts: dict[str, Fact] = {"action": "merge", "incidents": len(set(others))}
            write_down(connection, [Deed(order.now, order.actor, DeedKind.INCIDENT_CHANGE, incident_id, facts)])
            return self._summed(connection, incident_id, order.now)

    def repair(
        self, incident_id: str, customers: Sequence[str], order: RepairOrder, once: Once | None = None
    ) -> list[RepairLine] | None:
        with self._write() as connection:
            if find_incident(connection, incident_id) is None:
                return None
            known = recalled(connection, once)
            if known is not None:
                return [RepairLine(**one) for one in decode_json(known)]
            many = decide(connection, incident_id, customers, order, self._cards)
            facts: dict[str, Fact] = {"action": "repair", "state": order.state.value, "customers": many}
            write_down(connection, [Deed(order.now, order.actor, DeedKind.INCIDENT_CHANGE, incident_id, facts)])
            stir(connection, [incident_id])
            after = lines(connection, incident_id, list(dict.fromkeys(customers)), self._cards)
            if once is not None:
                keep_answer(connection, once, encode_json([asdict(one) for one in after]), order.now)
            return after

    def _summed(self, connection: Connection, incident: str, now: int) -> IncidentRow:
        sum_up(connection, incident, self._around, now)
        found = connection.execute(select(incidents).where(incidents.c.id == incident)).mappings().one()
        return incident_item(found)

    # ---- what a runtime asks for now and then

    def refresh(self, now: int) -> int:
        """Sum up incidents of which something changed, large ones not all the time; give how many."""
        question = select(incidents.c.id, incidents.c.summed_at, incidents.c.alerts).where(incidents.c.stirred)
        with self._read() as connection:
            rows = connection.execute(question.order_by(incidents.c.summed_at, incidents.c.id).limit(_AT_ONCE)).all()
        ids = [one.id for one in rows if one.summed_at <= now - one.alerts * _A_WHILE][:_SUMMED_AT_ONCE]
        for one in ids:
            with self._write() as connection:
                sum_up(connection, one, self._around, now)
        return len(ids)

    def note_revisions(self, kind: CauseKind, used: Mapping[str, str], now: int) -> None:
        """Remember since when rules or mappings are as they are."""
        with self._write() as connection:
            note_revisions(connection, kind, used, now)

    def note_dark(self, dark: Mapping[str, Iterable[str]], now: int) -> None:
        """Remember which sources are dark, by the tools that they carry."""
        with self._read() as connection:
            if dark_now(connection) == dark.keys():
                return
        with self._write() as connection:
            note_dark(connection, dark, now)


def _alerts_at(connection: Connection, incident: str, statuses: Iterable[AlertStatus]) -> list[str]:
    mine = (alerts.c.incident_id == incident, alerts.c.status.in_([one.value for one in statuses]))
    return list(connection.execute(select(alerts.c.id).where(*mine).order_by(alerts.c.at, alerts.c.id)).scalars())


def _acted_along(connection: Connection, incident: str) -> list[str]:
    """The alerts to which something was done along with their incident when somebody last did something to it."""
    question = (
        select(audit.c.alert)
        .join(alerts, alerts.c.id == audit.c.alert)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(incidents.c.id == incident, audit.c.at == incidents.c.acted_at, audit.c.note.startswith(_ALONG_WORDS))
        .distinct()
        .order_by(audit.c.alert)
    )
    return list(connection.execute(question).scalars())
