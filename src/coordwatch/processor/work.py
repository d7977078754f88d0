"""Work: one batch on its way through the walk, from records to the Effects that one commit writes.

Records enter; Effects leave for `processor/processor.py`, which commits them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.audit.deed import Deed
from coordwatch.codec import pack
from coordwatch.context.journal import Insertion
from coordwatch.context.progress import Progress
from coordwatch.engine.batch import CUSTOMER, Batch, Desk
from coordwatch.engine.ledger import counts_of
from coordwatch.engine.rows import pack_event, parked_row, taught_rows
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.wire import encode_event
from coordwatch.identity.cross_reference import Change
from coordwatch.identity.identity import Identity
from coordwatch.identity.kept_away import KeptAway
from coordwatch.identity.observation import (
    IDENTITY_UNRESOLVED,
    ByTool,
    Found,
    Observation,
    Outcome,
    Released,
    gap_name,
    unusable_name,
)
from coordwatch.ports import DeadLetter, Effects
from coordwatch.processor.feeding import waited_for
from coordwatch.processor.forgetting import ERASED, FORGOTTEN
from coordwatch.processor.mapping import Mapped, map_input, tally, tally_mapped
from coordwatch.processor.records import CANONICAL, Input, Refusal, Result, ResultStatus, letter_id
from coordwatch.processor.requests import KEPT, PersonStore
from coordwatch.rules.plan import CompiledRule
from coordwatch.sources.mapper import Mapper

PROGRESS = "progress/"
_BEST_FIRST = (ResultStatus.APPLIED, ResultStatus.PARKED, ResultStatus.DUPLICATE, ResultStatus.DROPPED)


@dataclass(slots=True)
class Rooms:
    """What every batch works with: mappings, identities, customers, progress, and the store behind them."""

    store: PersonStore
    mapper: Mapper | None
    identity: Identity
    desk: Desk
    progress: Progress
    kept: KeptAway
    by_tool: ByTool = field(default_factory=ByTool)

    def proven(self, types: Iterable[str], now: int) -> int:
        """Up to when every source that could carry one of these types is proven read."""
        return min(self.progress.proof(types, now).through, now)

    def proven_for(self, rule: CompiledRule, now: int) -> int:
        """Up to when the sources of a rule's expected and cancelling types are proven read (RULES 33)."""
        return now if rule.expect is None else self.proven(waited_for(rule.spec), now)


class Work:
    """One batch on its way through the walk."""

    def __init__(self, rooms: Rooms, now: int) -> None:
        self.rooms, self.now = rooms, now
        self.identity = rooms.identity
        self.batch = Batch(rooms.desk, lambda rule: rooms.proven_for(rule, now), now)
        self.tallies: Counter[str] = self.batch.tallies
        self.dead_letters: list[DeadLetter] = []
        self.heard: set[str] = set()
        self.forgotten: list[str] = []
        self.letters_gone: list[str] = []
        self.erasures: list[Event] = []
        self.deeds: list[Deed] = []
        self.mismatches = rooms.desk.engine.plan.runtime.mismatches

    def record(self, one: Input) -> Result:
        """Take one record through mapping, identity and the engine."""
        mapped = map_input(one, self.rooms.mapper, self.now)
        self._dead_letters_of(one, mapped.refused)
        tally_mapped(self.tallies, mapped)
        statuses = [self._event(event) for event in mapped.events]
        self._progress(one.input or mapped.source or CANONICAL, mapped.events)
        return result_of(mapped, statuses)

    def _event(self, event: Event) -> ResultStatus:
        admitted, widened = self.rooms.kept.admit(event)
        if admitted is None:
            for entry in self.rooms.kept.add(widened, self.now):
                self.batch.values[f"{KEPT}{entry}"] = pack(self.now)
            return self._tally(ResultStatus.DROPPED, reasons=(FORGOTTEN,))
        event = admitted
        if event.type == ERASED:
            self.erasures.append(event)
            return self._tally(ResultStatus.APPLIED)
        seen = self.identity.observe(event)
        self.batch.values.update(taught_rows(seen.taught))
        self.refile(seen.change)
        self._note(event, seen)
        safe = self.identity.pseudonymous(event)
        status = self._file(safe, seen)
        self.release(seen.released)
        return status

    def release(self, released: Iterable[Released]) -> None:
        """File the events that waited for their customer and have one now."""
        for one in released:
            self.tallies[self.rooms.by_tool.name(one.event, Found.RELEASED)] += 1
            self.batch.values[parked_row(one.event)] = None
            self.tallies[ResultStatus.PARKED.value] -= 1
            self.tallies["in"] -= 1
            self._apply(one.customer, self.identity.pseudonymous(one.event))

    def _note(self, event: Event, seen: Observation) -> None:
        """Count how an event came to its customer, or why it did not, and what it names that names nobody."""
        for one in seen.unusable:
            self.tallies[unusable_name(one)] += 1
        if seen.repeated or seen.outcome is Outcome.BROADCAST:
            return
        self.tallies[self.rooms.by_tool.name(event, Found(seen.outcome.value))] += 1
        if seen.waits is not None:
            self.tallies[gap_name(seen.waits)] += 1

    def _file(self, event: Event, seen: Observation) -> ResultStatus:
        """Put an event where it belongs: a customer's journal, the reference facts, or the waiting ones."""
        if event.type in self.rooms.desk.engine.plan.broadcast or TYPES[event.type].broadcast:
            insertion, readers = self.batch.insert_reference(event)
            self.load(readers)
            rules = self.rooms.desk.reading_rules(event.type)
            for customer in readers:
                self.batch.review(customer, rules)
            if seen.customer is None:
                return self._tally_insertion(insertion)
        if seen.customer is not None:
            return self._apply(seen.customer, event)
        if seen.outcome is Outcome.PARKED:
            if seen.repeated:
                return self._tally(ResultStatus.DUPLICATE)
            self.batch.values[parked_row(event)] = pack_event(event)
            return self._tally(ResultStatus.PARKED)
        return self._tally(ResultStatus.DROPPED, reasons=("no_customer",))

    def _apply(self, customer: str, event: Event) -> ResultStatus:
        self.load([customer])
        return self._tally_insertion(self.batch.insert(customer, event))

    def refile(self, change: Change) -> None:
        """Move the journals of customers who turned out to be others."""
        changed = dict.fromkeys([*(alias.old for alias in change.aliases), *change.divided])
        for old in changed:
            self.load([old])
            lost, moved = self.batch.refile(old, self.identity)
            for customer, events in moved.items():
                self.load([customer])
                self.batch.move(old, customer, events)
                self.batch.rejudge(customer)
            self.batch.move(old, None, lost)
            for event in lost:
                if self.identity.park(event):
                    self.batch.values[parked_row(event)] = pack_event(event)
                    self.tallies[ResultStatus.APPLIED.value] -= 1
                    self.tallies[ResultStatus.PARKED.value] += 1
            if moved or lost:
                self.batch.rejudge(old)
        self.tallies["aliased"] += len(change.aliases)
        self.tallies["quarantined"] += len(change.quarantined)

    def load(self, customers: Iterable[str]) -> None:
        """Bring customers into memory, ending what older rules said of them."""
        states = self.rooms.desk.states
        missing = [customer for customer in customers if customer not in states]
        found = self.rooms.store.load(f"{CUSTOMER}{customer}" for customer in missing) if missing else {}
        for customer in missing:
            states[customer] = self.rooms.desk.folders.restore(customer, found.get(f"{CUSTOMER}{customer}"))
            self.batch.retire(customer)

    def give_up(self, event: Event, why: str) -> None:
        """An event waited too long for a customer: it becomes a dead letter."""
        original = encode_event(event)
        self.batch.values[parked_row(event)] = None
        self.tallies[ResultStatus.PARKED.value] -= 1
        self.tallies[ResultStatus.DEAD_LETTERED.value] += 1
        self.tallies[f"dead_lettered.identity.{IDENTITY_UNRESOLVED}"] += 1
        self.tallies[self.rooms.by_tool.name(event, Found.GIVEN_UP)] += 1
        self.dead_letters.append(
            DeadLetter(
                letter_id(event.source, original),
                event.source,
                "identity",
                IDENTITY_UNRESOLVED,
                why,
                None,
                self.now,
                original,
            )
        )

    def effects(self, positions: Mapping[str, str]) -> Effects:
        """Everything this batch changes."""
        batch = self.batch
        batch.finish()
        if self.rooms.mapper is not None:
            batch.tallies.update(self.rooms.mapper.lookups.take())
        for name in self.heard:
            source = self.rooms.progress.sources[name]
            batch.values[PROGRESS + name] = pack([source.through, source.heard_at])
        batch.tallies["type_mismatch"] = self.rooms.desk.engine.plan.runtime.mismatches - self.mismatches
        tallies = {name: amount for name, amount in batch.tallies.items() if amount}
        return Effects(
            batch.values,
            dict(batch.deadlines()),
            batch.changes,
            counts_of(batch.counts),
            self.dead_letters,
            dict(positions),
            tallies,
            self.forgotten,
            self.letters_gone,
            self.deeds,
        )

    def _progress(self, name: str, events: Sequence[Event]) -> None:
        source = self.rooms.progress.sources.get(name)
        if source is None:
            return
        self.heard.add(name)
        for event in events:
            source = source.seen(event.time, self.now)
        self.rooms.progress.put(source)

    def _dead_letters_of(self, one: Input, refusals: Sequence[Refusal]) -> None:
        """One letter for each reason: a batch of a thousand bad pieces must not become a thousand copies of itself."""
        alike: dict[tuple[str, str], list[Refusal]] = {}
        for refusal in refusals:
            alike.setdefault((refusal.stage, refusal.reason), []).append(refusal)
        for first, *others in alike.values():
            more = f" (and {len(others):,} more pieces of this record)" if others else ""
            self._dead_letter(one, first._replace(detail=first.detail + more))

    def _dead_letter(self, one: Input, refusal: Refusal) -> None:
        stage, reason, detail, path = refusal
        original = one.record.value or b""
        origin = one.input or one.record.topic or one.source or CANONICAL
        name = letter_id(f"{origin}\x1f{reason}\x1f{path}\x1f{detail}", original)
        self.dead_letters.append(DeadLetter(name, origin, stage, reason, detail, path, self.now, original))

    def _tally(self, status: ResultStatus, reasons: Iterable[str] = ()) -> ResultStatus:
        tally(self.tallies, status.value, reasons=reasons)
        return status

    def _tally_insertion(self, insertion: Insertion | None) -> ResultStatus:
        if insertion is Insertion.TOO_LATE:
            self.tallies["too_late"] += 1
            return self._tally(ResultStatus.DROPPED, reasons=(str(insertion),))
        if insertion is not None and insertion is not Insertion.ADDED:
            return self._tally(ResultStatus.DUPLICATE, reasons=(str(insertion),))
        return self._tally(ResultStatus.APPLIED)


def result_of(mapped: Mapped, statuses: Sequence[ResultStatus]) -> Result:
    """One answer for a record: dead-lettered when any piece was refused, else the best that an event came to."""
    status, reason, detail = ResultStatus.DROPPED, next(iter(mapped.dropped), None), None
    if mapped.refused:
        _, reason, detail, *_ = mapped.refused[0]
        status = ResultStatus.DEAD_LETTERED
    elif statuses:
        status, reason = min(statuses, key=_BEST_FIRST.index), None
    became = tuple(statuses)
    return Result(status, reason, detail, len(became), became, mapped.dropped, mapped.refused, mapped.pieces)
