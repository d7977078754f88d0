"""Explain: one rule and one act in; step by step what held, by which event, and what was missed by how much, out.

Answers both "why did this fire" and "why did it not". It walks the same compiled steps as `evaluate`, so that it cannot
tell another story. Pages, the API and `coordwatch explain` print what leaves here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.events.times import format_time
from coordwatch.events.words import duration_words
from coordwatch.rules.evaluate import Outcome, Verdict, deadline_of, judge, readings_of
from coordwatch.rules.explanation import ExplainStep, Explanation
from coordwatch.rules.keys import Bound, bounds
from coordwatch.rules.misses import Miss, nearest_miss, state_miss
from coordwatch.rules.plan import CompiledRule, EventStep, GivenStep, StateStep, Take
from coordwatch.rules.search import BEGINNING, Search, View, search_for

_SENTENCES = {
    None: "No conflict.",
    Outcome.OPEN: "A conflict.",
    Outcome.MADE_GOOD: "A conflict, made good later.",
    Outcome.PENDING: "Not decided yet: the deadline is still to come, or not yet provable.",
    Outcome.IN_FLIGHT: "No conflict: the act was already in flight.",
    Outcome.MISSING_KEY: "Not judged, or not fully: the act lacks a key that the rule needs.",
}


def explain(rule: CompiledRule, view: View, act: Fact | None, proven: int) -> Explanation:
    """Say step by step what a rule made of an act.

    Takes: an act out of `view`, None when there is no such act; `proven` as for `judge`
    """
    if act is None:
        return Explanation(
            "no_act", "The rule judged nothing: no such act is known of this customer.", (_no_act(rule, view),)
        )
    verdict = judge(rule, view, act, proven)
    walk = _Walk.over(rule, view, act, verdict)
    outcome = None if verdict is None else verdict.outcome
    steps = (walk.act_step(), *walk.positives(), *walk.cancelling(), *walk.expected(proven))
    return Explanation("none" if outcome is None else outcome.value, _SENTENCES[outcome], steps)


def _no_act(rule: CompiledRule, view: View) -> ExplainStep:
    types = sorted({take.type for take in rule.act.takes})
    near = [fact for fact in view.facts if fact[TYPE] in types]
    text = f"No {' or '.join(types)} that satisfies the rule's own condition is known of this customer"
    if near:
        text += f"; the last of that type, at {format_time(near[-1][TIME])}, does not satisfy it"
    return ExplainStep(rule.act.name, "when", False, text + ".", [_name(fact) for fact in near[-1:]])


@dataclass(slots=True)
class _Walk:
    """Walks one act's steps, binding the latest event that holds wherever the verdict named none."""

    search: Search
    bound: Bound
    verdict: Verdict | None
    is_bound: bool

    @classmethod
    def over(cls, rule: CompiledRule, view: View, act: Fact, verdict: Verdict | None) -> "_Walk":
        deadline = deadline_of(rule.expect, act, view.customer, len(rule.names)) if rule.expect else None
        search = search_for(rule, view, act, deadline)
        readings = readings_of(rule, act, [take for take in rule.act.takes if act[MASK] & take.bit]) or [
            [act[slot] for _, slot in rule.act.takes[0].keys]
        ]
        choices = [bound for values in readings for bound in bounds(values, rule.positive)]
        for bound in choices:
            for _ in search.bindings(bound):
                return cls(search, bound, verdict, True)
        empty = search_for(rule, view, act, deadline)
        return cls(empty, choices[0], verdict, False)

    @property
    def rule(self) -> CompiledRule:
        return self.search.rule

    def act_step(self) -> ExplainStep:
        act = self.search.act
        return ExplainStep(self.rule.act.name, "when", True, f"{act[TYPE]} at {format_time(act[TIME])}.", [_name(act)])

    def positives(self) -> Iterator[ExplainStep]:
        """Every `after`, `while` and `given`."""
        for step in self.rule.singles:
            fact = self.search.env[step.at] if self.is_bound else self._latest(step)
            self.search.env[step.at] = fact
            yield self._missed(step) if fact is None else self._held_event(step, fact)
        for step in self.rule.counting:
            yield self._count(step)
        for state in self.rule.states:
            yield self._state(state)
        for given in self.rule.given:
            yield self._given(given)

    def _latest(self, step: EventStep) -> Fact | None:
        return None if self._missing(step.takes, step.since) else next(self.search.before(step, self.bound), None)

    def _missing(self, takes: Iterable[Take], since: int | None = None) -> str | None:
        """The name of a step that did not hold and without which these matches cannot be asked."""
        places = {place for take in takes for place in take.reads} | ({since} if since is not None else set())
        gone = [place for place in sorted(places) if self.search.env[place] is None and place not in self.search.starts]
        return self.rule.names[gone[0]] if gone else None

    def _held_event(self, step: EventStep, fact: Fact) -> ExplainStep:
        self.search.named[step.at] = [fact]
        gap = self.search.time - fact[TIME]
        return ExplainStep(
            step.name,
            "after",
            True,
            f"{fact[TYPE]} happened {_before(gap)}.",
            [_name(fact)],
            stopper=f"Without {fact[TYPE]} in that time there would be no conflict.",
        )

    def _window(self, step: EventStep) -> tuple[int, int]:
        start = BEGINNING if step.reach is None else step.reach(self.search.time)
        if step.since is not None and self.search.env[step.since] is not None:
            start = max(start, self.search.env[step.since][TIME] - 1)
        return start, self.search.time - step.grace

    def _missed(self, step: EventStep) -> ExplainStep:
        missing = self._missing(step.takes, step.since)
        if missing is not None:
            return _not_asked(step.name, "after", missing)
        miss = nearest_miss(self.search, step, self.bound, self._window(step))
        return _from_miss(step.name, "after", miss, _types(step.takes))

    def _count(self, step: EventStep) -> ExplainStep:
        if self._missing(step.takes, step.since) is not None:
            return self._missed(step)
        counted = list(self.search.before(step, self.bound))
        enough = self.search.count(step, self.bound)
        what = "different values" if step.distinct is not None else "events"
        text = f"{len(counted)} in the window, {step.at_least} {what} needed."
        return ExplainStep(
            step.name,
            "after",
            enough,
            text,
            [_name(fact) for fact in counted[::-1]],
            missed_by=None,
            stopper="Fewer of them would not be a conflict." if enough else None,
        )

    def _state(self, state: StateStep) -> ExplainStep:
        missing = self._missing((*state.opened, *state.closed, *state.reopened))
        if missing is not None:
            return _not_asked(state.name, "while", missing)
        begin = self.search.env[state.at] if self.is_bound else next(self.search.felt(state, self.bound), None)
        if begin is None:
            return _from_miss(state.name, "while", state_miss(self.search, state, self.bound), _types(state.opened))
        self.search.env[state.at] = begin
        self.search.named[state.at] = [begin]
        gap = self.search.time - begin[TIME]
        return ExplainStep(
            state.name,
            "while",
            True,
            f"It held: {begin[TYPE]} opened it {_before(gap)}.",
            [_name(begin)],
            stopper="Had it been closed before, there would be no conflict.",
        )

    def _given(self, given: GivenStep) -> ExplainStep:
        missing = self._missing(given.takes)
        if missing is not None:
            return _not_asked(given.name, "given", missing)
        facts = self.search.last_facts(given, self.bound)
        if not facts:
            return ExplainStep(given.name, "given", None, f"No {_types(given.takes)} was known of it at the time.")
        holds = self.search.given(given, self.bound)
        said = "the last known says so" if holds else "the last known says otherwise"
        times = ", ".join(format_time(fact[TIME]) for fact in facts)
        return ExplainStep(
            given.name,
            "given",
            holds,
            f"{facts[-1][TYPE]}: {said} (as of {times}).",
            [_name(fact) for fact in facts],
            stopper="Another fact at the time would have made it no conflict." if holds else None,
        )

    def cancelling(self) -> Iterator[ExplainStep]:
        """Every `unless` and exception, as far as the steps they hang on are there."""
        for step in self.rule.unless_events:
            yield self._unless(step)
        for state in self.rule.unless_states:
            yield self._unless_state(state)
        for name, where, until in self.rule.exceptions:
            applies = (
                self.search.time < until and bool(where(self.search.act, self.search.env)) if self._complete() else None
            )
            text = (
                "Not asked: a step is missing."
                if applies is None
                else "It applies."
                if applies
                else "It does not apply."
            )
            yield ExplainStep(name, "exception", applies, text)

    def _unless_state(self, state: StateStep) -> ExplainStep:
        missing = self._missing((*state.opened, *state.closed, *state.reopened))
        if missing is not None:
            return _not_asked(state.name, "unless", missing)
        begin = next(self.search.felt(state, self.bound), None)
        if begin is None:
            return ExplainStep(state.name, "unless", False, "It did not hold, so it cancels nothing.")
        text = f"It held since {format_time(begin[TIME])}: it cancels."
        return ExplainStep(state.name, "unless", True, text, [_name(begin)])

    def _unless(self, step: EventStep) -> ExplainStep:
        missing = self._missing(step.takes, step.since)
        if missing is not None:
            return _not_asked(step.name, "unless", missing)
        fact = self.search.cancelling(step, self.bound)
        if fact is not None:
            return ExplainStep(
                step.name, "unless", True, f"{fact[TYPE]} at {format_time(fact[TIME])} cancels.", [_name(fact)]
            )
        stopper = f"A {_types(step.takes)} in its window would have cancelled it."
        return ExplainStep(step.name, "unless", False, f"No {_types(step.takes)} cancelled it.", stopper=stopper)

    def _complete(self) -> bool:
        return all(self.search.env[place] is not None or place in self.search.named for place in self.rule.evidence)

    def expected(self, proven: int) -> Iterator[ExplainStep]:
        """The expected event: in time, late, still due, or missing."""
        expect, deadline = self.rule.expect, self.search.deadline
        if expect is None:
            return
        name, types = expect.step.name, _types(expect.step.takes)
        if deadline is None:
            yield ExplainStep(name, "expect", None, "Its deadline is not known, so the act is not judged.")
            return
        missing = self._missing(expect.step.takes)
        if missing is not None:
            yield _not_asked(name, "expect", missing)
            return
        fact = self.search.expected(expect, deadline, self.bound)
        due = f"due by {format_time(deadline)}"
        if fact is None:
            held, text = (
                (None, f"{types} is {due}; not yet decided.")
                if deadline > proven
                else (False, f"{types} was {due} and did not come.")
            )
            miss = nearest_miss(self.search, expect.step, self.bound, (self.search.time - expect.early - 1, deadline))
            text += f" Nearest: {miss.why}." if miss else ""
            yield ExplainStep(
                name,
                "expect",
                held,
                text,
                stopper=f"A {types} by {format_time(deadline)} would have kept it from firing.",
            )
            return
        late = fact[TIME] - deadline
        text = f"{fact[TYPE]} came at {format_time(fact[TIME])}, {due}" + (
            f": {duration_words(late)} late." if late > 0 else "."
        )
        yield ExplainStep(name, "expect", late <= 0, text, [_name(fact)], late if late > 0 else None)


def _before(gap: int) -> str:
    return f"{duration_words(gap)} before the act" if gap else "at the same instant as the act"


def _from_miss(step: str, kind: str, miss: Miss | None, types: str) -> ExplainStep:
    if miss is None:
        return ExplainStep(step, kind, False, f"No {types} is known of this customer.")
    return ExplainStep(step, kind, False, f"It did not hold: {miss.why}.", [_name(miss.fact)], miss.by)


def _not_asked(step: str, kind: str, missing: str) -> ExplainStep:
    return ExplainStep(step, kind, None, f"Not asked: {missing}, on which it depends, is missing.")


def _types(takes: Sequence[Take]) -> str:
    return " or ".join(sorted({take.type for take in takes}))


def _name(fact: Fact) -> tuple[str, str]:
    return fact[SOURCE], fact[ID]
