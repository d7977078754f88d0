"""Step: one customer's state and new facts in; what changed out. The heart of the running engine.

Every act that a new fact may concern is judged again, and the verdict is compared with what was said before: a late
event needs no other repair. `processor.py` calls it and writes everything a Step holds in one transaction.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Insertion
from coordwatch.context.reference import Reference
from coordwatch.engine.detect import detect, evidence_of, lain_for, tool_of
from coordwatch.engine.ledger import HOUR, Count
from coordwatch.engine.state import ActName, CustomerState, Entry, Said
from coordwatch.rules.detection import (
    Detection,
    DetectionChange,
    DetectionStatus,
    RetractReason,
)
from coordwatch.rules.evaluate import Outcome, Verdict, judge
from coordwatch.rules.plan import CompiledRule, Plan, Take
from coordwatch.rules.search import View

Proven = Callable[[CompiledRule], int]
Todo = tuple[CompiledRule, Fact, RetractReason]


STANDING = (Outcome.OPEN, Outcome.MADE_GOOD)


_NEW = (Insertion.ADDED, Insertion.SEEN_EARLIER)


@dataclass(slots=True)
class Step:
    """What one step changed: detections, counts, and what became of each fact offered."""

    changes: list[DetectionChange] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    insertions: list[Insertion] = field(default_factory=list)


@dataclass(slots=True)
class Engine:
    """Steps customers through a plan. `since` gives, for a rule that is new, the event time from which it judges."""

    plan: Plan
    since: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, tuple[CompiledRule, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event_type, layout in self.plan.layouts.by_type.items():
            bits = 0
            for bit in layout.conditions:
                bits |= bit
            self.by_type[event_type] = tuple(rule for rule in self.plan.rules if rule.all_bits & bits)

    def step(self, state: CustomerState, facts: Iterable[Fact], reference: Reference, proven: Proven) -> Step:
        """Insert facts and judge every act they may concern."""
        step = Step()
        added: list[Fact] = []
        for fact in facts:
            insertion = state.journal.insert(fact)
            step.insertions.append(insertion)
            if insertion in _NEW:
                added.append(fact)
        view = View(state.journal.facts, state.customer, reference)
        todo: dict[ActName, Todo] = {}
        for fact in added:
            for rule in self.by_type.get(fact[TYPE], ()):
                for act in self._concerned(rule, view, fact, state):
                    todo[(rule.id, act[SOURCE], act[ID])] = (rule, act, _reason(rule, fact))
        for fact, insertion in zip(added, (i for i in step.insertions if i in _NEW), strict=True):
            if insertion is Insertion.ADDED:
                step.counts += self._arrived(fact)
        for one in todo.values():
            self._judge(state, view, one, proven(one[0]), step)
        return step

    def _arrived(self, fact: Fact) -> list[Count]:
        """One act more for every rule that judges this event, and one unusable event for every key it lacks (RULES 12)."""
        hour, tool = fact[TIME] // HOUR, tool_of(fact)
        counts = []
        for rule in self.by_type.get(fact[TYPE], ()):
            if fact[MASK] & rule.act.bits and not self._is_too_old(rule, fact):
                counts.append(Count(rule.id, hour, tool, "", "acts", 1))
            if any(fact[MASK] & take.bit and _lacks_key(take, fact) for take in rule.keyed):
                counts.append(Count(rule.id, hour, tool, "", "missing_key", 1))
        return counts

    def due(self, state: CustomerState, reference: Reference, proven: Proven) -> Step:
        """Judge the acts whose deadline has come and is proven."""
        step = Step()
        view = View(state.journal.facts, state.customer, reference)
        rules = {rule.id: rule for rule in self.plan.rules}
        for name, entry in list(state.entries.items()):
            rule = rules.get(name[0])
            if entry.outcome is not Outcome.PENDING or rule is None or entry.at > proven(rule):
                continue
            act = state.journal.get(name[1], name[2])
            if act is not None:
                self._judge(state, view, (rule, act, RetractReason.EVIDENCE_CHANGED), proven(rule), step)
        return step

    def review(self, state: CustomerState, reference: Reference, proven: Proven, rules: Sequence[CompiledRule]) -> Step:
        """Judge every act of some rules again: after a merge of customers, or a late reference fact."""
        step = Step()
        view = View(state.journal.facts, state.customer, reference)
        for rule in rules:
            for act in view.of(rule.act.bits):
                self._judge(state, view, (rule, act, RetractReason.EVIDENCE_CHANGED), proven(rule), step)
        return step

    def retire(self, state: CustomerState) -> Step:
        """End what rules said that are gone or changed: retired ones retract, old deadlines are superseded (RULES 36)."""
        step = Step()
        revisions = {rule.id: rule.revision for rule in self.plan.rules}
        for name, entry in list(state.entries.items()):
            revision = revisions.get(name[0])
            if revision == entry.revision:
                continue
            if revision is None or entry.outcome not in STANDING:
                del state.entries[name]
            act = state.journal.get(name[1], name[2])
            if revision is None and entry.outcome in STANDING and act is not None:
                gone = Detection(
                    name[0],
                    entry.revision,
                    state.customer,
                    evidence_of("act", act),
                    entry.at,
                    (),
                    DetectionStatus.RETRACTED,
                )
                step.changes.append(DetectionChange("retracted", gone, RetractReason.RULE_RETIRED))
        return step

    def withdraw(self, customer: str, said: Said, acts: Iterable[Fact]) -> Step:
        """Take back what stood of acts that belong to no customer any more."""
        step = Step()
        known = {(act[SOURCE], act[ID]): act for act in acts}
        rules = {rule.id: rule for rule in self.plan.rules}
        for name, old in said.items():
            act, rule = known[name[1:]], rules.get(name[0])
            step.counts += _difference(name[0], act, old, None)
            if rule is not None and old.outcome in STANDING:
                step.changes.append(
                    DetectionChange("retracted", _retracted(rule, customer, act, old), RetractReason.CUSTOMER_MERGED)
                )
        return step

    def uncount(self, state: CustomerState, act: Fact, said: Said) -> Step:
        """Take one of two counts back: of an event that came again while what was said of it was on its way here.

        What stood of it elsewhere is retracted where nothing stands of it here.
        """
        step = Step()
        step.counts += [replace(count, amount=-count.amount) for count in self._arrived(act)]
        elsewhere = {name: old for name, old in said.items() if not _stands(state.entries.get(name))}
        step.counts += self.withdraw(state.customer, elsewhere, [act]).counts
        step.changes += self.withdraw(state.customer, elsewhere, [act]).changes
        for name, old in said.items():
            if name not in elsewhere:
                step.counts += _counts_of(name[0], act, old, -1)
        return step

    def _concerned(self, rule: CompiledRule, view: View, fact: Fact, state: CustomerState) -> Iterable[Fact]:
        """The acts of a rule whose verdict a fact may change."""
        mask = fact[MASK]
        if mask & rule.act.bits:
            yield fact
        acts = view.of(rule.act.bits)
        if mask & rule.before_bits:
            since_act = rule.expect is not None and any(step.since is not None for step in rule.unless_events)
            start = 0 if since_act else bisect_left(acts, (fact[TIME],))
            yield from acts[start:]
        if rule.expect is not None and mask & rule.expect.step.bits:
            for act in acts:
                if (rule.id, act[SOURCE], act[ID]) in state.entries:
                    yield act

    def _judge(self, state: CustomerState, view: View, todo: Todo, proven: int, step: Step) -> None:
        """Judge one act, and note what differs from what was said of it before."""
        rule, act, reason = todo
        name = (rule.id, act[SOURCE], act[ID])
        old = state.entries.get(name)
        if self._is_too_old(rule, act) or (old is not None and old.revision != rule.revision):
            return
        verdict = judge(rule, view, act, proven)
        new = None if verdict is None else _entry(rule, act, verdict)
        if new == old or (old is not None and _only_forgotten(state, view.reference, old, new)):
            return
        if new is None:
            del state.entries[name]
        else:
            state.entries[name] = new
        step.counts += _difference(rule.id, act, old, new)
        change = _change(rule, state.customer, act, (old, new), verdict)
        if change is not None:
            kind, detection = change
            step.changes.append(DetectionChange(kind, detection, reason if kind == "retracted" else None))

    def _is_too_old(self, rule: CompiledRule, act: Fact) -> bool:
        """Whether an act happened before its rule was there."""
        since = self.since.get(rule.id)
        return since is not None and bool(act[TIME] < since)


def _lacks_key(take: Take, fact: Fact) -> bool:
    return any(fact[slot] is None for _, slot in take.keys) or any(fact[slot] is None for slot in take.pair)


def _only_forgotten(state: CustomerState, reference: Reference, old: Entry, new: Entry | None) -> bool:
    """Whether a detection would fall or change only because its evidence is no longer kept (RULES 35)."""
    if old.outcome not in STANDING:
        return False
    evidence = {(source, event_id) for _, source, event_id in old.evidence}
    if new is not None and new.outcome in STANDING and {(s, i) for _, s, i in new.evidence} >= evidence:
        return False
    return any(state.journal.get(*name) is None and not reference.knows(*name) for name in evidence)


def _entry(rule: CompiledRule, act: Fact, verdict: Verdict) -> Entry:
    evidence = tuple((step, fact[SOURCE], fact[ID]) for step, fact in verdict.evidence)
    tool = tool_of(verdict.evidence[0][1]) if verdict.evidence else ""
    lain = lain_for(act, [fact for _, fact in verdict.evidence])
    return Entry(verdict.outcome, verdict.at, rule.revision, evidence, tool, lain)


def _difference(rule: str, act: Fact, old: Entry | None, new: Entry | None) -> list[Count]:
    """What a changed verdict adds to the ledger and takes from it."""
    counts = [*_counts_of(rule, act, old, -1), *_counts_of(rule, act, new, 1)]
    if old is not None and _stands(old) and not _stands(new):
        counts.append(Count(rule, act[TIME] // HOUR, tool_of(act), old.evidence_tool, "retracted", 1))
    return counts


def _counts_of(rule: str, act: Fact, entry: Entry | None, amount: int) -> list[Count]:
    """What the ledger holds of one entry."""
    if entry is None:
        return []
    hour, tool = act[TIME] // HOUR, tool_of(act)
    return [Count(rule, hour, tool, entry.evidence_tool, kind, amount) for kind in _KINDS[entry.outcome]]


def _stands(entry: Entry | None) -> bool:
    """Whether a detection stands by what was said."""
    return entry is not None and entry.outcome in STANDING


_KINDS: dict[Outcome, tuple[str, ...]] = {
    Outcome.OPEN: ("detections",),
    Outcome.MADE_GOOD: ("detections", "made_good"),
    Outcome.PENDING: (),
    Outcome.IN_FLIGHT: ("in_flight",),
    Outcome.MISSING_KEY: ("missing_key",),
}


def _change(
    rule: CompiledRule, customer: str, act: Fact, entries: tuple[Entry | None, Entry | None], verdict: Verdict | None
) -> tuple[str, Detection] | None:
    """The kind of change and the detection as it now stands; None when no detection stood or stands."""
    old, new = entries
    stood = old is not None and old.outcome in STANDING
    if verdict is not None and new is not None and new.outcome in STANDING:
        detection = detect(rule, customer, act, verdict)
        if not stood:
            return "raised", detection
        kind = "made_good" if new.outcome is Outcome.MADE_GOOD and old and old.outcome is Outcome.OPEN else "amended"
        return kind, detection
    if stood and old is not None:
        return "retracted", _retracted(rule, customer, act, old)
    return None


def _retracted(rule: CompiledRule, customer: str, act: Fact, old: Entry) -> Detection:
    act_evidence = evidence_of(rule.spec.when.name, act)
    return Detection(rule.id, rule.revision, customer, act_evidence, old.at, (), DetectionStatus.RETRACTED)


def _reason(rule: CompiledRule, fact: Fact) -> RetractReason:
    """Why a detection would fall when this fact arrived."""
    mask = fact[MASK]
    if rule.expect is not None and mask & rule.expect.step.bits:
        return RetractReason.EXPECTED_ARRIVED
    if mask & rule.unless_bits:
        return RetractReason.CANCELLED
    return RetractReason.EVIDENCE_CHANGED
