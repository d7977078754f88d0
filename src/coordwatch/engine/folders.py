"""Folders: opens and closes what is kept of customers, under one plan.

What enters: the bytes or the state of a customer. What leaves: the other of the two. Most events only add a row to a closed
folder; `step` needs it open when an act may have become a conflict.

A folder holds the fields that facts were made of, not the facts: under changed rules they are made anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from coordwatch.codec import unpack
from coordwatch.context.fact import ID, MASK, OBSERVED, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import LONG_AGO, Journal, Row
from coordwatch.engine.book import Book, book_of
from coordwatch.engine.folder import NEVER, TAG, UNSEEN, Folder, tag_of, unknown
from coordwatch.engine.lines import LineKind, Lines
from coordwatch.engine.retention import Retention, prune
from coordwatch.engine.state import (
    ActName,
    CustomerState,
    Entry,
    Said,
    entry_from_plain,
    entry_to_plain,
    fact_from_plain,
)
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.plan import Plan

_FIRST_VERSION = 0x85
"""The first byte of what version 1 wrote: a map of five."""

_encode = msgspec.msgpack.Encoder().encode
_decode_row = msgspec.msgpack.Decoder(tuple[str, str, int, tuple[Any, ...]]).decode


class Folders:
    """The folders of one plan.

    Takes: `books`, how rows are laid out that other plans wrote, by digest, as plain data
    """

    def __init__(self, plan: Plan, retention: Retention, books: Mapping[int, Sequence[Any]] | None = None) -> None:
        self.plan, self.retention, self.lines = plan, retention, Lines(plan, retention)
        self.book = book_of(plan)
        self._pack, self._kinds = self.book.packer(), self.lines.by_type
        self._books = {digest: Book(*plain) for digest, plain in (books or {}).items()}
        projections = plan.projections_of("values", keep_data=True)
        self._projections = [projections[event_type] for event_type in self.book.types]
        self._numbers = {rule.id: 1 << rule.number for rule in plan.rules}
        self._ages = [retention.age(event_type) for event_type in self.book.types]

    # ---- bytes and folders

    def new(self) -> Folder:
        """The folder of a customer of whom nothing is known."""
        return Folder(self.book.digest, min(self.retention.limits))

    def decode(self, value: bytes) -> Folder:
        """A folder out of its bytes, laid out by this plan.

        Raises: UnknownSnapshot when another version of the program wrote them
        """
        if value[0] == _FIRST_VERSION:
            return self._upcast(value)
        folder = Folder.decode(value)
        return folder if folder.book == self.book.digest else self._refiled(folder, value)

    def close(self, state: CustomerState) -> bytes:
        """All of a state as bytes."""
        folder = self.new()
        self.rewrite(folder, state.journal)
        self.retell(folder, state.entries)
        return folder.encode()

    def restore(self, customer: str, value: bytes | None) -> CustomerState:
        """The state in some bytes.

        Raises: UnknownSnapshot when another version of the program wrote them
        """
        return CustomerState(customer) if value is None else self.open(customer, self.decode(value))

    # ---- folders and states

    def rows_of(self, folder: Folder) -> list[Row]:
        """A line for every row, in order of time."""
        lines = self.book.unpack(folder.index)
        if not folder.in_order:
            lines.sort(key=itemgetter(TIME))
        return lines

    def open(self, customer: str, folder: Folder) -> CustomerState:
        """The state in a folder; the two are kept in step by whoever changes one of them."""
        rows, make = self.rows_of(folder), self._maker(*folder.row_parts)
        if not folder.in_order:
            _order_within(rows, make)
        journal = Journal((), rows, make)
        journal.truncated, journal.too_late = folder.truncated, folder.too_late
        return CustomerState(customer, journal, lambda: folder.entries)

    def add(self, folder: Folder, fact: Fact, kind: LineKind, tag: bytes) -> None:
        """Add the row of a new fact."""
        time, mask = fact[TIME], fact[MASK]
        row = _encode((fact[SOURCE], fact[ID], fact[OBSERVED] - time, fact[-1]))
        folder.new_index += self._pack(time, folder.size, len(row), kind.code, 0, mask)
        folder.new_rows += row
        folder.names += tag
        folder.present |= mask
        folder.room -= 1
        if time > folder.latest:
            folder.latest = time
        else:
            folder.in_order = False
        folder.expires = min(folder.expires, time + kind.age)

    def tell(self, folder: Folder, told: Iterable[tuple[ActName, Entry]]) -> None:
        """Add what was said of acts of which nothing was said before."""
        for name, entry in told:
            folder.new_entries += _encode(entry_to_plain(name, entry))
            folder.told += 1
            folder.said |= self._numbers.get(name[0], 0)
            if entry.outcome is Outcome.PENDING and entry.at < folder.deadline:
                folder.deadline = entry.at

    def retell(self, folder: Folder, entries: Said) -> None:
        """Write what was said anew."""
        folder.clear_entries()
        self.tell(folder, entries.items())

    def rewrite(self, folder: Folder, journal: Journal) -> None:
        """Write all rows anew, because some were let go or changed."""
        facts, room, expires = journal.facts, folder.room, folder.expires
        folder.set_rows(b"", b"", b"")
        folder.present, folder.latest = 0, LONG_AGO
        for fact in facts:
            self.add(folder, fact, self._kinds[fact[TYPE]], tag_of(fact[ID]))
        folder.room, folder.expires, folder.in_order = room, expires, True
        folder.truncated, folder.too_late = journal.truncated, journal.too_late

    def tidy(self, folder: Folder, state: CustomerState, now: int) -> None:
        """Let go of what is too old or too much, and note when that must be looked at again."""
        gone, folder.room = prune(state.journal, self.retention, now, state.running())
        self._forget(folder, state, gone)
        ages = (fact[TIME] + self.retention.age(fact[TYPE]) for fact in state.journal.facts)
        folder.expires = min(ages, default=NEVER)

    def trim(self, folder: Folder, now: int) -> bool:
        """Let go of what is too old without opening; not where an act's deadline runs, nor where anything was said.

        Gives: whether that was possible. The bits of what went stay in `present`: they only make somebody look once more.
        """
        if folder.told or not folder.in_order:
            return False
        ages, size, expires = self._ages, 0, NEVER
        names, rows = folder.names, folder.rows
        kept: list[tuple[bytes, bytes, bytes]] = []
        for place, (time, begin, length, code, _, mask) in enumerate(self.book.unpack(folder.index)):
            if time + ages[code] >= now:
                line = self._pack(time, size, length, code, 0, mask)
                kept.append((names[place * TAG : (place + 1) * TAG], line, rows[begin : begin + length]))
                size += length
                expires = min(expires, time + ages[code])
        folder.set_rows(*(map(b"".join, zip(*kept, strict=True)) if kept else (b"", b"", b"")))
        folder.expires = expires
        return True

    def truncate(self, folder: Folder, state: CustomerState, size: int, most: int) -> None:
        """Let the oldest facts go that no rule asks for, until few enough bytes are left; the journal says so."""
        journal, gone = state.journal, []
        for fact in journal.facts:
            if size <= most:
                break
            if self.retention.kind(fact) == "unselected":
                gone.append(fact)
                size -= len(_encode((fact[SOURCE], fact[ID], 0, fact[-1]))) + self.book.line + TAG
                journal.truncated[fact[TYPE]] = max(fact[TIME], journal.truncated.get(fact[TYPE], fact[TIME]))
        journal.remove(gone)
        self._forget(folder, state, gone)

    def _forget(self, folder: Folder, state: CustomerState, gone: Sequence[Fact]) -> None:
        if gone:
            state.forget(gone)
            self.rewrite(folder, state.journal)
            self.retell(folder, state.entries)

    def _maker(self, rows: bytes, first: int, new_rows: bytes) -> Callable[[Row], Fact]:
        """What gives the fact of a line of the index; rows begin at `first` in the bytes, and go on in the new ones."""
        projections, runtime, end = self._projections, self.plan.runtime, len(rows)

        def make(line: Row) -> Fact:
            time, begin, length, code, _, _ = line
            begin += first
            row = rows[begin : begin + length] if begin < end else new_rows[begin - end : begin - end + length]
            source, event_id, later, values = _decode_row(row)
            mismatches = runtime.mismatches
            fact = projections[code](time, source, event_id, time + later, values)
            runtime.mismatches = mismatches  # they were counted when the event came
            assert fact is not None, "every event of a type that a rule names makes a fact"
            return fact

        return make

    # ---- what others wrote

    def _refiled(self, folder: Folder, value: bytes) -> Folder:
        """A folder that another plan wrote, laid out by this one."""
        book = self._books.get(folder.book)
        if book is None:
            raise unknown(value)
        facts, rows = [], folder.rows
        for time, begin, length, code, *_ in book.unpack(folder.index):
            source, event_id, later, values = _decode_row(rows[begin : begin + length])
            data = dict(zip(book.heads[code], values, strict=True))
            facts.append((time, source, event_id, time + later, book.types[code], data))
        return self._filed(facts, folder.entries, (folder.truncated, folder.too_late, folder.reads))

    def _upcast(self, value: bytes) -> Folder:
        """A folder as the first version wrote it: one map, with facts as their fields by name."""
        try:
            plain = unpack(value)
            if plain["version"] == 1:
                entries = dict(map(entry_from_plain, plain["entries"]))
                return self._filed(plain["facts"], entries, (plain["truncated"], plain["too_late"], LONG_AGO))
        except (ValueError, TypeError, KeyError):
            pass
        raise unknown(value)

    def _filed(self, plain: Iterable[Any], entries: Said, rest: tuple[dict[str, int], int, int]) -> Folder:
        mismatches = self.plan.runtime.mismatches
        facts = [fact_from_plain(list(one), self.plan) for one in plain]
        self.plan.runtime.mismatches = mismatches
        journal = Journal(fact for fact in facts if fact is not None)
        folder = self.new()
        journal.truncated, journal.too_late, folder.reads = rest
        self.rewrite(folder, journal)
        self.retell(folder, entries)
        folder.room = UNSEEN
        return folder


def _order_within(rows: list[Row], make: Callable[[Row], Fact]) -> None:
    """Put rows of one time in the order of their facts, which takes the facts."""
    begin = 0
    for place in range(1, len(rows) + 1):
        if place < len(rows) and rows[place][TIME] == rows[begin][TIME]:
            continue
        if place - begin > 1:
            rows[begin:place] = sorted(map(make, rows[begin:place]))
        begin = place
