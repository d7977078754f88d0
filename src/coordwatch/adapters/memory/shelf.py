"""What the pages keep and look up beside alerts, in memory.

What enters: views with a name, rules as they are written; questions.
What leaves: the views of `ports.shelf`.
The next room: the pages and the API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from coordwatch.adapters.alert_rows import LIVE_STATUSES, alert_row
from coordwatch.adapters.memory.tables import Row, Tables
from coordwatch.alerts.alert import ENGINE
from coordwatch.ports import VIEWS_MOST, AuditEntry, CampaignRow, Moved, RuleVersion, SavedView, ViewCheck, anything


class MemoryShelf:
    """The Shelf of the tables. Everything that happened is numbered by the order of its instants."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._views: dict[str, SavedView] = {}
        self._versions: list[RuleVersion] = []

    def views(self) -> list[SavedView]:
        return [self._views[name] for name in sorted(self._views)]

    def keep_view(self, view: SavedView, check: ViewCheck = anything) -> bool:
        check(self._views.get(view.name))
        if view.name not in self._views and len(self._views) >= VIEWS_MOST:
            return False
        self._views[view.name] = view
        return True

    def drop_view(self, name: str, by: str, at: int, check: ViewCheck = anything) -> bool:
        check(self._views.get(name))
        return self._views.pop(name, None) is not None

    def note_rules(self, texts: Mapping[str, str], at: int) -> list[str]:
        newest = {version.rule: version for version in self._versions}
        new = [rule for rule, text in texts.items() if rule not in newest or newest[rule].text != text]
        for rule in new:
            when = max(at, newest[rule].at + 1) if rule in newest else at
            self._versions.append(RuleVersion(rule, when, f"{hash(texts[rule]):x}", texts[rule]))
        return [rule for rule in new if rule in newest]

    def rule_versions(self, rule: str | None = None) -> list[RuleVersion]:
        found = sorted(self._versions, key=lambda one: (-one.at, one.rule))
        return [replace(one, text="") if rule is None else one for one in found if rule in (None, one.rule)]

    def campaigns(self, limit: int) -> list[CampaignRow]:
        by_name: dict[tuple[str, str], list[Row]] = {}
        for row in list(self._tables.rows.values()):
            if row["campaign"] is not None:
                by_name.setdefault((row["campaign"], row["act_tool"]), []).append(row)
        found = [
            CampaignRow(*key, sum(row["status"] in LIVE_STATUSES for row in rows), len(rows), max(row["at"] for row in rows))
            for key, rows in by_name.items()
        ]  # fmt: skip
        return sorted(found, key=lambda one: (-one.open, -one.total, one.name, one.tool))[:limit]

    def last_acts(self, alerts: Sequence[str]) -> dict[str, AuditEntry]:
        found = {}
        for alert in alerts:
            done = [one for one in self._tables.audit.get(alert, ()) if one.actor != ENGINE]
            if done:
                found[alert] = AuditEntry(done[-1].at, done[-1].actor, done[-1].action.value, done[-1].note)
        return found

    def moves(self, after: int, limit: int) -> list[Moved]:
        return [one for one in self._moves() if one.number > after][:limit]

    def newest_move(self) -> int:
        return len(self._moves())

    def _moves(self) -> list[Moved]:
        tables = self._tables
        happened = [(entry, alert) for alert, entries in list(tables.audit.items()) for entry in entries]
        happened.sort(key=lambda one: one[0].at)
        return [
            Moved(number, alert_row(tables.rows[alert]), entry.action.value, entry.actor, entry.at)
            for number, (entry, alert) in enumerate(happened, start=1)
        ]
