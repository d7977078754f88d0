"""Intake: the quick way of an event into its customer's folder; the slow way begins where a rule must look.

Slices of events enter; what must be looked at leaves for `partition`. Everything here is done for each event of a log, so it
makes no object that is not kept, and looks nothing up twice.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Protocol
from zlib import crc32

from coordwatch.context.fact import Fact
from coordwatch.engine.arrivals import Acting, Arrival, Arrivals, Lack
from coordwatch.engine.folder import Folder
from coordwatch.engine.ledger import HOUR
from coordwatch.engine.lines import LineKind, NotALine
from coordwatch.engine.step import Step, World
from coordwatch.processor.detecting.books import Books
from coordwatch.processor.detecting.customers import Customers
from coordwatch.processor.detecting.readers import Readers
from coordwatch.processor.detecting.site import Site
from coordwatch.processor.stage import Slice
from coordwatch.rules.evaluate import cannot_hold, judge
from coordwatch.rules.search import View


class Slow(Protocol):
    """What the quick way cannot do."""

    def message(self, records: Slice, index: int) -> None:
        """Take a message of a kind of ours, or one that cannot be decoded the quick way."""
        ...

    def look(self, key: bytes, fact: Fact) -> None:
        """Take a fact that may change what is said of some act, or that is no new one."""
        ...


class Intake:
    """Takes events into the folders of one partition. `acts` counts them by what they may be acts of, by hour and tool."""

    def __init__(self, site: Site, customers: Customers, readers: Readers, arrivals: Arrivals, world: World) -> None:
        self._lines, self._times = customers.folders.lines, site.times
        self._customers, self._readers, self._arrivals, self._world = customers, readers, arrivals, world
        self.acts: dict[tuple[Arrival | Lack, int, str], int] = {}
        self.applied = 0

    def take(self, records: Slice, start: int, now: int, slow: Slow) -> None:
        """Take messages in order, from an index on."""
        decode, kinds, times = self._lines.decode, self._lines.kinds, self._times
        minutes, rests, parse = times.minutes, times.rests, times.parse
        arrive, message = self._arrive, slow.message
        columns = zip(records.keys, records.values, records.headers, strict=True)
        for index, (key, value, headers) in enumerate(islice(columns, start, None), start):
            if headers or not key:
                message(records, index)
                continue
            try:
                line = decode(value)  # type: ignore[arg-type]
                kind = kinds.get(line.__class__)
                text, seen = line.time, line.recordedtime if kind is not None else None
                try:
                    time = minutes[text[:16]] + rests[text[16:]]
                except KeyError:
                    time = parse(text)
                observed = time if seen is None or seen == text else parse(seen)
            except (*NotALine, ValueError, TypeError):
                message(records, index)
                continue
            if kind is None:
                self.applied += 1
                continue
            data = line.data or kind.empty
            if line.stampedsubject is not None:
                data = kind.stamped(line)
            fact = kind.project(time, line.source, line.id, observed, data)
            if fact is None or arrive(key, fact, kind, now):
                self.applied += 1
            else:
                slow.look(key, fact)

    def _arrive(self, key: bytes, fact: Fact, kind: LineKind, now: int) -> bool:
        """Add a fact to its customer's folder, if that is all there is to do."""
        folder = self._customers.touched.get(key)
        if folder is None:
            folder = self._customers.touch(key)
        time, mask = fact[0], fact[5]
        arrival = self._arrivals.known.get(mask)
        if arrival is None:
            arrival = self._arrivals.of(kind.type, mask)
        present = folder.present
        tag = crc32(fact[2].encode()).to_bytes(4, "big")
        if (
            tag in folder.names
            or time + kind.age < now
            or folder.truncated
            or arrival.warming
            or folder.said & arrival.waited
            or present & arrival.ever
            or (time <= folder.latest and present & arrival.late)
        ):
            return False
        lack = None
        if arrival.slots is not None and None in arrival.slots(fact):
            lack = arrival.lack(fact)
        if arrival.acting:
            candidates = (lack or arrival).may_hold(present)
            if candidates and self._may_conflict(candidates, key, folder, fact):
                return False
            self._count(arrival, time, fact[-2])
            if arrival.reads:
                self.note_reads(key, folder, fact, arrival)
        if lack is not None:
            self._count(lack, time, fact[-2])
        self._customers.folders.add(folder, fact, kind, tag)
        return True

    def _count(self, counted: Arrival | Lack, time: int, tool: str) -> None:
        name = (counted, time // HOUR, tool)
        self.acts[name] = self.acts.get(name, 0) + 1

    def settle(self, step: Step, books: Books) -> None:
        """Hand on what was counted."""
        books.tally("applied", self.applied)
        for (what, hour, tool), amount in self.acts.items():
            for rule, kind in what.counted:
                step.count((rule, hour, tool, "", kind), amount)
        self.applied, self.acts = 0, {}

    def note_reads(self, key: bytes, folder: Folder, fact: Fact, arrival: Arrival) -> None:
        """Remember that an act reads facts across customers."""
        self._readers.note(key, fact, arrival.reads)
        folder.reads = max(folder.reads, fact[0])

    def _may_conflict(self, candidates: Sequence[Acting], key: bytes, folder: Folder, fact: Fact) -> bool:
        """Whether an act must be looked at, because it may be a conflict by one of some rules.

        It need not where some event must share a key with it and none holds that value, nor where some step's events all
        lie outside its window, which their times alone tell.
        """
        lines: View | None = None
        for one in candidates:
            if not all(self._is_mentioned(fact[slot], folder) for slot in one.keys):
                continue
            if not folder.present & one.others:
                view = View((fact,), key.decode("utf-8", "replace"), self._world.reference)
                if judge(one.rule, view, fact, self._world.proven(one.rule)) is not None:
                    return True
                continue
            if not one.needs or one.is_unsure(fact):
                return True
            if lines is None:
                lines = View(self._customers.folders.rows_of(folder), "", self._world.reference)
            if not cannot_hold(one.rule, lines, fact[0]):
                return True
        return False

    def _is_mentioned(self, value: object, folder: Folder) -> bool:
        return not isinstance(value, str) or folder.mentions(value.encode())
