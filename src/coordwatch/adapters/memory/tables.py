"""The tables in memory, and the book of one commit laid over them.

What enters: writes of one commit.
What leaves: the same, put into the tables at the end, all or nothing.
The next room: `reading` and `store`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.adapters.alert_rows import card_columns, flat, from_flat, key_text
from coordwatch.alerts.alert import ENGINE, Alert, Entry
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import AlertChange, Filed
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.alerts.verdict import Judged
from coordwatch.engine.ledger import CountLine, Reach, ReachLine, TallyLine
from coordwatch.ports import DeadLetter
from coordwatch.rules.detection import Detection, DetectionStatus

Row = dict[str, Any]


@dataclass(slots=True)
class Tables:
    """Everything that a store in memory holds."""

    items: dict[str, bytes] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    tallies: Counter[TallyLine] = field(default_factory=Counter)
    ledger: Counter[CountLine] = field(default_factory=Counter)
    reaches: dict[ReachLine, Reach] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    dead_letters: dict[str, DeadLetter] = field(default_factory=dict)
    filed: dict[str, Filed] = field(default_factory=dict)
    by_alert: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    by_key: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    audit: dict[str, list[Entry]] = field(default_factory=dict)
    verdicts: dict[str, tuple[str, Judged]] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)


class MemoryBook:
    """An AlertBook that lays its writes over the tables and puts them there at the end, all or nothing."""

    def __init__(self, tables: Tables, cards: Mapping[str, RuleCard]) -> None:
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
