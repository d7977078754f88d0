"""Invented logs for the stage `alerts`, and a machine that reads them with crashes wherever a test wants one.

What enters: numbers that hypothesis draws. What leaves: records as columns; a database after everything was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.context.progress import SourceProgress
from coordwatch.engine.ledger import CountLine, Reach, ReachLine, TallyLine
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.notify.decide import Notification, NotifyPolicy
from coordwatch.processor.detecting import Watched
from coordwatch.processor.letters import Origin, Refusal, letters_of
from coordwatch.processor.outcomes import alias_value, detection_record, line_key, line_value
from coordwatch.processor.stage import Output, Place, Slice
from coordwatch.processor.telling import Telling
from coordwatch.processor.topics import Topics
from coordwatch.rules.detection import Detection, DetectionChange, DetectionStatus, RetractReason
from coordwatch.worker.alerts import Alerts
from tests.build import CARDS, NOW, a_cancellation, a_loop, a_promo

TOPICS = Topics("cw", 3)
LEDGER, LETTERS, ALIASES = Place(TOPICS.ledger, 0), Place(TOPICS.dead_letters, 0), Place(TOPICS.aliases, 0)
WATCHED = [Watched(SourceProgress("orders", frozenset({"commerce.order.placed"})), ("shop/0", "shop/1"))]
Logs = dict[Place, list[Output]]


class Crash(Exception):
    """The process is gone."""


@dataclass(slots=True)
class Author:
    """Writes logs as detect and ingest would: what is said of one act follows what was said before."""

    partitions: int = 1
    logs: Logs = field(default_factory=dict)
    said: dict[str, Detection] = field(default_factory=dict)
    counts: dict[CountLine, int] = field(default_factory=dict)
    tallies: dict[TallyLine, int] = field(default_factory=dict)

    def write(self, draws: Iterable[tuple[int, int]]) -> Logs:
        """One thing happens for each pair of numbers: about whom, and what."""
        for who, what in draws:
            self._speak(who, what)
            self._count("detect", str(who % 3), "in", 1)
            self._count("detect", str(who % 3), "applied", 1)
            line = CountLine(str(who % 3), "promo-during-open-complaint", NOW // HOUR, "Journeys", "Deskflow", "acts")
            self.counts[line] = self.counts.get(line, 0) + 1
            self._put(LEDGER, Output(LEDGER.topic, line_key(line), line_value(self.counts[line])))
            self._happen(who, what)
        return self.logs

    def _speak(self, who: int, what: int) -> None:
        new = (a_promo, a_cancellation, a_loop)[who % 3](f"customer-{who}", NOW - who * MINUTE)
        before = self.said.get(new.id)
        if before is None or before.status is DetectionStatus.RETRACTED:
            change = DetectionChange("raised", new)
        elif what % 3 == 0:
            gone = replace(before, status=DetectionStatus.RETRACTED, evidence=())
            change = DetectionChange("retracted", gone, RetractReason.CANCELLED)
        elif what % 3 == 1 and new.rule.startswith("cancellation"):
            change = DetectionChange("made_good", a_cancellation(f"customer-{who}", new.at, late=what * MINUTE))
        else:
            # An act whose customer turned out to be another one keeps its detection.
            change = DetectionChange("amended", replace(before, customer=f"customer-{who}-{what}"))
        self.said[new.id] = change.detection
        record = detection_record(TOPICS.detections, change)
        self._put(Place(TOPICS.detections, sum(record.key or b"") % self.partitions), record)

    def _count(self, stage: str, place: str, name: str, amount: int) -> None:
        line = TallyLine(stage, place, name)
        self.tallies[line] = self.tallies.get(line, 0) + amount
        self._put(LEDGER, Output(LEDGER.topic, line_key(line), line_value(self.tallies[line])))

    def _happen(self, who: int, what: int) -> None:
        self._count("ingest", "shop/0", "in", 1)
        self._count("ingest", "shop/0", "passed", 1)
        if what % 4 == 0:
            origin = Origin(Place("shop", 0), who, NOW, b"\xff{" * what, input="orders")
            for letter in letters_of(LETTERS.topic, origin, [Refusal("map", "no_time", "it has no time", "a.b")]):
                self._put(LETTERS, letter)
        if what % 4 == 1:
            value = alias_value(f"customer-{who}-{what}") if what % 8 == 1 else None
            self._put(ALIASES, Output(ALIASES.topic, f"customer-{who}".encode(), value))
        if what % 4 == 2:
            reach = Reach(NOW - what * MINUTE, NOW, NOW - HOUR)
            key = line_key(ReachLine("orders", f"shop/{who % 2}"))
            self._put(LEDGER, Output(LEDGER.topic, key, line_value(reach) if what % 8 == 2 else None))

    def _put(self, place: Place, record: Output) -> None:
        self.logs.setdefault(place, []).append(record)


def a_slice(place: Place, log: Sequence[Output], first: int, count: int) -> Slice:
    """Records of a log; every third offset is a mark of a transaction, which no reader sees."""
    records = Slice(place)
    for index in range(first, min(first + count, len(log))):
        records.offsets.append(offset_of(index))
        records.keys.append(log[index].key)
        records.values.append(log[index].value)
        records.headers.append(log[index].headers)
        records.timestamps.append(NOW)
    return records


def offset_of(index: int) -> int:
    """The offset of a record."""
    return index + index // 2


class CrashingStore(SqlStore):
    """A database whose process dies at the step that a test names."""

    dies_at: str | None = None

    def _die(self, step: str) -> None:
        if self.dies_at == step:
            self.dies_at = None
            raise Crash(step)

    def keep(self, books: Any, now: int) -> None:
        self._die("before the transaction")
        super().keep(books, now)
        self._die("after the transaction")

    def decided(self, reasons: Mapping[str, str]) -> None:
        self._die("after telling")
        super().decided(reasons)
        self._die("after deciding")


STEPS = ("before the transaction", "after the transaction", "after telling", "after deciding")


class Machine:
    """A worker with the role alerts: whoever crashes it starts it again on the same database and the same group."""

    def __init__(self, path: Path, logs: Logs) -> None:
        self.logs = logs
        self.store = CrashingStore(path, CARDS, durable=False)
        self.group: dict[Place, int] = {}
        self.told: list[Notification] = []
        self.start()

    def start(self) -> None:
        """A new process: everything in memory is gone."""
        telling = Telling(CARDS, self.told.append, NotifyPolicy(), lambda now: None)
        self.stage = Alerts(TOPICS, self.store, telling, WATCHED)
        self.at: dict[Place, int] = {}
        for place in self.logs:
            self.stage.assign(place, {})
            # The worst runtime: it reads again whatever the group has not committed.
            offset = self.group.get(place, 0)
            self.at[place] = next(
                (n for n in range(len(self.logs[place])) if offset_of(n) >= offset), len(self.logs[place])
            )

    def take(self, number: int, count: int) -> None:
        """Read a little of one partition."""
        place = list(self.logs)[number % len(self.logs)]
        records = a_slice(place, self.logs[place], self.at[place], count)
        if records:
            assert self.stage.take(records, NOW) == len(records)
            self.at[place] += len(records)

    def give(self) -> None:
        """Write, then commit the group's offsets."""
        self.stage.tick(NOW)
        assert list(self.stage.give(NOW)) == []
        assert not self.stage.pending
        self.group = {place: offset_of(at) for place, at in self.at.items()}

    def crash(self, step: str | None) -> None:
        """Die at a step of the next commit, or between two of them; and start again."""
        if step is not None:
            self.store.dies_at = step
            with suppress(Crash):
                self.give()
            self.store.dies_at = None
        self.start()

    def finish(self) -> None:
        """Read everything that is left."""
        for number, place in enumerate(self.logs):
            self.take(number, len(self.logs[place]))
        self.give()

    def books(self) -> dict[str, Any]:
        """Everything that the database says, the numbers of its lines left out."""
        store = self.store
        rows = store.alerts({}, 1000, None)[0]
        return {
            "alerts": sorted(rows, key=lambda row: row.id),
            "pages": [store.alert(row.id) for row in sorted(rows, key=lambda row: row.id)],
            "detections": list(store.standing_detections()),
            "rules": store.rule_counts(),
            "pairs": store.pair_counts(),
            "tallies": store.tallies(),
            "letters": store.dead_letters(1000),
            "reaches": store.reaches(),
            "aliases": {key: store.customer_now(key) for key in (f"customer-{n}" for n in range(12))},
            "positions": store.positions(),
        }
