"""Batch: the customers that one batch touches, and everything that will be written when it ends.

Events with their customers enter; changes and counts leave, and which states must be written. Merges, late reference facts
and changed rules are worked off here. The runtimes load the states and write them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field

from coordwatch.codec import pack
from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Insertion
from coordwatch.context.reference import Reference
from coordwatch.engine.folders import Folders
from coordwatch.engine.ledger import Counts
from coordwatch.engine.retention import prune, refuses
from coordwatch.engine.state import CustomerState, event_of, fact_of, fact_to_plain
from coordwatch.engine.step import Engine, Proven, Step, World
from coordwatch.events.event import Event
from coordwatch.identity.identity import Identity
from coordwatch.rules.detection import DetectionChange
from coordwatch.rules.plan import CompiledRule

CUSTOMER, FACTS, GIVEN = "customer/", "facts/", "given/"


@dataclass(slots=True)
class Desk:
    """What outlives a batch: the engine, the reference facts, the states in memory, and who read which facts until when.

    `readers` maps a broadcast type to the customers whose acts read it, with the time of their latest such act.
    """

    engine: Engine
    folders: Folders
    reference: Reference
    states: MutableMapping[str, CustomerState] = field(default_factory=dict)
    readers: dict[str, dict[str, int]] = field(default_factory=dict)

    def reading_rules(self, event_type: str) -> list[CompiledRule]:
        """The rules that read a broadcast type as a fact."""
        return [
            rule
            for rule in self.engine.plan.rules
            if any(take.type == event_type for given in rule.given for take in given.takes)
        ]


@dataclass(slots=True)
class Batch:
    """One batch at work. `proven` says, for a rule, up to when its sources are read; `now` is the present."""

    desk: Desk
    proven: Proven
    now: int
    values: dict[str, bytes | None] = field(default_factory=dict)
    step: Step = field(default_factory=Step)
    tallies: Counter[str] = field(default_factory=Counter)
    touched: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.desk.reference, self.proven)

    @property
    def changes(self) -> list[DetectionChange]:
        """The detections that changed."""
        return self.step.changes

    @property
    def counts(self) -> Counts:
        """What the ledger gains and loses."""
        return self.step.counts

    def insert(self, customer: str, event: Event) -> Insertion | None:
        """Put an event into a customer's journal and judge; None for an event that no rule needs."""
        fact = fact_of(event, self.desk.engine.plan)
        return None if fact is None else self.insert_fact(customer, fact)

    def insert_fact(self, customer: str, fact: Fact) -> Insertion:
        """Put a fact into a customer's journal and judge."""
        state = self.desk.states[customer]
        self.touched.add(customer)
        if refuses(state.journal, self.desk.folders.retention, fact, self.now):
            return Insertion.TOO_LATE
        insertion = self.desk.engine.arrive(state, fact, self.world, self.step)
        self._note_reader(customer, fact)
        return insertion

    def insert_reference(self, event: Event) -> tuple[Insertion | None, set[str]]:
        """Put a broadcast event among the reference facts.

        Gives: what became of it, and the customers who must be judged again because the fact came after their acts
        """
        fact = fact_of(event, self.desk.engine.plan)
        if fact is None:
            return None, set()
        insertion = self.desk.reference.insert(fact)
        if insertion not in (Insertion.ADDED, Insertion.SEEN_EARLIER):
            return insertion, set()
        self.values[f"{FACTS}{fact[TYPE]}/{fact[SOURCE]}\x1f{fact[ID]}"] = pack(fact_to_plain(fact))
        readers = self.desk.readers.get(fact[TYPE], {})
        return insertion, {customer for customer, latest in readers.items() if latest >= fact[TIME]}

    def review(self, customer: str, rules: Iterable[CompiledRule]) -> None:
        """Judge a customer's acts of some rules again."""
        self.desk.engine.review(self.desk.states[customer], rules, self.world, self.step)
        self.touched.add(customer)

    def due(self, customer: str) -> None:
        """Judge the acts of a customer whose deadline has come."""
        self.desk.engine.due(self.desk.states[customer], self.world, self.step)
        self.touched.add(customer)

    def retire(self, customer: str) -> None:
        """End what rules said of a customer that are gone or changed."""
        if self.desk.engine.retire(self.desk.states[customer], self.step):
            self.touched.add(customer)

    def refile(self, old: str, identity: Identity) -> tuple[list[Event], dict[str, list[Event]]]:
        """Take apart the journal of a customer who became another one, or several.

        Gives: events that have no customer any more, and the events of each customer they now belong to; verdicts that
               stood under the old key are carried over with their acts
        """
        lost: list[Event] = []
        moved: dict[str, list[Event]] = {}
        for fact in list(self.desk.states[old].journal.facts):
            event = event_of(fact)
            customer = identity.customer_of(event)
            if customer == old:
                continue
            if customer is None:
                lost.append(event)
            else:
                moved.setdefault(customer, []).append(event)
        return lost, moved

    def move(self, old: str, customer: str | None, events: Iterable[Event]) -> None:
        """Move events of one customer's journal into another's, with what was said of their acts.

        Without a customer the acts are only taken out, and what stood of them is retracted.
        """
        journal = self.desk.states[old].journal
        facts = [fact for event in events if (fact := journal.get(event.source, event.id)) is not None]
        taken = self.desk.engine.take_out(self.desk.states[old], facts)
        self.touched.add(old)
        if customer is None:
            said = {name: entry for _, entries in taken for name, entry in entries.items()}
            self.desk.engine.withdraw(old, said, facts, self.step)
            return
        for fact, entries in taken:
            self.desk.engine.put_back(self.desk.states[customer], fact, entries, self.step)
            self._note_reader(customer, fact)
            self.touched.add(customer)

    def drop(self, customer: str) -> None:
        """Let go of everything that is kept of a customer."""
        self.touched.discard(customer)
        self.dropped.add(customer)
        self.values[f"{CUSTOMER}{customer}"] = None

    def rejudge(self, customer: str) -> None:
        """Judge every act of a customer again, after events were moved."""
        self.review(customer, self.desk.engine.plan.rules)

    def finish(self) -> None:
        """Let go of what is too old and write every touched customer."""
        for customer in self.touched:
            state = self.desk.states[customer]
            gone, _ = prune(state.journal, self.desk.folders.retention, self.now, state.running())
            state.forget(gone)
            empty = not state.journal.facts and not state.entries
            self.values[f"{CUSTOMER}{customer}"] = None if empty else self.desk.folders.close(state)

    def deadlines(self) -> Mapping[str, int | None]:
        """The next deadline of every touched customer."""
        due = {customer: self.desk.states[customer].next_deadline() for customer in self.touched}
        return {**dict.fromkeys(self.dropped), **due}

    def _note_reader(self, customer: str, fact: Fact) -> None:
        """Remember that an act of this customer read the reference facts of some types."""
        for event_type, _, _ in self.desk.engine.arrivals.of(fact[TYPE], fact[MASK]).reads:
            readers = self.desk.readers.setdefault(event_type, {})
            if fact[TIME] > readers.get(customer, -(2**62)):
                readers[customer] = fact[TIME]
                self.values[f"{GIVEN}{event_type}/{customer}"] = pack(fact[TIME])
