"""Arrivals: what an event that comes new may change, told from a few numbers of its customer, before anything is looked at.

What enters: the bits of a fact, the bits of the customer's other facts, and of which rules something was said. What leaves:
the rules that must look, mostly none. `step` asks it for every event, and the Kafka runtime before it opens a customer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from coordwatch.context.fact import MASK, Fact
from coordwatch.rules.plan import CompiledRule, Plan, Take

CACHE_MAX = 10_000
Places = tuple[int, ...]
Read = tuple[str, Places, Places]
Counted = tuple[tuple[str, str], ...]
"""What the ledger counts of an event when it comes: by rule, the kind."""


class Acting:
    """A rule of which a fact is an act: what else must be there before it can be a conflict.

    `needs` are bits of which one each must be present among the other facts; `keys` the places of the act's key values that
    some other fact must hold too. Where no other fact carries any of `others`, the act and reference facts decide alone.
    """

    __slots__ = ("_expected", "_required", "keys", "needs", "others", "rule")

    def __init__(self, rule: CompiledRule, mask: int) -> None:
        self.rule = rule
        takes = [take for take in rule.act.takes if take.bit & mask]
        sure = rule.expect is None or rule.expect.by is None
        self.needs: Places = rule.needs[1:] if sure else ()
        self.others = rule.before_bits | (rule.expect.step.bits if rule.expect else 0)
        slots = dict(takes[0].keys) if len(takes) == 1 and takes[0].where is None else {}
        self.keys = _places(slots, rule, across=False)
        self._required = _places(slots, rule, across=True)
        self._expected: list[Places] = []
        if slots and rule.expect is not None:
            self._expected = [tuple(slots[key] for key, _ in take.keys) for take in rule.expect.step.takes]

    def is_unsure(self, fact: Fact) -> bool:
        """Whether the act lacks a key that some alternative does not ask for, so that it must be judged whatever is there."""
        return any(fact[slot] is None for take in self.rule.act.takes if take.bit & fact[MASK] for _, slot in take.keys)

    def is_unusable(self, fact: Fact) -> bool:
        """Whether the act lacks a key without which it can never be a conflict, whatever comes (RULES 12)."""
        if any(fact[slot] is None for slot in self._required):
            return True
        return bool(self._expected) and all(any(fact[slot] is None for slot in places) for places in self._expected)


def _places(slots: Mapping[int, int], rule: CompiledRule, *, across: bool) -> Places:
    """The places in the act of keys whose value some other event must hold, one `across` customers included."""
    steps: list[Sequence[Take]] = [step.takes for step in rule.afters]
    steps += [state.opened for state in rule.states]
    steps += [step.takes for step in rule.given if across or not any(step.broadcast)]
    asked = (key for key in rule.positive if any(all(key in dict(take.keys) for take in takes) for takes in steps))
    return tuple(dict.fromkeys(slots[key] for key in asked if key in slots))


class Lack:
    """Facts that lack the same keys: `usable` are the rules of which they can still be acts, `counted` as in an Arrival."""

    __slots__ = ("_by_present", "counted", "must", "usable")

    def __init__(self, arrival: "Arrival", fact: Fact) -> None:
        self.usable = tuple(one for one in arrival.acting if not one.is_unusable(fact))
        unusable = [one.rule.id for one in arrival.acting if one not in self.usable]
        keyed = [rule for rule, takes in arrival.keyed if any(_lacks_key(take, fact) for take in takes)]
        self.counted: Counted = tuple((rule, "missing_key") for rule in (*unusable, *keyed))
        self.must = tuple(one for one in self.usable if one.is_unsure(fact))
        self._by_present: dict[int, tuple[Acting, ...]] = {}

    def may_hold(self, present: int) -> tuple[Acting, ...]:
        """As of an Arrival, of the rules that are left."""
        found = self._by_present.get(present)
        if found is None:
            found = tuple(one for one in self.usable if one in self.must or all(present & need for need in one.needs))
            if len(self._by_present) < CACHE_MAX:
                self._by_present[present] = found
        return found


class Arrival:
    """What facts with these bits may change.

    `acting` are the rules of which it is an act; `counted` is what of it is counted in any case, `warming` the rules that are
    new and count only later acts. `slots` gives the values of places that must hold one, or something is counted
    `missing_key`. `before` are the rules for which it may be evidence; of those, `late` holds the bits of acts that must be
    looked at when they happened no earlier, `ever` of those that must be in any case. `expected` are the rules that may wait
    for it, `waited` the same by number. `reads` are the reference facts that are read.
    """

    __slots__ = (
        "_by_present", "_lacks", "acting", "before", "counted", "ever", "expected", "keyed", "late", "reads", "slots", "type",
        "waited", "warming",
    )  # fmt: skip

    def __init__(self, event_type: str, mask: int, plan: Plan, since: Mapping[str, int]) -> None:
        self.type = event_type
        rules = [rule for rule in plan.rules if rule.all_bits & mask]
        self.acting = tuple(Acting(rule, mask) for rule in rules if rule.act.bits & mask)
        self.counted: Counted = tuple((one.rule.id, "acts") for one in self.acting if one.rule.id not in since)
        self.warming = tuple(one.rule for one in self.acting if one.rule.id in since)
        self.keyed = tuple((rule.id, takes) for rule in rules if (takes := [t for t in rule.keyed if t.bit & mask]))
        self.before = tuple(rule for rule in rules if rule.before_bits & mask)
        self.late = self.ever = self.waited = 0
        for rule in self.before:
            if looks_back_from_the_act(rule):
                self.ever |= rule.act.bits
            self.late |= rule.act.bits
        self.expected = tuple(rule for rule in rules if rule.expect is not None and rule.expect.step.bits & mask)
        for rule in self.expected:
            self.waited |= 1 << rule.number
        self.slots = _getter(_lackable(self, mask))
        self.reads = tuple(dict.fromkeys(read for one in self.acting for read in _reads(one.rule, plan)))
        self._lacks: dict[tuple[bool, ...], Lack] = {}
        self._by_present: dict[int, tuple[Acting, ...]] = {}

    def lack(self, fact: Fact) -> Lack | None:
        """What follows from the keys that a fact lacks, None when it lacks none."""
        if self.slots is None:
            return None
        values = self.slots(fact)
        if None not in values:
            return None
        lacks = tuple([value is None for value in values])
        found = self._lacks.get(lacks)
        if found is None:
            found = self._lacks[lacks] = Lack(self, fact)
        return found

    def may_hold(self, present: int) -> tuple[Acting, ...]:
        """The rules by which such an act could be a conflict for a customer whose other facts carry these bits."""
        found = self._by_present.get(present)
        if found is None:
            found = tuple(one for one in self.acting if all(present & need for need in one.needs))
            if len(self._by_present) < CACHE_MAX:
                self._by_present[present] = found
        return found

    def may_change(self, present: int, said: int, is_late: bool) -> bool:
        """Whether the verdict on an act that came before may change; `is_late` if some fact happened no earlier."""
        return bool(said & self.waited or present & self.ever or (is_late and present & self.late))


class Arrivals:
    """The arrivals of one plan, made when they are first met. `since` as in the engine."""

    def __init__(self, plan: Plan, since: Mapping[str, int]) -> None:
        self._plan, self._since = plan, since
        self.known: dict[int, Arrival] = {}

    def of(self, event_type: str, mask: int) -> Arrival:
        """What facts of a type with these bits may change."""
        found = self.known.get(mask)
        if found is None or found.type != event_type:
            found = Arrival(event_type, mask, self._plan, self._since)
            if len(self.known) < CACHE_MAX:
                self.known[mask] = found
        return found


def looks_back_from_the_act(rule: CompiledRule) -> bool:
    """Whether an `unless` of an absence counts from the act, so that later events concern it too."""
    return rule.expect is not None and any(step.since is not None for step in rule.unless_events)


def _lacks_key(take: Take, fact: Fact) -> bool:
    return any(fact[slot] is None for _, slot in take.keys) or any(fact[slot] is None for slot in take.pair)


def _lackable(arrival: Arrival, mask: int) -> Places:
    """The places of every key that matters."""
    takes: list[Take] = [take for _, takes in arrival.keyed for take in takes]
    takes += [take for one in arrival.acting for take in one.rule.act.takes if take.bit & mask]
    return tuple(dict.fromkeys(slot for take in takes for slot in (*(place for _, place in take.keys), *take.pair)))


def _getter(slots: Places) -> Callable[[Fact], tuple[Any, ...]] | None:
    if not slots:
        return None
    return itemgetter(*slots) if len(slots) > 1 else itemgetter(slice(slots[0], slots[0] + 1))


def _reads(rule: CompiledRule, plan: Plan) -> Iterable[Read]:
    """What an act of a rule reads across customers: the type, the places of its keys there, and those in the act."""
    for take in (take for step in rule.given for take in step.takes if take.type in plan.broadcast):
        for act in rule.act.takes:
            places = dict(act.keys)
            yield take.type, tuple(slot for _, slot in take.keys), tuple(places[key] for key, _ in take.keys)
