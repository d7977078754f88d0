"""One partition of the events: its customers, and what came of the messages taken since the last commit.

Decoded messages enter, one by one; records of the changelog, of the ledger and of what was detected leave. The next room:
`stage`, which holds the partitions of a process.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from coordwatch.context.fact import TIME, TYPE, Fact
from coordwatch.context.progress import BEGINNING
from coordwatch.engine.batch import CUSTOMER, GIVEN, Batch, Desk
from coordwatch.engine.retention import look_back
from coordwatch.engine.state import (
    CustomerState,
    UnknownSnapshot,
    event_of,
    fact_of,
    restore,
    said_from_plain,
    said_to_plain,
)
from coordwatch.engine.step import Engine
from coordwatch.events.filed import Filed
from coordwatch.identity.hops.routing import PLACE
from coordwatch.processor.asking import Known
from coordwatch.processor.detecting import rows
from coordwatch.processor.detecting.books import ROLE, Books
from coordwatch.processor.detecting.deadlines import Deadlines
from coordwatch.processor.detecting.reaches import Reaches
from coordwatch.processor.detecting.site import Site
from coordwatch.processor.feeding import waited_for
from coordwatch.processor.letters import Origin, letters_of
from coordwatch.processor.mapping import Refusal
from coordwatch.processor.marks import Mark
from coordwatch.processor.outcomes import detection_record
from coordwatch.processor.readings import StateReading
from coordwatch.processor.stage import KIND, Output, Place
from coordwatch.rules.plan import CompiledRule

NEVER = 2**62


class Partition:
    """The state of one partition, and everything that came of what was taken since the last `give`."""

    def __init__(self, place: Place, site: Site, stored: Mapping[bytes, bytes]) -> None:
        """Take over what is stored; customers stay bytes until they are touched."""
        self.place, self.site = place, site
        self.fence: int | None = None
        self.now = BEGINNING
        self.books = Books(place)
        self._topics = site.settings.topics
        self._facts_end = site.facts.end
        self._sealed: dict[str, bytes] = {}
        self._changed: dict[bytes, bytes | None] = {}
        self._outputs: list[Output] = []
        self._dirty = False
        marks, readers, rules = self._restore(stored)
        self.deadlines = Deadlines(
            (deadline, customer) for customer in self._sealed if (deadline := self._deadline_in(customer)) is not None
        )
        self.reaches = Reaches(site.watched, marks)
        engine = Engine(site.plan, self._since(rules, bool(stored)))
        self.desk = Desk(engine, site.retention, site.facts.reference, {}, readers)
        self.batch = self._fresh()
        self.hear(site.facts.since(self._facts_end), site.facts.end)

    # ---- what is taken

    def advance(self, now: int) -> None:
        """Let the present be this, if it is later."""
        self.now = self.batch.now = max(self.now, now)

    def event(self, filed: Filed) -> None:
        """Take one event of a customer."""
        self._load(filed.customer)
        self.books.tally_insertion(self.batch.insert(filed.customer, [filed.event])[0])

    def reask(self, customer: str, anchor: str, about: str | None) -> None:
        """Send the events of an anchor (and about an identifier) back to identity, with what was said of their acts."""
        state = self._load(customer)
        routes = [(fact, self.site.router.route(event_of(fact))) for fact in state.journal.facts]
        asked = [fact for fact, route in routes if route.anchor == anchor and (about is None or about in route.ids)]
        for fact, said in self.batch.take_out(customer, asked) if asked else ():
            value = self.site.router.place(event_of(fact), said_to_plain(said))
            kind = ((KIND, PLACE.encode()),)
            self._outputs.append(Output(self._topics.identity, anchor.encode(), value, None, kind))
            self.books.tally("applied", -1)
        if asked:
            self.batch.rejudge(customer)

    def move(self, filed: Filed, said: Sequence[Any]) -> None:
        """Take an event that comes back from identity, with what had been said of its act."""
        event = filed.event
        fact = fact_of(event, self.site.plan)
        if fact is None:
            self.books.tally("applied")
            return
        state = self._load(filed.customer)
        insertion = self.batch.put_back(filed.customer, fact, said_from_plain(said, event.source, event.id))
        self._retire(state)
        self.batch.rejudge(filed.customer)
        self.books.tally_insertion(insertion)

    def mark(self, mark: Mark) -> None:
        """Take how far the sources are read, as one emitter says."""
        kept = self.reaches.take(mark)
        self._changed[rows.MARK + kept.by.encode()] = rows.pack_mark(kept)

    def refuse(self, origin: Origin, reason: str, detail: str, path: str | None = None) -> None:
        """Make a dead letter of a record that cannot be read."""
        self._outputs += letters_of(self._topics.dead_letters, origin, [Refusal(ROLE, reason, detail, path)])
        self.books.tally("dead_lettered", 1, f"{ROLE}.{reason}")

    def hear(self, facts: Sequence[Fact], end: int) -> None:
        """Judge again who had read facts of these types; `end` is how far the facts are heard."""
        for fact in facts:
            rules = self.desk.reading_rules(fact[TYPE])
            readers = self.desk.readers.get(fact[TYPE], {})
            for customer in [customer for customer, latest in readers.items() if latest >= fact[TIME]]:
                self._load(customer)
                self.batch.review(customer, rules)
        self._dirty = self._dirty or end != self._facts_end
        self._facts_end = end

    def tick(self, now: int) -> None:
        """Judge the acts whose deadline has come, as many customers at once as the settings say."""
        self.advance(now)
        self._note_deadlines()
        proofs = tuple(self._proven(rule) for rule in self.site.plan.rules if rule.expect is not None)
        self.deadlines.prove(proofs)
        until = min(self.now, max(proofs, default=BEGINNING))
        judged = list(self.deadlines.due(until, self.site.settings.due_max, self._deadline_of))
        for customer in judged:
            state = self._load(customer)
            self.batch.due(customer)
            rest = state.next_deadline()
            if rest is not None and rest <= until:
                self.deadlines.wait(customer, rest)

    # ---- what is given

    @property
    def pending(self) -> bool:
        """Whether anything is not durable yet."""
        return self._dirty or self.books.changed or bool(self._changed or self._outputs or self.batch.touched)

    def give(self) -> Iterator[Output]:
        """Everything that is not durable yet; afterwards nothing is pending."""
        self.batch.finish()
        self._note_deadlines()
        for change in self.batch.changes:
            yield detection_record(self._topics.detections, change)
        yield from self._outputs
        self.books.count(self.batch.counts)
        for key, value, line in self.books.give(self._topics.ledger):
            self._changed[key] = value
            yield line
        self._keep_customers()
        self._changed[rows.PLACE] = rows.pack_row(self.fence, self._facts_end)
        for key, row in self._changed.items():
            yield Output(self._topics.detect_state, key, row, self.place.partition)
        self._changed, self._outputs, self._dirty = {}, [], False
        self.batch = self._fresh()

    def _keep_customers(self) -> None:
        for key, value in self.batch.values.items():
            if key.startswith(CUSTOMER):
                customer = key.removeprefix(CUSTOMER)
                if value is not None:
                    deadline = self.desk.states[customer].next_deadline()
                    value = rows.DEADLINE.pack(NEVER if deadline is None else deadline) + value
                    self._sealed[customer] = value
                else:
                    self._sealed.pop(customer, None)
                self._changed[rows.customer_key(customer)] = value
            elif key.startswith(GIVEN):
                event_type, customer = key.removeprefix(GIVEN).split("/", 1)
                latest = self.desk.readers[event_type][customer]
                self._changed[rows.READS + f"{event_type}/{customer}".encode()] = rows.pack_row(latest)
        if sum(len(state.journal.facts) for state in self.desk.states.values()) > self.site.settings.open_max:
            self.desk.states = {}

    # ---- for any thread, as last given

    def known(self, customer: str) -> Known:
        """One customer, and what the snapshot is read with."""
        row = self._sealed.get(customer)
        snapshot = None if row is None else rows.snapshot_of(row)
        return Known(customer, snapshot, self.site.plan, self.reaches.progress, self.site.facts.of, self.warming)

    @property
    def held(self) -> StateReading:
        """How much state of customers there is."""
        return StateReading(len(self._sealed), sum(map(len, self._sealed.values())))

    # ---- within

    def _restore(
        self, stored: Mapping[bytes, bytes]
    ) -> tuple[list[Mark], dict[str, dict[str, int]], dict[str, tuple[str, int]]]:
        """Take the rows of the changelog. Gives: the marks, who read which facts until when, and the rules known so far."""
        marks: list[Mark] = []
        readers: dict[str, dict[str, int]] = {}
        rules: dict[str, tuple[str, int]] = {}
        for key, value in stored.items():
            if key.startswith(rows.CUSTOMER):
                self._sealed[key.removeprefix(rows.CUSTOMER).decode()] = value
            elif self.books.restore(key, value):
                continue
            elif key == rows.PLACE:
                self.fence, self._facts_end = rows.unpack_row(key, value)
            elif key.startswith(rows.MARK):
                marks.append(rows.unpack_mark(key, value))
            elif key.startswith(rows.RULE):
                revision, first = rows.unpack_row(key, value)
                rules[key.removeprefix(rows.RULE).decode()] = (revision, first)
            elif key.startswith(rows.READS):
                event_type, customer = key.removeprefix(rows.READS).decode().split("/", 1)
                readers.setdefault(event_type, {})[customer] = rows.unpack_row(key, value)[0]
        return marks, readers, rules

    def _since(self, known: Mapping[str, tuple[str, int]], stored: bool) -> dict[str, int]:
        """From when each rule that is new here judges; the first rules of an empty partition judge everything."""
        through = max((one.through for one in self.reaches.progress.sources.values()), default=BEGINNING)
        since: dict[str, int] = {}
        self.warming: dict[str, int] = {}
        for rule in self.site.plan.rules:
            revision, first = known.get(rule.id, (None, BEGINNING))
            if revision != rule.revision:
                first = through if stored else BEGINNING
                self._changed[rows.RULE + rule.id.encode()] = rows.pack_row(rule.revision, first)
            if first > BEGINNING:
                since[rule.id] = first
                self.warming[rule.id] = first + look_back(rule.spec)
        return since

    def _fresh(self) -> Batch:
        return Batch(self.desk, self._proven, self.now)

    def _proven(self, rule: CompiledRule) -> int:
        """Up to when the sources of a rule's expected and cancelling types are proven read."""
        if rule.expect is None:
            return self.now
        return min(self.reaches.progress.proof(waited_for(rule.spec), self.now).through, self.now)

    def _load(self, customer: str) -> CustomerState:
        state = self.desk.states.get(customer)
        if state is None:
            sealed = self._sealed.get(customer)
            try:
                state = restore(customer, None if sealed is None else rows.snapshot_of(sealed), self.site.plan)
            except UnknownSnapshot as error:
                digest = sha256(customer.encode()).hexdigest()[:16]
                raise UnknownSnapshot(f"customer {digest} of {self.place}: {error}") from None
            self.desk.states[customer] = state
            self._retire(state)
        return state

    def _retire(self, state: CustomerState) -> None:
        self.batch.changes += self.desk.engine.retire(state).changes

    def _deadline_of(self, customer: str) -> int | None:
        state = self.desk.states.get(customer)
        return self._deadline_in(customer) if state is None else state.next_deadline()

    def _deadline_in(self, customer: str) -> int | None:
        sealed = self._sealed.get(customer)
        deadline = NEVER if sealed is None else int(rows.DEADLINE.unpack_from(sealed)[0])
        return None if deadline == NEVER else deadline

    def _note_deadlines(self) -> None:
        for customer, deadline in self.batch.deadlines().items():
            self.deadlines.push(customer, deadline)
