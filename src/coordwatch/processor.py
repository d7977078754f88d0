"""Processor: records in; state, detections, dead letters and positions out, in one commit. Every runtime calls it.

The walk of one batch: map each record, find each event's customer, step the customers, commit everything that changed.
A crash before the commit loses nothing that was answered; after it, a repeat finds its duplicates. Nothing here reads a
clock: `now` is passed in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from coordwatch.codec import pack, unpack
from coordwatch.context.journal import Insertion
from coordwatch.context.progress import BEGINNING, Progress, SourceProgress
from coordwatch.context.reference import Reference
from coordwatch.engine.batch import CUSTOMER, FACTS, GIVEN, Batch, Desk
from coordwatch.engine.retention import derive, look_back
from coordwatch.engine.rows import IDENTITY, pack_event, parked_row, taught_of, taught_rows
from coordwatch.engine.state import CustomerState, fact_from_plain, restore
from coordwatch.engine.step import Engine
from coordwatch.engine.views import choose_act, customer_view
from coordwatch.errors import CoordwatchError
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import format_time
from coordwatch.events.wire import Rejected, decode_event, encode_event
from coordwatch.events.words import duration_words
from coordwatch.identity.identity import Identity
from coordwatch.identity.observation import IDENTITY_UNRESOLVED, Observation, Outcome
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.ports import CustomerView, DeadLetter, Effects, Store
from coordwatch.rules.compile import CompiledRule, compile_rules
from coordwatch.rules.evaluate import View
from coordwatch.rules.explain import Explanation, explain
from coordwatch.rules.spec import RuleSpec, State
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapResult, Record

CANONICAL = "canonical"
PROGRESS, RULES = "progress/", "rules/"
STATES_MAX = 20_000
DUE_MAX = 2_000
DAY = 86_400_000_000


class ResultStatus(StrEnum):
    """What became of a record or an event; the values are metric label values.

    The accounting identity: `in` is the sum of all of these, always.
    """

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    DROPPED = "dropped"
    PARKED = "parked"
    DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class Input:
    """One record to handle: `source` names its mapping (None: find it), `input` the configured input it came by."""

    record: Record
    source: str | None = None
    input: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record, and of how many events; `reason` is a metric label value."""

    status: ResultStatus
    reason: str | None = None
    detail: str | None = None
    events: int = 0


@dataclass(frozen=True, slots=True)
class ProcessorSettings:
    """What a site decides about processing. Units: `lateness` in microseconds."""

    identity: IdentityPolicy = field(default_factory=IdentityPolicy)
    lateness: int = 7 * DAY
    cap: int = 200


class Processor:
    """The whole walk over one store; a failed commit leaves it as the store last was."""

    def __init__(
        self,
        specs: Sequence[RuleSpec],
        store: Store,
        settings: ProcessorSettings,
        *,
        mapper: Mapper | None = None,
        sources: Sequence[SourceProgress] = (),
    ) -> None:
        self.specs, self.store, self.settings, self.mapper = tuple(specs), store, settings, mapper
        self.progress = Progress(sources)
        carried = self.progress.carried()
        self.disabled = {spec.id: why for spec in specs if (why := cannot_be_fed(spec, carried)) is not None}
        self.plan = compile_rules([spec for spec in specs if spec.id not in self.disabled], display=True)
        self.retention = derive(self.plan, cap=settings.cap, lateness=settings.lateness)
        self.warming: dict[str, int] = {}
        self._new_rules: dict[str, bytes | None] = {}
        self.reload()

    def reload(self) -> None:
        """Forget everything in memory and begin from what the store holds."""
        stored = {key: unpack(value) for key, value in self.store.scan(PROGRESS)}
        for name, source in self.progress.sources.items():
            through, heard_at = stored.get(PROGRESS + name, (BEGINNING, BEGINNING))
            self.progress.put(
                SourceProgress(
                    name, source.carries, source.disorder, source.publishing_delay, source.dark_after, through, heard_at
                )
            )
        taught, parked, _ = taught_of(self.store.scan(IDENTITY))
        self.identity = Identity(self.settings.identity)
        self.identity.learn([taught])
        for event in parked:
            self.identity.park(event)
        facts = (fact_from_plain(unpack(value), self.plan) for _, value in self.store.scan(FACTS))
        reference = Reference(fact for fact in facts if fact is not None)
        self.desk = Desk(Engine(self.plan, self._since()), self.retention, reference)
        for key, value in self.store.scan(GIVEN):
            event_type, customer = key.removeprefix(GIVEN).split("/", 1)
            self.desk.readers.setdefault(event_type, {})[customer] = unpack(value)
        self._unproven: dict[str, tuple[int, ...]] = {}

    def handle(self, inputs: Sequence[Input], now: int, positions: Mapping[str, str] | None = None) -> list[Result]:
        """Handle a batch of records in one commit.

        Takes:  `positions`, how far each input is read with this batch
        Gives:  one result a record, in order
        Raises: TemporaryError when the store refused; nothing of the batch has happened then
        """
        try:
            work = _Work(self, now)
            results = [work.record(one) for one in inputs]
            self._commit(work, positions or {})
        except CoordwatchError:
            self.reload()
            raise
        return results

    def tick(self, now: int) -> int:
        """Let time pass: give up events that waited too long for a customer, judge acts whose deadline has come.

        Gives:  how many customers were judged
        Raises: TemporaryError as `handle`
        """
        proofs = self._proofs(now)
        waiting = [
            name
            for name in self.store.due(min(now, max(proofs, default=BEGINNING)), DUE_MAX)
            if self._unproven.get(name) != proofs
        ]
        expired = self.identity.expire(now - self.settings.lateness) if now > self.settings.lateness else ()
        if not waiting and not expired:
            return 0
        try:
            work = _Work(self, now)
            work.load(waiting)
            for customer in waiting:
                work.batch.due(customer)
                self._unproven[customer] = proofs
            for one in expired:
                work.give_up(one.event, f"{IDENTITY_UNRESOLVED}: {one.why}")
            self._commit(work, {})
        except CoordwatchError:
            self.reload()
            raise
        return len(waiting)

    def caught_up(self, name: str, now: int) -> None:
        """The reader of an input has reached the end of what is there."""
        source = self.progress.sources.get(name)
        if source is not None:
            self.progress.put(source.caught_up(now))

    def proven(self, types: Iterable[str], now: int) -> int:
        """Up to when every source that could carry one of these types is proven read."""
        return min(self.progress.proof(types, now).through, now)

    def state(self, customer: str) -> CustomerState:
        """A customer's state as it is now; an empty one for a customer nobody knows."""
        known = self.desk.states.get(customer)
        if known is None:
            key = f"{CUSTOMER}{customer}"
            known = restore(customer, self.store.load([key]).get(key), self.plan)
        return known

    def view(self, customer: str) -> View:
        """A customer's facts, ready to be asked by rules."""
        return View(self.state(customer).journal.facts, customer, self.desk.reference)

    def explain(
        self, rule_id: str, customer: str, act: tuple[str, str] | None, at: int | None, now: int
    ) -> Explanation | None:
        """Say why a rule did or did not fire for an act of a customer; None when there is no such rule.

        Takes: `act` by source and id, or the act nearest to `at`, or the last one
        """
        rule = next((rule for rule in self.plan.rules if rule.id == rule_id), None)
        if rule is None:
            return None
        view = self.view(customer)
        return explain(rule, view, choose_act(rule, view, act, at), self.proven_for(rule, now))

    def customer(self, customer: str, now: int) -> CustomerView | None:
        """What is known of a customer; None when nothing is."""
        state = self.state(customer)
        if not state.journal.facts and not state.entries:
            return None
        return customer_view(state, self.view(customer), self.plan, lambda rule: self._waiting_words(rule, now))

    def _waiting_words(self, rule: CompiledRule, now: int) -> tuple[int, str, str]:
        """Up to when a rule is proven, and what an act waits for whose deadline has passed."""
        proof = self.progress.proof(waited_for(rule.spec), now)
        if proof.dark:
            since = min(self.progress.sources[name].heard_at for name in proof.dark)
            return proof.through, "blind", f"blind: {', '.join(proof.dark)} is dark since {format_time(since)}"
        behind = duration_words(now - proof.through) if proof.through > BEGINNING else "an unknown time"
        return proof.through, "not_yet_provable", f"not yet provable: {', '.join(proof.waiting_for)} is {behind} behind"

    def proven_for(self, rule: CompiledRule, now: int) -> int:
        """Up to when the sources of a rule's expected and cancelling types are proven read (RULES 33)."""
        if rule.expect is None:
            return now
        return self.proven(waited_for(rule.spec), now)

    def _proofs(self, now: int) -> tuple[int, ...]:
        return tuple(self.proven_for(rule, now) for rule in self.plan.rules if rule.expect is not None)

    def _since(self) -> dict[str, int]:
        """From when each rule that is new to this store judges; the first rules of an empty store judge everything."""
        stored = {key.removeprefix(RULES): unpack(value) for key, value in self.store.scan(RULES)}
        through = max((source.through for source in self.progress.sources.values()), default=BEGINNING)
        since: dict[str, int] = {}
        for rule in self.plan.rules:
            revision, first = stored.get(rule.id, (None, BEGINNING))
            if revision != rule.revision:
                first = through if stored else BEGINNING
                self._new_rules[RULES + rule.id] = pack([rule.revision, first])
            if first > BEGINNING:
                since[rule.id] = first
                self.warming[rule.id] = first + look_back(rule.spec)
        return since

    def _commit(self, work: "_Work", positions: Mapping[str, str]) -> None:
        effects = work.effects(positions)
        effects.values.update(self._new_rules)
        self.store.commit(effects, work.now)
        self._new_rules = {}
        if len(self.desk.states) > STATES_MAX:
            self.desk.states.clear()


class _Work:
    """One batch on its way through the walk."""

    def __init__(self, processor: Processor, now: int) -> None:
        self.processor, self.now = processor, now
        self.identity = processor.identity
        self.batch = Batch(processor.desk, lambda rule: processor.proven_for(rule, now), now)
        self.tallies: Counter[str] = self.batch.tallies
        self.dead_letters: list[DeadLetter] = []
        self.heard: set[str] = set()
        self.results: Counter[ResultStatus] = Counter()

    def record(self, one: Input) -> Result:
        """Take one record through mapping, identity and the engine."""
        mapped = self._map(one)
        if isinstance(mapped, Rejected):
            return Result(ResultStatus.DEAD_LETTERED, mapped.reason.value, mapped.detail)
        for rejection in mapped.rejected:
            self._dead_letter(one, rejection.stage.value, rejection.reason.value, (rejection.detail, rejection.path))
        self._tally(ResultStatus.DROPPED, len(mapped.dropped), (reason.value for reason in mapped.dropped))
        self.tallies["unknown_category"] += mapped.unknown_category
        statuses = [self._event(event) for event in mapped.events]
        self._progress(one.input or mapped.source or CANONICAL, mapped.events)
        return _result(mapped, statuses)

    def _map(self, one: Input) -> MapResult | Rejected:
        if self.processor.mapper is None or one.source == CANONICAL:
            return self._canonical(one)
        return self.processor.mapper.map_record(one.record, one.source)

    def _canonical(self, one: Input) -> MapResult | Rejected:
        """One canonical event; bytes that are none become a dead letter here."""
        event = decode_event(one.record.value or b"")
        if isinstance(event, Rejected):
            self._dead_letter(one, "decode", event.reason.value, (event.detail, event.path))
            return event
        event = clamped(event, self.now, one.record.timestamp)
        return MapResult(events=(event,), pieces=1, applied=1, source=CANONICAL)

    def _event(self, event: Event) -> ResultStatus:
        seen = self.identity.observe(event)
        self.batch.values.update(taught_rows(seen.taught))
        self._refile(seen)
        safe = self.identity.pseudonymous(event)
        status = self._file(safe, seen)
        for released in seen.released:
            self.batch.values[parked_row(released.event)] = None
            self.tallies[ResultStatus.PARKED.value] -= 1
            self._apply(released.customer, self.identity.pseudonymous(released.event))
        return status

    def _file(self, event: Event, seen: Observation) -> ResultStatus:
        """Put an event where it belongs: a customer's journal, the reference facts, or the waiting ones."""
        if event.type in self.processor.plan.broadcast or TYPES[event.type].broadcast:
            insertion, readers = self.batch.insert_reference(event)
            self.load(readers)
            rules = self.processor.desk.reading_rules(event.type)
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
        return self._tally_insertion(self.batch.insert(customer, [event])[0])

    def _refile(self, seen: Observation) -> None:
        """Move the journals of customers who turned out to be others."""
        changed = dict.fromkeys([*(alias.old for alias in seen.change.aliases), *seen.change.divided])
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
        self.tallies["aliased"] += len(seen.change.aliases)
        self.tallies["quarantined"] += len(seen.change.quarantined)

    def load(self, customers: Iterable[str]) -> None:
        """Bring customers into memory, ending what older rules said of them."""
        states = self.processor.desk.states
        missing = [customer for customer in customers if customer not in states]
        found = self.processor.store.load(f"{CUSTOMER}{customer}" for customer in missing) if missing else {}
        for customer in missing:
            state = restore(customer, found.get(f"{CUSTOMER}{customer}"), self.processor.plan)
            states[customer] = state
            step = self.processor.desk.engine.retire(state)
            self.batch.changes += step.changes

    def give_up(self, event: Event, why: str) -> None:
        """An event waited too long for a customer: it becomes a dead letter."""
        original = encode_event(event)
        self.batch.values[parked_row(event)] = None
        self.tallies[ResultStatus.PARKED.value] -= 1
        self.tallies[ResultStatus.DEAD_LETTERED.value] += 1
        self.tallies[f"dead_lettered.identity.{IDENTITY_UNRESOLVED}"] += 1
        self.dead_letters.append(
            DeadLetter(
                _letter_id(event.source, original),
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
        for name in self.heard:
            source = self.processor.progress.sources[name]
            batch.values[PROGRESS + name] = pack([source.through, source.heard_at])
        tallies = {name: amount for name, amount in batch.tallies.items() if amount}
        return Effects(
            batch.values,
            dict(batch.deadlines()),
            batch.changes,
            batch.counts,
            self.dead_letters,
            dict(positions),
            tallies,
        )

    def _progress(self, name: str, events: Sequence[Event]) -> None:
        source = self.processor.progress.sources.get(name)
        if source is None:
            return
        self.heard.add(name)
        for event in events:
            source = source.seen(event.time, self.now)
        self.processor.progress.put(source)

    def _dead_letter(self, one: Input, stage: str, reason: str, about: tuple[str, str | None]) -> None:
        detail, path = about
        original = one.record.value or b""
        origin = one.input or one.record.topic or one.source or CANONICAL
        self.dead_letters.append(
            DeadLetter(
                _letter_id(f"{origin}\x1f{reason}\x1f{path}\x1f{detail}", original),
                origin,
                stage,
                reason,
                detail,
                path,
                self.now,
                original,
            )
        )
        self._tally(ResultStatus.DEAD_LETTERED, reasons=(f"{stage}.{reason}",))

    def _tally(self, status: ResultStatus, amount: int = 1, reasons: Iterable[str] = ()) -> ResultStatus:
        self.tallies["in"] += amount
        self.tallies[status.value] += amount
        for reason in reasons:
            self.tallies[f"{status.value}.{reason}"] += 1
        return status

    def _tally_insertion(self, insertion: Insertion | None) -> ResultStatus:
        if insertion is Insertion.TOO_LATE:
            self.tallies["too_late"] += 1
            return self._tally(ResultStatus.DROPPED, reasons=(str(insertion),))
        if insertion is not None and insertion is not Insertion.ADDED:
            return self._tally(ResultStatus.DUPLICATE, reasons=(str(insertion),))
        return self._tally(ResultStatus.APPLIED)


_CLAMP = 5 * 60_000_000
_WORST = (ResultStatus.APPLIED, ResultStatus.PARKED, ResultStatus.DUPLICATE, ResultStatus.DROPPED)


def clamped(event: Event, now: int, arrived_at: int | None) -> Event:
    """An event that says it happened in the future, moved to when it was observed (RULES 34).

    Against `observed_at`, so that a repeat is clamped to the same instant; one whose observation lies in the future too
    is moved to when it arrived.
    """
    observed_at = event.observed_at
    if observed_at > now + _CLAMP:
        observed_at = now if arrived_at is None else min(arrived_at, now)
    if event.time <= observed_at + _CLAMP:
        return event
    data = {**event.data, "time_basis": "clamped"}
    return Event(event.source, event.id, event.type, observed_at, observed_at, event.subject, data)


def _result(mapped: MapResult, statuses: Sequence[ResultStatus]) -> Result:
    """One answer for a record: dead-lettered when any piece was refused, else the best that an event came to."""
    if mapped.rejected:
        first = mapped.rejected[0]
        return Result(ResultStatus.DEAD_LETTERED, first.reason.value, first.detail, len(statuses))
    if not statuses:
        reason = mapped.dropped[0].value if mapped.dropped else None
        return Result(ResultStatus.DROPPED, reason)
    return Result(min(statuses, key=_WORST.index), None, None, len(statuses))


def _letter_id(origin: str, original: bytes) -> str:
    return sha256(origin.encode() + b"\x1f" + original).hexdigest()[:32]


def waited_for(spec: RuleSpec) -> set[str]:
    """The event types that could still make an act of this rule no conflict: expected ones and cancelling ones."""
    types = {match.event for match in spec.expect.matches} if spec.expect else set()
    for step in spec.unless:
        matches = (*step.opened, *step.closed, *step.reopened) if isinstance(step, State) else step.matches
        types.update(match.event for match in matches)
    return types


def cannot_be_fed(spec: RuleSpec, carried: frozenset[str]) -> str | None:
    """Why no configured source can ever feed a rule, None when one can or when no source is declared."""
    if not carried:
        return None
    acts = {match.event for match in spec.when.matches}
    if not acts & carried:
        return f"no configured source carries {' or '.join(sorted(acts))}, which this rule judges"
    if spec.expect is not None:
        expected = {match.event for match in spec.expect.matches}
        if not expected & carried:
            return f"no configured source carries {' or '.join(sorted(expected))}, which this rule waits for"
    return None
