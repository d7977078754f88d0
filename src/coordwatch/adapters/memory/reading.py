"""Reading the tables in memory for pages, the API and the metrics.

What enters: filters, ids, limits.
What leaves: the views of `ports`.
The next room: `store`, which adds the writing side.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coordwatch.adapters.alert_rows import LIVE_STATUSES, ListQuery, alert_row, cursor_after, list_query, order_value
from coordwatch.adapters.ledger_rows import accounts_of, customer_row, pair_counts_of, rule_counts_of
from coordwatch.adapters.memory.tables import Row, Tables
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.plain import detection_to_plain
from coordwatch.alerts.verdict import Judged
from coordwatch.engine.ledger import Reach, ReachLine
from coordwatch.ports import (
    AlertRow,
    AlertView,
    AuditEntry,
    CustomerRow,
    DeadLetter,
    DecidedRepair,
    PairCount,
    RuleCounts,
    ToolCount,
)
from coordwatch.rules.detection import DetectionStatus

_AFFECTED = 200


class MemoryReader:
    """The AlertReader of the tables."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.RLock()

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

    def customers(self, limit: int, after: tuple[int, int, str] | None = None) -> list[CustomerRow]:
        by_customer: dict[str, list[Row]] = {}
        with self._lock:
            for row in self._tables.rows.values():
                by_customer.setdefault(row["customer"], []).append(row)
        found = [_customer(key, rows) for key, rows in by_customer.items()]
        if after is not None:
            opened, last_at, key = after
            found = [row for row in found if (-row.open, -row.last_at, row.key) > (-opened, -last_at, key)]
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
                verdict=self._tables.verdicts.get(alert_id, ("", Judged()))[1].verdict or "",
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

    def customer_repairs(self, customer: str) -> list[DecidedRepair]:
        return []  # incidents are kept in SQL only

    def rule_counts(self) -> list[RuleCounts]:
        with self._lock:
            lines, rows = dict(self._tables.ledger), list(self._tables.rows.values())
        summed: Counter[tuple[str, int, str]] = Counter()
        for line, amount in lines.items():
            summed[line.rule, line.hour, line.kind] += amount
        raised = Counter(row["rule"] for row in rows)
        marked = Counter(row["rule"] for row in rows if row["status"] == "not_a_conflict")
        given: dict[str, Counter[str]] = {}
        for rule, judged in self._tables.verdicts.values():
            if judged.verdict is not None:
                given.setdefault(rule, Counter())[judged.verdict.value] += 1
        amounts = [(rule, hour, kind, amount) for (rule, hour, kind), amount in summed.items()]
        return rule_counts_of(amounts, {rule: (count, marked[rule]) for rule, count in raised.items()}, given)

    def pair_counts(self) -> list[PairCount]:
        with self._lock:
            lines = dict(self._tables.ledger)
        summed: Counter[tuple[str, str, str]] = Counter()
        for line, amount in lines.items():
            summed[line.act_tool, line.evidence_tool, line.kind] += amount
        return pair_counts_of([(act, evidence, kind, amount) for (act, evidence, kind), amount in summed.items()])

    def tool_counts(self) -> list[ToolCount]:
        with self._lock:
            lines = dict(self._tables.ledger)
        summed: Counter[tuple[str, str, str, str]] = Counter()
        for line, amount in lines.items():
            summed[line.rule, line.act_tool, line.evidence_tool, line.kind] += amount
        return [ToolCount(*key, amount) for key, amount in sorted(summed.items())]

    def dead_letters(self, limit: int, after: tuple[int, str] | None = None) -> list[DeadLetter]:
        with self._lock:
            letters = list(self._tables.dead_letters.values())
        behind = [one for one in letters if after is None or (-one.at, one.id) > (-after[0], after[1])]
        return sorted(behind, key=lambda letter: (-letter.at, letter.id))[:limit]

    def tallies(self) -> Mapping[str, int]:
        with self._lock:
            summed: Counter[tuple[str, str]] = Counter()
            for line, amount in self._tables.tallies.items():
                summed[line.stage, line.name] += amount
        return accounts_of((stage, name, amount) for (stage, name), amount in summed.items())

    def reaches(self) -> dict[ReachLine, Reach]:
        with self._lock:
            return dict(self._tables.reaches)

    def customer_now(self, key: str) -> str:
        return self._tables.aliases.get(key, key)

    def former_keys(self, customer: str) -> list[str]:
        with self._lock:
            return sorted(old for old, now in self._tables.aliases.items() if now == customer)[:_AFFECTED]

    def standing_detections(self) -> Iterator[dict[str, Any]]:
        """Every detection that is not retracted, as plain data, by (at, id)."""
        standing = [filed for filed in self._tables.filed.values() if filed.status is not DetectionStatus.RETRACTED]
        for filed in sorted(standing, key=lambda filed: (filed.detection.at, filed.detection.id)):
            yield _plain(filed)


def _plain(filed: Filed) -> dict[str, Any]:
    return detection_to_plain(filed.detection) | {"status": filed.status.value}


def _passes(row: Row, query: ListQuery) -> bool:
    return all(_holds(row, name, value) for name, value in query.filters.items())


def _holds(row: Row, name: str, value: str | tuple[str, ...] | int) -> bool:
    if isinstance(value, tuple):
        return row[name] in value
    if name == "tool":
        return value in (row["act_tool"], row["evidence_tool"])
    if name == "incident":
        return bool(row.get("incident_id") == value)
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
