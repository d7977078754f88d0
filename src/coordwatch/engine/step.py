"""Step: one customer's state and new facts in; what changed out. The heart of the running engine.

Every act that a new fact may concern is judged again, and the verdict is compared with what was said before: a late
event needs no other repair. `processor.py` calls it and writes everything a Step holds in one transaction.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Insertion
from coordwatch.context.reference import Reference
from coordwatch.engine.arrivals import Arrival, Arrivals, looks_back_from_the_act
from coordwatch.engine.detect import evidence_of
from coordwatch.engine.ledger import HOUR, Counts, Name
from coordwatch.engine.state import ActName, CustomerState, Entry, Said, tool_of
from coordwatch.engine.verdicts import (
    STANDING,
    change_of,
    counted,
    difference,
    entry_of,
    only_forgotten,
    reason_of,
    retracted,
    stands,
)
from coordwatch.rules.detection import (
    Detection,
    DetectionChange,
    DetectionStatus,
    RetractReason,
)
from coordwatch.rules.evaluate import Outcome, Verdict, cannot_hold, judge
from coordwatch.rules.plan import CompiledRule, Plan
from coordwatch.rules.search import View

Proven = Callable[[CompiledRule], int]


@dataclass(frozen=True, slots=True)
class World:
    """What an act is judged by besides its customer: the reference facts, and up to when the sources of a rule are read."""

    reference: Reference
    proven: Proven


class Todo(NamedTuple):
    """An act to judge, and the fact because of which; `is_new` says that nothing can have been said of it yet."""

    rule: CompiledRule
    act: Fact
    cause: Fact | None = None
    is_new: bool = False


@dataclass(slots=True)
class Step:
    """What some steps changed: detections, what the ledger gains and loses, and the entries of customers.

    `told` are entries of acts of which nothing was said before, `retold` says that others changed or are gone.
    """

    changes: list[DetectionChange] = field(default_factory=list)
    counts: Counts = field(default_factory=dict)
    told: list[tuple[ActName, Entry]] = field(default_factory=list)
    retold: bool = False

    def count(self, name: Name, amount: int) -> None:
        """Add to one amount."""
        self.counts[name] = self.counts.get(name, 0) + amount

    def add(self, amounts: Iterable[tuple[Name, int]]) -> None:
        """Note several amounts."""
        for name, amount in amounts:
            self.count(name, amount)


@dataclass(slots=True)
class Engine:
    """Steps customers through a plan. `since` gives, for a rule that is new, the event time from which it judges."""

    plan: Plan
    since: Mapping[str, int] = field(default_factory=dict)
    arrivals: Arrivals = field(init=False)

    def __post_init__(self) -> None:
        self.arrivals = Arrivals(self.plan, self.since)

    def arrive(self, state: CustomerState, fact: Fact, world: World, step: Step) -> Insertion:
        """Insert a fact and judge every act that it may concern."""
        journal = state.journal
        present, is_late = journal.present, fact[TIME] <= journal.latest
        insertion = journal.insert(fact)
        if insertion is Insertion.ADDED:
            self._arrived(state, fact, (present, is_late, bool(state.entries)), world, step)
        elif insertion is Insertion.SEEN_EARLIER:
            self._seen_earlier(state, fact, world, step)
        return insertion

    def arrive_new(self, state: CustomerState, fact: Fact, said: int, world: World, step: Step) -> None:
        """As `arrive`, of an event that is known to be new; `said` tells by number of which rules something was said."""
        journal = state.journal
        present, is_late = journal.present, fact[TIME] <= journal.latest
        waited = bool(said & self.arrivals.of(fact[TYPE], fact[MASK]).waited)
        journal.add(fact)
        self._arrived(state, fact, (present, is_late, waited), world, step)

    def _arrived(
        self, state: CustomerState, fact: Fact, before: tuple[int, bool, bool], world: World, step: Step
    ) -> None:
        """Judge every act that a new fact may concern; it is in the journal already.

        Takes: `before`, the bits of the other facts, whether one of them happened no earlier, and whether some act may wait
        """
        present, is_late, waited = before
        arrival = self.arrivals.of(fact[TYPE], fact[MASK])
        lack = arrival.lack(fact)
        self.count_arrival(arrival, fact, 1, step)
        view = View(state.journal, state.customer, world.reference)
        todo: dict[ActName, Todo] = {}
        for one in (lack or arrival).may_hold(present):
            sure = one.needs and not (lack and one in lack.must)
            if not (sure and cannot_hold(one.rule, view, fact[TIME])):
                todo[(one.rule.id, fact[SOURCE], fact[ID])] = Todo(one.rule, fact, fact, True)
        if arrival.may_change(present, arrival.waited if waited else 0, is_late):
            for rule in (*arrival.before, *arrival.expected):
                for act in self._concerned(rule, view, fact, state):
                    todo[(rule.id, act[SOURCE], act[ID])] = Todo(rule, act, fact, act is fact)
        for one_todo in todo.values():
            self._judge(state, view, one_todo, world, step)

    def _seen_earlier(self, state: CustomerState, fact: Fact, world: World, step: Step) -> None:
        """Judge every act that a fact may concern which was known, and reached the log earlier than was known."""
        view, arrival = View(state.journal, state.customer, world.reference), self.arrivals.of(fact[TYPE], fact[MASK])
        todo: dict[ActName, Todo] = {}
        for rule in (*(one.rule for one in arrival.acting), *arrival.before, *arrival.expected):
            for act in self._concerned(rule, view, fact, state):
                todo[(rule.id, act[SOURCE], act[ID])] = Todo(rule, act, fact)
        for one in todo.values():
            self._judge(state, view, one, world, step)

    def count_arrival(self, arrival: Arrival, fact: Fact, amount: int, step: Step) -> None:
        """One act more for every rule that judges this event, and one unusable event for every key it lacks (RULES 12)."""
        hour, tool, lack = fact[TIME] // HOUR, tool_of(fact), arrival.lack(fact)
        for rule, kind in (*arrival.counted, *(lack.counted if lack else ())):
            step.count((rule, hour, tool, "", kind), amount)
        for new in arrival.warming:
            if not self._is_too_old(new, fact):
                step.count((new.id, hour, tool, "", "acts"), amount)

    def due(self, state: CustomerState, world: World, step: Step) -> None:
        """Judge the acts whose deadline has come and is proven."""
        view = View(state.journal, state.customer, world.reference)
        rules = {rule.id: rule for rule in self.plan.rules}
        for name, entry in list(state.entries.items()):
            rule = rules.get(name[0])
            if entry.outcome is not Outcome.PENDING or rule is None or entry.at > world.proven(rule):
                continue
            act = state.journal.get(name[1], name[2])
            if act is not None:
                self._judge(state, view, Todo(rule, act), world, step)

    def review(self, state: CustomerState, rules: Iterable[CompiledRule], world: World, step: Step) -> None:
        """Judge every act of some rules again: after a merge of customers, or a late reference fact."""
        view = View(state.journal, state.customer, world.reference)
        for rule in rules:
            for act in view.of(rule.act.bits):
                self._judge(state, view, Todo(rule, act), world, step)

    def retire(self, state: CustomerState, step: Step) -> bool:
        """End what rules said that are gone or changed: retired ones retract, old deadlines are superseded (RULES 36).

        Gives: whether anything was ended
        """
        revisions = {rule.id: rule.revision for rule in self.plan.rules}
        ended = False
        for name, entry in list(state.entries.items()):
            revision = revisions.get(name[0])
            if revision == entry.revision:
                continue
            if revision is None or entry.outcome not in STANDING:
                del state.entries[name]
                ended = True
            act = state.journal.get(name[1], name[2])
            if revision is None and entry.outcome in STANDING and act is not None:
                said, status = evidence_of("act", act), DetectionStatus.RETRACTED
                gone = Detection(name[0], entry.revision, state.customer, said, entry.at, (), status)
                step.changes.append(DetectionChange("retracted", gone, RetractReason.RULE_RETIRED))
        return ended

    def withdraw(self, customer: str, said: Said, acts: Iterable[Fact], step: Step) -> None:
        """Take back what stood of acts that belong to no customer any more."""
        known = {(act[SOURCE], act[ID]): act for act in acts}
        rules = {rule.id: rule for rule in self.plan.rules}
        for name, old in said.items():
            act, rule = known[name[1:]], rules.get(name[0])
            step.add(difference(name[0], act, (old, None)))
            if rule is not None and old.outcome in STANDING:
                step.changes.append(
                    DetectionChange("retracted", retracted(rule, customer, act, old), RetractReason.CUSTOMER_MERGED)
                )

    def take_out(self, state: CustomerState, facts: Sequence[Fact]) -> list[tuple[Fact, Said]]:
        """Take facts out of a customer's journal, each with what was said of its act; nothing is counted."""
        state.journal.remove(facts)
        return [(fact, state.unsay(fact[SOURCE], fact[ID])) for fact in facts]

    def put_back(self, state: CustomerState, fact: Fact, said: Said, step: Step) -> Insertion:
        """Put a fact into the journal of the customer it turned out to belong to, with what was said of its act.

        The act was counted when it came and is not counted again; when the event came a second time meanwhile, it has
        been, and that is taken back. The caller judges the customer again.
        """
        insertion = state.journal.insert(fact)
        if insertion is Insertion.ADDED:
            state.entries.update({name: replace(entry, moved=True) for name, entry in said.items()})
        else:
            self._uncount(state, fact, said, step)
        return insertion

    def lose(self, act: Fact, said: Said, step: Step) -> None:
        """Take back that an event ever came: it belonged to a customer for a while, and nobody can be found for it now."""
        self.count_arrival(self.arrivals.of(act[TYPE], act[MASK]), act, -1, step)
        self.withdraw("", said, [act], step)

    def _uncount(self, state: CustomerState, act: Fact, said: Said, step: Step) -> None:
        """Take one of two counts back: of an event that came again while what was said of it was on its way here.

        What stood of it elsewhere is retracted where nothing stands of it here.
        """
        self.count_arrival(self.arrivals.of(act[TYPE], act[MASK]), act, -1, step)
        elsewhere = {name: old for name, old in said.items() if not stands(state.entries.get(name))}
        self.withdraw(state.customer, elsewhere, [act], step)
        for name, old in said.items():
            if name not in elsewhere:
                step.add(counted(name[0], act, old, -1))

    def _concerned(self, rule: CompiledRule, view: View, fact: Fact, state: CustomerState) -> Iterable[Fact]:
        """The acts of a rule whose verdict a fact may change."""
        mask = fact[MASK]
        if mask & rule.act.bits:
            yield fact
        acts = view.of(rule.act.bits)
        if mask & rule.before_bits:
            start = 0 if looks_back_from_the_act(rule) else bisect_left(acts, (fact[TIME],))
            yield from acts[start:]
        if rule.expect is not None and mask & rule.expect.step.bits:
            for act in acts:
                if (rule.id, act[SOURCE], act[ID]) in state.entries:
                    yield act

    def _judge(self, state: CustomerState, view: View, todo: Todo, world: World, step: Step) -> None:
        """Judge one act, and note what differs from what was said of it before."""
        rule, act, cause, is_new = todo
        name = (rule.id, act[SOURCE], act[ID])
        old = None if is_new else state.entries.get(name)
        if self._is_too_old(rule, act) or (old is not None and old.revision != rule.revision):
            return
        verdict = judge(rule, view, act, world.proven(rule))
        if old is None and (verdict is None or self._is_unusable(verdict, rule, act)):
            return
        new = None if verdict is None else entry_of(rule, act, verdict)
        if new == old or (old is not None and only_forgotten(state, view.reference, old, new)):
            return
        if new is not None and old is None:
            state.tell(name, new)
            step.told.append((name, new))
        else:
            step.retold = True
            if new is None:
                del state.entries[name]
            else:
                state.entries[name] = new
        step.add(difference(rule.id, act, (old, new)))
        change = change_of(rule, state.customer, act, (old, new), verdict)
        if change is not None:
            kind, detection = change
            step.changes.append(
                DetectionChange(kind, detection, reason_of(rule, cause) if kind == "retracted" else None)
            )

    def _is_unusable(self, verdict: Verdict, rule: CompiledRule, act: Fact) -> bool:
        """Whether an act can be no conflict because of a key it lacks, which was counted when it came: nothing is said of it."""
        if verdict.outcome is not Outcome.MISSING_KEY:
            return False
        arrival = self.arrivals.of(act[TYPE], act[MASK])
        return any(one.rule is rule and one.is_unusable(act) for one in arrival.acting)

    def _is_too_old(self, rule: CompiledRule, act: Fact) -> bool:
        """Whether an act happened before its rule was there."""
        since = self.since.get(rule.id)
        return since is not None and bool(act[TIME] < since)
