"""Evaluate: one rule, one act, one customer's facts in; a Verdict out, or None when there is nothing to say.

A pure function of the set of facts and of what is proven read, so that order, duplicates and crashes cannot matter.
The engine calls it for each act that a new fact may concern; RULES sections 2 to 5 are its specification.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

from coordwatch.context.fact import MASK, TIME, Fact, order
from coordwatch.rules.keys import bounds
from coordwatch.rules.plan import CompiledRule, Env, ExpectStep, Take
from coordwatch.rules.search import BEGINNING, Search, View, search_for


class Outcome(StrEnum):
    """What judging an act came to; the values are metric label values."""

    OPEN = "open"
    MADE_GOOD = "made_good"
    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    MISSING_KEY = "missing_key"


@dataclass(slots=True)
class Verdict:
    """The outcome of judging one act, with the evidence as (step, fact) in the order of RULES 13.

    Units: `at` (the act's time, or the deadline) in microseconds since 1970 UTC
    """

    outcome: Outcome
    at: int
    evidence: tuple[tuple[str, Fact], ...] = ()


@dataclass(slots=True)
class Violation:
    """One binding that violates: what it names, and the late event that made it good."""

    evidence: tuple[tuple[str, Fact], ...]
    late: Fact | None = None

    def key(self) -> tuple[list[list[tuple[int, str, str]]], tuple[int, str, str]]:
        """Compares bindings: the one whose events are latest, step by step as written, is named (RULES 13)."""
        steps = [list(group) for _, group in groupby(self.evidence, key=itemgetter(0))]
        rank = [[order(fact) for _, fact in reversed(step)] for step in steps]
        return rank, (BEGINNING, "", "") if self.late is None else order(self.late)


def cannot_hold(rule: CompiledRule, view: View, time: int) -> bool:
    """Whether some step's events all lie outside its window, so that an act at this time need not be judged at all.

    A quick look that is often enough; it leaves aside keys, conditions and whether the act lacks a key.
    """
    for step in rule.afters:
        facts = view.of(step.bits)
        if not facts or facts[0][TIME] > time or (step.distinct is None and len(facts) < step.at_least):
            return True
        if step.reach is not None and facts[-1][TIME] <= step.reach(time):
            return True
    for state in rule.states:
        facts = view.of(state.opening_bits)
        if not facts or facts[0][TIME] > time:
            return True
    return False


def judge(rule: CompiledRule, view: View, act: Fact, proven: int, *, graces: bool = True) -> Verdict | None:
    """Judge one act by one rule.

    Takes:  an act of the rule out of `view`; `proven`, up to when the sources of the expected and the cancelling events
            are read (RULES 33); `graces` False for an act that is only asked about: nothing of it is in flight
    Gives:  None when the act is no conflict
    """
    deadline = None if rule.expect is None else deadline_of(rule.expect, act, view.customer, len(rule.names))
    search = search_for(rule, view, act, deadline)
    search.graces = graces
    takes = [
        take for take in rule.act.takes if act[MASK] & take.bit and (take.where is None or take.where(act, search.env))
    ]
    if not takes:
        return None
    readings = readings_of(rule, act, takes)
    if not readings or (rule.expect is not None and deadline is None):
        return Verdict(Outcome.MISSING_KEY, act[TIME])
    found = _violations(search, readings)
    if found:
        return _verdict(search, found, proven)
    if search.too_fresh:
        search.graces = False
        if _violations(search, readings):
            return Verdict(Outcome.IN_FLIGHT, act[TIME])
    if any(values[key] is None for values in readings for key in rule.positive):
        return Verdict(Outcome.MISSING_KEY, act[TIME])
    return None


def readings_of(rule: CompiledRule, act: Fact, takes: Sequence[Take]) -> list[list[object]]:
    """The act's key values under each alternative it satisfies, where the expected event could be told by them.

    An alternative of `expect` whose key the act lacks never matches; an act for which all are like that is not judged
    (RULES 12).
    """
    readings = []
    for take in takes:
        values = [act[slot] for _, slot in take.keys]
        if rule.expect is None or any(
            all(values[key] is not None for key, _ in wanted.keys) for wanted in rule.expect.step.takes
        ):
            readings.append(values)
    return readings


def deadline_of(expect: ExpectStep, act: Fact, customer: str, size: int) -> int | None:
    """The act's deadline (RULES 6); None when it is unknown."""
    deadlines = []
    if expect.within is not None:
        deadlines.append(expect.within(act[TIME]))
    if expect.by is not None:
        env: Env = [act, *[None] * (size - 1), customer]
        by = expect.by(act, env)
        if by is not None:
            deadlines.append(by)
    return max(min(deadlines), act[TIME]) if deadlines else None


def _violations(search: Search, readings: Sequence[Sequence[object]]) -> list[Violation]:
    """The bindings that violate, over every choice of key values; as few as the verdict needs.

    Bindings come latest first, so the first is the one to name, unless key values, alternatives or a counting step
    written first make another one later. Without `expect` nothing more is asked.
    """
    rule = search.rule
    found: list[Violation] = []
    for values in readings:
        for bound in bounds(values, rule.positive):
            for _ in search.bindings(bound):
                if rule.can_be_cancelled and search.cancelled(bound):
                    continue
                late: Fact | None = None
                if rule.expect is not None and search.deadline is not None:
                    late = search.expected(rule.expect, search.deadline, bound)
                    if late is not None and late[TIME] <= search.deadline:
                        continue
                found.append(Violation(search.evidence(), late))
                if late is None and not rule.counts_first:
                    break
    return found


def _verdict(search: Search, found: Sequence[Violation], proven: int) -> Verdict:
    """What the violating bindings come to together (RULES 13, 27)."""
    expect, deadline = search.rule.expect, search.deadline
    best = found[0] if len(found) == 1 else max(found, key=Violation.key)
    if expect is None or deadline is None:
        return Verdict(Outcome.OPEN, search.time, best.evidence)
    if deadline > proven:
        return Verdict(Outcome.PENDING, deadline, best.evidence)
    if best.late is not None and all(violation.late is not None for violation in found):
        return Verdict(Outcome.MADE_GOOD, deadline, (*best.evidence, (expect.step.name, best.late)))
    return Verdict(Outcome.OPEN, deadline, best.evidence)
