"""The store in memory: for replays, examples and tests; it passes the same conformance suite as the database.

What enters: Effects from the processor, orders from people.
What leaves: state for as long as the process lives; the views of `ports`.
The next room: whoever runs the processor without a database.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coordwatch.adapters.alert_rows import (
    LIVE_STATUSES,
    ListQuery,
    alert_row,
    card_columns,
    cursor_after,
    flat,
    from_flat,
    key_text,
    list_query,
    order_value,
)
from coordwatch.adapters.ledger_rows import customer_row, pair_counts_of, rule_counts_of
from coordwatch.alerts.alert import ENGINE, Alert, Entry, Order, carry_out, moved_by_engine
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import AlertChange, Filed, fold
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus
from coordwatch.alerts.plain import detection_to_plain
from coordwatch.ports import (
    AlertRow,
    AlertView,
    AuditEntry,
    Count,
    CustomerRow,
    DeadLetter,
    Effects,
    PairCount,
    RuleCounts,
)
from coordwatch.rules.detection import Detection, DetectionStatus

Row = dict[str, Any]
V = TypeVar("V")
_AFFECTED = 200


@dataclass(slots=True)
class _Tables:
    items: dict[str, bytes] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    tallies: Counter[str] = field(default_factory=Counter)
    ledger: Counter[tuple[str, int, str, str, str]] = field(default_factory=Counter)
    dead_letters: dict[str, DeadLetter] = field(default_factory=dict)
    filed: dict[str, Filed] = field(default_factory=dict)
    by_alert: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    by_key: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    audit: dict[str, list[Entry]] = field(default_factory=dict)


class _MemoryBook:
    """An AlertBook that lays its writes over the tables and puts them there at the end, all or nothing."""

    def __init__(self, tables: _Tables, cards: Mapping[str, RuleCard]) -> None:
        self._tables = tables
        self._cards = cards
        self._filed: dict[str, Filed] = {}
        self._rows: dict[str, Row] = {}
        self._entries: list[tuple[str, Entry]] = []

    def filed(self, detection: str) -> Filed | None:
        return self._filed.get(detection) or self._tables.filed.get(detection)

    def file(self, filed: Filed) -> None:
        self._filed[filed.detection.id] = filed

    def newest_standing(self, alert: str) -> Detection | None:
        ids = {*self._tables.by_alert.get(alert, ()), *self._filed}
        here = [filed for filed in map(self.filed, ids) if filed is not None and filed.alert == alert]
        standing = [filed.detection for filed in here if filed.status is not DetectionStatus.RETRACTED]
        return max(standing, key=lambda detection: (detection.at, detection.id), default=None)

    def alert(self, alert: str) -> Alert | None:
        row = self._rows.get(alert) or self._tables.rows.get(alert)
        return None if row is None else from_flat(row)

    def nearest_alert(self, rule: str, key: tuple[str, ...], after: int, before: int) -> Alert | None:
        ids = {*self._tables.by_key.get((rule, key_text(key)), ()), *self._rows}
        near = [
            alert
            for alert in map(self.alert, ids)
            if alert is not None
            and (alert.rule, alert.key) == (rule, key)
            and alert.last_at > after
            and alert.first_at < before
        ]
        return min(near, key=lambda alert: (-alert.last_at, alert.id), default=None)

    def save(self, alert: Alert, entry: Entry | None) -> None:
        known = self._rows.get(alert.id) or self._tables.rows.get(alert.id)
        card = self._cards.get(alert.rule)
        base = known or card_columns(card or unknown_card(alert.rule)) | {"note": "", "notice": None}
        row = base | flat(alert) | (card_columns(card) if card else {})
        if entry is not None and entry.actor != ENGINE:
            row["note"] = entry.note
        self._rows[alert.id] = row
        if entry is not None:
            self._entries.append((alert.id, entry))

    def put(self, changes: Sequence[AlertChange]) -> None:
        """Write everything into the tables; nothing here can fail half-way."""
        tables = self._tables
        for detection, filed in self._filed.items():
            before = tables.filed.get(detection)
            if before is not None and before.alert is not None:
                tables.by_alert[before.alert].discard(detection)
            tables.filed[detection] = filed
            if filed.alert is not None:
                tables.by_alert.setdefault(filed.alert, set()).add(detection)
        for alert, row in self._rows.items():
            tables.rows[alert] = row
            tables.by_key.setdefault((row["rule"], row["key"]), set()).add(alert)
        for alert, entry in self._entries:
            tables.audit.setdefault(alert, []).append(entry)
        for change in changes:
            if change.alert.status is AlertStatus.OPEN and change.before is not AlertStatus.OPEN:
                tables.rows[change.alert.id]["notice"] = None


class MemoryStore:
    """Store, AlertReader and AlertDesk in memory; any thread may call it."""

    def __init__(self, cards: Mapping[str, RuleCard]) -> None:
        self._cards = cards
        self._tables = _Tables()
        self._lock = threading.RLock()
        self.listen: Callable[[Sequence[AlertChange]], None] = _nobody

    def close(self) -> None:
        """Nothing is held."""

    # ---- state of the processor

    def load(self, keys: Iterable[str]) -> dict[str, bytes]:
        return {key: self._tables.items[key] for key in keys if key in self._tables.items}

    def scan(self, prefix: str) -> Iterable[tuple[str, bytes]]:
        return [(key, self._tables.items[key]) for key in sorted(self._tables.items) if key.startswith(prefix)]

    def due(self, until: int, limit: int) -> list[str]:
        due = sorted((at, customer) for customer, at in self._tables.deadlines.items() if at <= until)
        return [customer for _, customer in due[:limit]]

    def positions(self) -> dict[str, str]:
        return dict(self._tables.positions)

    def commit(self, effects: Effects, now: int) -> None:
        with self._lock:
            book = _MemoryBook(self._tables, self._cards)
            changes = [done for change in effects.changes for done in fold(book, change, self._cards, now)]
            book.put(changes)
            self._put_state(effects)
        if changes:
            self.listen(changes)

    def _put_state(self, effects: Effects) -> None:
        tables = self._tables
        _put(tables.items, effects.values)
        _put(tables.deadlines, effects.deadlines)
        tables.positions.update(effects.positions)
        tables.tallies.update(effects.tallies)
        for count in effects.counts:
            tables.ledger[_line(count)] += count.amount
        tables.dead_letters.update({letter.id: letter for letter in effects.dead_letters})

    # ---- people

    def act(self, alert_id: str, order: Order) -> AlertRow | None:
        with self._lock:
            book = _MemoryBook(self._tables, self._cards)
            before = book.alert(alert_id)
            if before is None:
                return None
            after, entry = carry_out(before, order)
            book.save(after, entry)
            changes = [AlertChange(order.action, after, before.status)]
            book.put(changes)
            row = alert_row(self._tables.rows[alert_id])
        self.listen(changes)
        return row

    # ---- what the runtime asks for now and then

    def wake_snoozed(self, now: int) -> list[AlertChange]:
        """Open the alerts whose snooze has ended. Units: microseconds since 1970 UTC."""
        with self._lock:
            asleep = [alert for alert in self._alerts() if alert.status is AlertStatus.SNOOZED]
            due = [alert for alert in asleep if alert.snooze_until is not None and alert.snooze_until <= now]
            changes = self._moved(due, AlertAction.WAKE, now, "the snooze ended")
        if changes:
            self.listen(changes)
        return changes

    def close_rules_that_ended(self, now: int) -> int:
        """Resolve what is open of rules that are retired or no longer there (RULES 36), and say how many."""
        live = {card.id for card in self._cards.values() if card.raises_alerts}
        with self._lock:
            ended = [alert for alert in self._alerts() if alert.status in LIVE_STATUSES and alert.rule not in live]
            return len(self._moved(ended, AlertAction.RESOLVE, now, "rule_retired"))

    def _alerts(self) -> list[Alert]:
        return [from_flat(row) for row in self._tables.rows.values()]

    def _moved(self, alerts: Iterable[Alert], action: AlertAction, now: int, note: str) -> list[AlertChange]:
        book = _MemoryBook(self._tables, self._cards)
        changes: list[AlertChange] = []
        for before in alerts:
            after, entry = moved_by_engine(before, action, now, note)
            book.save(after, entry)
            changes.append(AlertChange(action, after, before.status))
        book.put(changes)
        return changes

    def undecided(self, limit: int) -> list[Alert]:
        """Alerts of which nobody has decided yet whether somebody is told, oldest first."""
        with self._lock:
            waiting = [from_flat(row) for row in self._tables.rows.values() if row["notice"] is None]
        return sorted(waiting, key=lambda alert: (alert.raised_at, alert.id))[:limit]

    def decided(self, reasons: Mapping[str, str]) -> None:
        """Keep what was decided, by alert."""
        with self._lock:
            for alert, reason in reasons.items():
                self._tables.rows[alert]["notice"] = reason

    def standing_detections(self) -> Iterator[dict[str, Any]]:
        """Every detection that is not retracted, as plain data, by (at, id)."""
        standing = [filed for filed in self._tables.filed.values() if filed.status is not DetectionStatus.RETRACTED]
        for filed in sorted(standing, key=lambda filed: (filed.detection.at, filed.detection.id)):
            yield _plain(filed)

    # ---- readers

    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> tuple[list[AlertRow], str | None]:
        query = list_query(filters, limit, cursor)
        with self._lock:
            rows = [row for row in self._tables.rows.values() if _passes(row, query)]
        rows.sort(key=lambda row: _order_key(query, [order_value(row, name) for name, _ in query.order], row["id"]))
        if query.after is not None:
            last = _order_key(query, query.after[:-1], query.after[-1])
            rows = [
                row
                for row in rows
                if _order_key(query, [order_value(row, name) for name, _ in query.order], row["id"]) > last
            ]
        shown = rows[: query.limit]
        return [alert_row(row) for row in shown], cursor_after(query, shown[-1]) if len(rows) > len(shown) else None

    def customers(self, limit: int) -> list[CustomerRow]:
        by_customer: dict[str, list[Row]] = {}
        with self._lock:
            for row in self._tables.rows.values():
                by_customer.setdefault(row["customer"], []).append(row)
        found = [_customer(key, rows) for key, rows in by_customer.items()]
        return sorted(found, key=lambda row: (-row.open, -row.last_at, row.key))[:limit]

    def alert(self, alert_id: str) -> AlertView | None:
        with self._lock:
            row = self._tables.rows.get(alert_id)
            if row is None:
                return None
            filed = [self._tables.filed[one] for one in self._tables.by_alert.get(alert_id, ())]
            filed.sort(key=lambda one: (one.detection.at, one.detection.id), reverse=True)
            others = self._affected(row["incident"]) - {row["customer"]}
            entries = [AuditEntry(e.at, e.actor, e.action.value, e.note) for e in self._tables.audit.get(alert_id, ())]
            return AlertView(
                row=alert_row(row),
                detections=[_plain(one) for one in filed[:_AFFECTED]],
                audit=entries,
                also_affected=sorted(others)[:_AFFECTED],
                undoable=row["undo"] is not None,
            )

    def _affected(self, incident: str) -> set[str]:
        """The customers whom a cause hit, whether it made them alerts of their own or not."""
        alerts = [alert for alert, row in self._tables.rows.items() if row["incident"] == incident]
        return {customer for alert in alerts for customer in self._customers_of(alert)}

    def _customers_of(self, alert: str) -> set[str]:
        filed = [self._tables.filed[one] for one in self._tables.by_alert.get(alert, ())]
        return {one.detection.customer for one in filed if one.status is not DetectionStatus.RETRACTED}

    def alert_totals(self) -> Mapping[str, int]:
        with self._lock:
            rows = list(self._tables.rows.values())
        by_status = Counter(row["status"] for row in rows)
        return by_status + Counter(row["severity"] for row in rows if row["status"] in LIVE_STATUSES)

    def customer_alerts(self, customer: str) -> list[AlertRow]:
        with self._lock:
            rows = [
                row
                for alert, row in self._tables.rows.items()
                if row["customer"] == customer or customer in self._customers_of(alert)
            ]
        return [alert_row(row) for row in sorted(rows, key=lambda row: (-row["at"], row["id"]))[:_AFFECTED]]

    def rule_counts(self) -> list[RuleCounts]:
        with self._lock:
            lines, rows = dict(self._tables.ledger), list(self._tables.rows.values())
        summed: Counter[tuple[str, int, str]] = Counter()
        for (rule, hour, _, _, kind), amount in lines.items():
            summed[rule, hour, kind] += amount
        raised = Counter(row["rule"] for row in rows)
        verdicts = Counter(row["rule"] for row in rows if row["status"] == "not_a_conflict")
        amounts = [(rule, hour, kind, amount) for (rule, hour, kind), amount in summed.items()]
        return rule_counts_of(amounts, {rule: (count, verdicts[rule]) for rule, count in raised.items()})

    def pair_counts(self) -> list[PairCount]:
        with self._lock:
            lines = dict(self._tables.ledger)
        summed: Counter[tuple[str, str, str]] = Counter()
        for (_, _, act_tool, evidence_tool, kind), amount in lines.items():
            summed[act_tool, evidence_tool, kind] += amount
        return pair_counts_of([(act, evidence, kind, amount) for (act, evidence, kind), amount in summed.items()])

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        with self._lock:
            letters = list(self._tables.dead_letters.values())
        return sorted(letters, key=lambda letter: (-letter.at, letter.id))[:limit]

    def tallies(self) -> Mapping[str, int]:
        with self._lock:
            return dict(sorted(self._tables.tallies.items()))


def _nobody(changes: Sequence[AlertChange]) -> None:
    """Told of changes, does nothing."""


def _put(table: dict[str, V], values: Mapping[str, V | None]) -> None:
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def _line(count: Count) -> tuple[str, int, str, str, str]:
    return (count.rule, count.hour, count.act_tool, count.evidence_tool, count.kind)


def _plain(filed: Filed) -> dict[str, Any]:
    return detection_to_plain(filed.detection) | {"status": filed.status.value}


def _passes(row: Row, query: ListQuery) -> bool:
    return all(_holds(row, name, value) for name, value in query.filters.items())


def _holds(row: Row, name: str, value: str | tuple[str, ...] | int) -> bool:
    if isinstance(value, tuple):
        return row[name] in value
    if name == "tool":
        return value in (row["act_tool"], row["evidence_tool"])
    if name == "since":
        return bool(row["at"] >= value)
    if name == "q":
        return any(str(value).lower() in row[column].lower() for column in ("sentence", "customer", "rule"))
    return bool(row[name] == value)


def _order_key(query: ListQuery, values: Sequence[int], alert: str) -> tuple[Any, ...]:
    signed = [-value if descending else value for value, (_, descending) in zip(values, query.order, strict=True)]
    return (*signed, alert)


def _customer(key: str, rows: Sequence[Row]) -> CustomerRow:
    live = [row for row in rows if row["status"] in LIVE_STATUSES]
    rank = min((row["severity_rank"] for row in live), default=None)
    return customer_row(key, len(live), len(rows), rank, max(row["last_at"] for row in rows))
