"""The store in memory: state of the processor, orders of people, and what the runtime asks for.

What enters: Effects from the processor, orders from people.
What leaves: state for as long as the process lives.
The next room: whoever runs the processor without a database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from coordwatch.adapters.alert_rows import LIVE_STATUSES, alert_row, from_flat, reduced
from coordwatch.adapters.memory.reading import MemoryReader
from coordwatch.adapters.memory.shelf import MemoryShelf
from coordwatch.adapters.memory.tables import MemoryBook, Tables
from coordwatch.adapters.memory.trail import MemoryTrail
from coordwatch.alerts.alert import ENGINE, ActionRefused, Alert, Order, carry_out, moved_by_engine
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import AlertChange, fold
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus
from coordwatch.alerts.once import KEPT_FOR, Once, same_again
from coordwatch.alerts.verdict import Judged, judged_after
from coordwatch.alerts.waking import Condition, offered
from coordwatch.audit.of_alerts import deed_of, deeds_of
from coordwatch.codec import decode_json, encode_json
from coordwatch.engine.ledger import CountLine, TallyLine
from coordwatch.errors import TemporaryError
from coordwatch.ports import AlertRow, Books, Count, DeadLetter, Effects
from coordwatch.processor.traces import names_in
from coordwatch.rules.detection import DetectionChange

K = TypeVar("K")
V = TypeVar("V")


class MemoryStore(MemoryReader):
    """Store, AlertReader and AlertDesk in memory; any thread may call it."""

    def __init__(self, cards: Mapping[str, RuleCard]) -> None:
        super().__init__(Tables())
        self._cards, self._trail = cards, MemoryTrail()
        self.listen: Callable[[Sequence[AlertChange]], None] = _nobody
        self._shelf = MemoryShelf(self._tables)

    def shelf(self) -> MemoryShelf:
        """What the pages keep and look up beside alerts."""
        return self._shelf

    def close(self) -> None:
        """Nothing is held."""

    def trail(self) -> MemoryTrail:
        """Who did what."""
        return self._trail

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
            changes = self._fold(effects.changes, now)
            self._trail.add(effects.deeds)
            self._put_state(effects)
            self._forget(effects.forgotten)
            for letter in effects.letters_gone:
                self._tables.dead_letters.pop(letter, None)
        if changes:
            self.listen(changes)

    def _fold(self, found: Iterable[DetectionChange], now: int) -> list[AlertChange]:
        book = MemoryBook(self._tables, self._cards)
        changes = [done for change in found for done in fold(book, change, self._cards, now)]
        book.put(changes)
        self._trail.add(deeds_of(changes, now))
        return changes

    def _forget(self, customers: Sequence[str]) -> None:
        """Delete the alerts and detections of customers; of an alert about several, only what is theirs."""
        tables, gone = self._tables, set(customers)
        tables.answers.clear()
        touched = {one for one, row in tables.rows.items() if row["customer"] in gone}
        for detection in [one for one, filed in tables.filed.items() if filed.detection.customer in gone]:
            alert = tables.filed.pop(detection).alert
            if alert is not None:
                tables.by_alert[alert].discard(detection)
                touched.add(alert)
        for alert in touched:
            standing = [tables.filed[one] for one in tables.by_alert.get(alert, ())]
            row = tables.rows[alert]
            if standing:
                tables.rows[alert] = row | reduced(row, standing, self._cards)
                tables.audit[alert] = [replace(entry, note="") for entry in tables.audit.get(alert, ())]
                continue
            del tables.rows[alert]
            tables.by_key[row["rule"], row["key"]].discard(alert)
            tables.by_alert.pop(alert, None)
            tables.audit.pop(alert, None)

    def _put_state(self, effects: Effects) -> None:
        tables = self._tables
        _put(tables.items, effects.values)
        _put(tables.deadlines, effects.deadlines)
        tables.positions.update(effects.positions)
        for name, amount in effects.tallies.items():
            tables.tallies[TallyLine("", "", name)] += amount
        for count in effects.counts:
            tables.ledger[_line(count)] += count.amount
        tables.dead_letters.update({letter.id: letter for letter in effects.dead_letters})

    def expire(self, alerts: int, letters: int) -> None:
        with self._lock:
            tables = self._tables
            for alert in [one for one, row in tables.rows.items() if _is_over(row, alerts)]:
                row = tables.rows.pop(alert)
                tables.by_key[row["rule"], row["key"]].discard(alert)
                tables.audit.pop(alert, None)
                for detection in tables.by_alert.pop(alert, ()):
                    tables.filed.pop(detection, None)
            for letter in [one.id for one in tables.dead_letters.values() if one.at < letters]:
                del tables.dead_letters[letter]

    def letters(self) -> Iterable[DeadLetter]:
        return list(self._tables.dead_letters.values())

    def compact(self) -> None:
        """Memory keeps nothing that was let go."""

    def names_left(self) -> Iterable[str]:
        tables = self._tables
        yield from names_in(b"\n".join((*map(str.encode, tables.items), *tables.items.values())))
        yield from tables.deadlines
        yield from (str(row["customer"]) for row in tables.rows.values())
        yield from (filed.detection.customer for filed in tables.filed.values())

    # ---- the books of a worker

    def keep(self, books: Books, now: int) -> None:
        """Write what the alerts role has taken, and the places it has read on from."""
        tables = self._tables
        with self._lock:
            for place, (before, _) in books.positions.items():
                if tables.positions.get(place) != before:
                    raise TemporaryError(
                        f"another process has read {place} on: this one has lost it, and wrote nothing"
                    )
            changes = self._fold(books.changes, now)
            self._trail.add(books.deeds)
            _put(tables.ledger, books.counts)
            _put(tables.tallies, books.tallies)
            _put(tables.reaches, books.reaches)
            _put(tables.aliases, books.aliases)
            _put(tables.items, books.kept)
            self._forget(books.forgotten)
            for letter in books.letters_gone:
                tables.dead_letters.pop(letter, None)
            tables.dead_letters.update({letter.id: letter for letter in books.dead_letters})
            tables.positions.update({place: after for place, (_, after) in books.positions.items()})
        if changes:
            self.listen(changes)

    # ---- people

    def act(self, alert_id: str, order: Order, once: Once | None = None) -> AlertRow | None:
        with self._lock:
            known = None if once is None else self.recall(once)
            if known is not None:
                return AlertRow(**decode_json(known))
            book = MemoryBook(self._tables, self._cards)
            before = book.alert(alert_id)
            if before is None:
                return None
            if order.when is not None and order.when not in self.conditions(alert_id):
                raise ActionRefused(f"this alert cannot wait for '{order.when.when}'; it can wait for a time")
            after, entry = carry_out(before, order)
            self._judge(before, order)
            book.save(after, entry)
            changes = [AlertChange(order.action, after, before.status)]
            book.put(changes)
            self._trail.add([deed_of(changes[0], order)])
            row = alert_row(self._tables.rows[alert_id])
            if once is not None:
                self.remember(once, encode_json(asdict(row)), order.now)
        self.listen(changes)
        return row

    def _judge(self, alert: Alert, order: Order) -> None:
        judged = self._tables.verdicts.get(alert.id, ("", Judged()))[1]
        people = [entry.action for entry in self._tables.audit.get(alert.id, ()) if entry.actor != ENGINE]
        after = judged_after(judged, order.action, order.verdict, people[-1] if people else None)
        if after != judged:
            self._tables.verdicts[alert.id] = (alert.rule, after)

    def conditions(self, alert_id: str) -> list[Condition]:
        with self._lock:
            filed = [self._tables.filed[one].detection for one in self._tables.by_alert.get(alert_id, ())]
        read = frozenset[str]().union(*(one.reads for one in self._cards.values()))
        return offered((event.data for one in filed for event in (one.act, *one.evidence)), read)

    def recall(self, once: Once) -> bytes | None:
        known = self._tables.answers.get(once.key)
        return None if known is None else same_again(once, known[0], known[2])

    def remember(self, once: Once, answer: bytes, now: int) -> None:
        answers = self._tables.answers
        for key in [key for key, (_, at, _) in answers.items() if at < now - KEPT_FOR]:
            del answers[key]
        answers[once.key] = (once.asked, now, answer)

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
        book = MemoryBook(self._tables, self._cards)
        changes: list[AlertChange] = []
        for before in alerts:
            after, entry = moved_by_engine(before, action, now, note)
            book.save(after, entry)
            changes.append(AlertChange(action, after, before.status))
        book.put(changes)
        self._trail.add(deeds_of(changes, now))
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


def _is_over(row: Mapping[str, Any], before: int) -> bool:
    return row["status"] not in LIVE_STATUSES and int(row["last_at"]) < before


def _nobody(changes: Sequence[AlertChange]) -> None:
    """Told of changes, does nothing."""


def _put(table: dict[K, V], values: Mapping[K, V | None]) -> None:
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value


def _line(count: Count) -> CountLine:
    return CountLine("", count.rule, count.hour, count.act_tool, count.evidence_tool, count.kind)
