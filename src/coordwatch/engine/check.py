"""Check: may this be done to the customer now? An act that has not happened enters; an Answer leaves.

The rules that judge an act afterwards judge it before, with the customer's facts as they are, and once more at the instants
at which something in them ends, so that the answer can say until when to wait. Rules with `expect` are not asked: what must
follow an act is no reason against it. Nothing is kept, and nothing is in flight: who asks can still know.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from itertools import takewhile
from typing import TypeGuard

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, Fact
from coordwatch.engine.detect import detect
from coordwatch.engine.state import fact_of
from coordwatch.events.event import Event, event_with
from coordwatch.events.times import DAY, HOUR
from coordwatch.rules.detection import Detection
from coordwatch.rules.evaluate import Outcome, Verdict, judge
from coordwatch.rules.plan import CompiledRule, EventStep, GivenStep, Plan, Reach, StateStep
from coordwatch.rules.search import View
from coordwatch.rules.spec import RuleStatus

HORIZON = 400 * DAY
"""A conflict that would still be one after this is one for good."""
BY_THE_HOUR = 7 * 24
"""For how many hours a rule is asked again at each full hour when nothing in the facts says when it ends: a quiet night."""
_ENDS_MAX, _ROUNDS = 64, 8


class Advice(StrEnum):
    """What who asks had better do; the values are metric label values."""

    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that the act would violate: the detection that it would raise, and when the rule would let it pass.

    Units: `until` in microseconds since 1970 UTC, None when time alone does not help
    """

    detection: Detection
    until: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What all rules together say of an act that is asked about.

    `objections` are those of live rules, and decide; `shadow` those of rules that are not live yet. `asked` are the rules
    that judge such acts, `unsaid` those of them that could not, because the act does not say a key that they compare.

    Units: `until` in microseconds since 1970 UTC, None unless the advice is to hold
    """

    advice: Advice
    until: int | None
    objections: tuple[Objection, ...] = ()
    shadow: tuple[Objection, ...] = ()
    asked: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()


def check(plan: Plan, view: View, act: Event, among: Sequence[CompiledRule] | None = None) -> Answer:
    """Say whether an act may be done to a customer at its time, as far as is known.

    Takes: a `view` of the customer's facts; `act` as it would be published, its identifiers as the facts have them; `among`,
           the rules of the plan that are asked at all, None for every one
    """
    asked, now, customer = _Asked(plan, view, act, plan.rules if among is None else among), act.time, view.customer
    fact = asked.fact(now)
    if fact is None:
        return Answer(Advice.ALLOW, None)
    live, shadow, unsaid = list[Objection](), list[Objection](), list[str]()
    rules = asked.rules(now)
    for rule in rules:
        verdict = asked.verdict(rule, now)
        if _objects(verdict):
            objection = Objection(detect(rule, customer, fact, verdict), asked.end(rule, now))
            (live if _is_live(rule) else shadow).append(objection)
        elif verdict is not None:
            unsaid.append(rule.id)
    until = asked.quiet_from(now) if live else None
    advice = Advice.ALLOW if not live else Advice.DENY if until is None else Advice.HOLD
    return Answer(advice, until, tuple(live), tuple(shadow), tuple(rule.id for rule in rules), tuple(unsaid))


def may_begin(view: View, rules: Sequence[CompiledRule], now: int) -> int | None:
    """The next instant at which one of the rules may begin to object though nothing happens, None when none is known.

    What excused an act leaves its window then, is a state that ends by itself, or an exception that is over; or a fact that
    was as it should be leaves the window in which all must be otherwise; or a fact is of a time that is still to come.
    Conditions that look at the clock are not among it. Units: microseconds since 1970 UTC
    """
    ends = [fact[TIME] for fact in takewhile(lambda fact: fact[TIME] > now, reversed(view.facts))]
    for rule in rules:
        ends += (until for _, _, until in rule.exceptions)
        windows: list[EventStep | GivenStep] = [*rule.unless_events, *rule.given]
        for step in windows:
            if step.reach is not None:
                ends += (_first(step.reach, fact[TIME], now) for fact in view.of(step.bits))
        for state in rule.unless_states:
            ends += _state_ends(view, state)
    return min((end for end in ends if end > now), default=None)


def _state_ends(view: View, state: StateStep) -> Iterator[int]:
    for fact in view.of(state.bits):
        yield fact[TIME] + state.linger
        if state.at_most is not None:
            yield fact[TIME] + state.at_most


def _objects(verdict: Verdict | None) -> TypeGuard[Verdict]:
    return verdict is not None and verdict.outcome is Outcome.OPEN


def _is_live(rule: CompiledRule) -> bool:
    return rule.spec.status is RuleStatus.LIVE


@dataclass(slots=True)
class _Asked:
    """One act, asked about at any instant."""

    plan: Plan
    known: InitVar[View]
    act: Event
    among: Sequence[CompiledRule]
    _at: dict[int, Fact | None] = field(default_factory=dict)
    _view: View = field(init=False)

    def __post_init__(self, known: View) -> None:
        # Who has sent it already and asks again is told the same.
        name = (self.act.source, self.act.id)
        others = [fact for fact in known.facts if (fact[SOURCE], fact[ID]) != name]
        self._view = View(others, known.customer, known.reference)

    def fact(self, time: int) -> Fact | None:
        """The act as it would be at an instant; some conditions look at the clock."""
        if time not in self._at:
            self._at[time] = fact_of(event_with(self.act, time=time, observed_at=time), self.plan)
        return self._at[time]

    def rules(self, time: int) -> list[CompiledRule]:
        """The rules that judge such an act."""
        fact = self.fact(time)
        mask = 0 if fact is None else fact[MASK]
        return [rule for rule in self.among if rule.expect is None and mask & rule.act.bits]

    def verdict(self, rule: CompiledRule, time: int) -> Verdict | None:
        """What a rule would say of it."""
        fact = self.fact(time)
        if fact is None or not fact[MASK] & rule.act.bits:
            return None
        view = self._view
        if fact[MASK] & rule.before_bits:
            facts = list(view.facts)
            insort(facts, fact, key=lambda one: one[: ID + 1])
            view = View(facts, view.customer, view.reference)
        return judge(rule, view, fact, time, graces=False)

    def quiet_from(self, time: int) -> int | None:
        """The first instant found at which no live rule objects; each may object anew at that of another."""
        for _ in range(_ROUNDS):
            live = filter(_is_live, self.rules(time))
            ends = [self.end(rule, time) for rule in live if _objects(self.verdict(rule, time))]
            if not ends:
                return time
            known = [end for end in ends if end is not None]
            if len(known) < len(ends):
                return None
            time = max(known)
        return None

    def end(self, rule: CompiledRule, begin: int) -> int | None:
        """The first instant from which a rule does not object, None when none is known.

        Asked for at each end of what the verdict names; where that has none, at the full hours to come.
        """
        time = begin
        for _ in range(_ENDS_MAX):
            verdict = self.verdict(rule, time)
            if not _objects(verdict):
                return time
            ends = [end for end in self._ends(rule, verdict, time) if time < end <= begin + HORIZON]
            if not ends:
                break
            time = min(ends)
        hour = begin - begin % HOUR
        hours = (hour + number * HOUR for number in range(1, BY_THE_HOUR + 1))
        return next((each for each in hours if not _objects(self.verdict(rule, each))), None)

    def _ends(self, rule: CompiledRule, verdict: Verdict, time: int) -> Iterator[int]:
        """When what a verdict names leaves its window, or a state that it names may end by itself."""
        named = dict[str, list[Fact]]()
        for step, fact in verdict.evidence:
            named.setdefault(step, []).append(fact)
        windows = [(step.name, step.reach) for step in rule.afters] + [(step.name, step.reach) for step in rule.given]
        for name, reach in windows:
            if reach is not None:
                yield from (_first(reach, fact[TIME], time) for fact in named.get(name, ()))
        for state in rule.states:
            yield from _state_ends(self._view, state)


def _first(reach: Reach, old: int, time: int) -> int:
    """The first instant from `time` on whose window begins with or after `old`; windows only ever move on."""
    return time + bisect_left(range(HORIZON + 1), True, key=lambda later: reach(time + later) >= old)
