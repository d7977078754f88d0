"""Batch: the customers that one batch touches, and everything that will be written when it ends.

Events with their customers enter; Effects leave. Merges, late reference facts and changed rules are worked off here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace

from coordwatch.codec import pack
from coordwatch.context.fact import ID, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Insertion
from coordwatch.context.reference import Reference
from coordwatch.engine.ledger import Count
from coordwatch.engine.retention import Retention, is_too_late, prune
from coordwatch.engine.state import CustomerState, Said, event_of, fact_of, fact_to_plain, save
from coordwatch.engine.step import Engine, Proven, Step
from coordwatch.events.event import Event
from coordwatch.identity.identity import Identity
from coordwatch.rules.detection import DetectionChange
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.plan import CompiledRule

CUSTOMER, FACTS, GIVEN = "customer/", "facts/", "given/"


@dataclass(slots=True)
class Desk:
    """What outlives a batch: the engine, the reference facts, the states in memory, and who read which facts until when.

    `readers` maps a broadcast type to the customers whose acts read it, with the time of their latest such act.
    """

    engine: Engine
    retention: Retention
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
    changes: list[DetectionChange] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    tallies: Counter[str] = field(default_factory=Counter)
    touched: set[str] = field(default_factory=set)

    def insert(self, customer: str, events: Iterable[Event]) -> list[Insertion | None]:
        """Put events into a customer's journal and judge; None for an event that no rule needs."""
        plan = self.desk.engine.plan
        facts = [fact_of(event, plan) for event in events]
        state = self.desk.states[customer]
        needed = [fact for fact in facts if fact is not None and not self._is_too_late(state, fact)]
        late = [fact for fact in facts if fact is not None and all(fact is not other for other in needed)]
        if late:
            state.journal.too_late += len(late)
            self.touched.add(customer)
        if not needed:
            return [None if fact is None else Insertion.TOO_LATE for fact in facts]
        step = self.desk.engine.step(state, needed, self.desk.reference, self.proven)
        self._take(customer, step)
        for fact in needed:
            self._note_reader(customer, fact)
        insertions = iter(step.insertions)
        return [
            None if fact is None else Insertion.TOO_LATE if any(fact is other for other in late) else next(insertions)
            for fact in facts
        ]

    def _is_too_late(self, state: CustomerState, fact: Fact) -> bool:
        known = state.journal.get(fact[SOURCE], fact[ID])
        return known is None and is_too_late(state.journal, self.desk.retention, fact, self.now)

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
        state = self.desk.states[customer]
        self._take(customer, self.desk.engine.review(state, self.desk.reference, self.proven, list(rules)))

    def due(self, customer: str) -> None:
        """Judge the acts of a customer whose deadline has come."""
        state = self.desk.states[customer]
        self._take(customer, self.desk.engine.due(state, self.desk.reference, self.proven))

    def refile(self, old: str, identity: Identity) -> tuple[list[Event], dict[str, list[Event]]]:
        """Take apart the journal of a customer who became another one, or several.

        Gives: events that have no customer any more, and the events of each customer they now belong to; verdicts that
               stood under the old key are carried over with their acts
        """
        state = self.desk.states[old]
        lost: list[Event] = []
        moved: dict[str, list[Event]] = {}
        for fact in list(state.journal.facts):
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
        source = self.desk.states[old]
        facts = [fact for event in events if (fact := source.journal.get(event.source, event.id)) is not None]
        taken = self.take_out(old, facts)
        if customer is None:
            said = {name: entry for _, entries in taken for name, entry in entries.items()}
            self._take(old, self.desk.engine.withdraw(source.customer, said, facts))
            return
        for fact, entries in taken:
            self.put_back(customer, fact, entries)

    def take_out(self, customer: str, facts: Iterable[Fact]) -> list[tuple[Fact, Said]]:
        """Take facts out of a customer's journal, each with what was said of its act; nothing is counted."""
        state = self.desk.states[customer]
        out = list(facts)
        state.journal.remove(out)
        self.touched.add(customer)
        return [(fact, state.unsay(fact[SOURCE], fact[ID])) for fact in out]

    def put_back(self, customer: str, fact: Fact, said: Said) -> Insertion:
        """Put a fact into the journal of the customer it turned out to belong to, with what was said of its act.

        The act was counted when it came and is not counted again; when the event came a second time meanwhile, it has
        been, and that is taken back. The caller judges the customer again.
        """
        state = self.desk.states[customer]
        insertion = state.journal.insert(fact)
        if insertion is Insertion.ADDED:
            state.entries.update({name: replace(entry, moved=True) for name, entry in said.items()})
            self._note_reader(customer, fact)
        else:
            self._take(customer, self.desk.engine.uncount(state, fact, said))
        self.touched.add(customer)
        return insertion

    def rejudge(self, customer: str) -> None:
        """Judge every act of a customer again, after events were moved."""
        self.review(customer, self.desk.engine.plan.rules)

    def finish(self) -> None:
        """Let go of what is too old and write every touched customer."""
        for customer in self.touched:
            state = self.desk.states[customer]
            running = frozenset(
                (name[1], name[2]) for name, entry in state.entries.items() if entry.outcome is Outcome.PENDING
            )
            gone = prune(state.journal, self.desk.retention, self.now, running)
            if gone:
                names = {(fact[SOURCE], fact[ID]) for fact in gone}
                state.entries = {
                    name: entry for name, entry in state.entries.items() if (name[1], name[2]) not in names
                }
            empty = not state.journal.facts and not state.entries
            self.values[f"{CUSTOMER}{customer}"] = None if empty else save(state)

    def deadlines(self) -> Mapping[str, int | None]:
        """The next deadline of every touched customer."""
        return {customer: self.desk.states[customer].next_deadline() for customer in self.touched}

    def _take(self, customer: str, step: Step) -> None:
        self.changes += step.changes
        self.counts += step.counts
        self.touched.add(customer)

    def _note_reader(self, customer: str, fact: Fact) -> None:
        """Remember that an act of this customer read the reference facts of some types."""
        for rule in self.desk.engine.by_type.get(fact[TYPE], ()):
            if not rule.given or not fact[5] & rule.act.bits:
                continue
            for take in (take for given in rule.given for take in given.takes):
                if take.type not in self.desk.engine.plan.broadcast:
                    continue
                readers = self.desk.readers.setdefault(take.type, {})
                if fact[TIME] > readers.get(customer, -(2**62)):
                    readers[customer] = fact[TIME]
                    self.values[f"{GIVEN}{take.type}/{customer}"] = pack(fact[TIME])
