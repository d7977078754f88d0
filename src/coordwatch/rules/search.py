"""Search: the bindings of one rule for one act: which event plays which part (RULES sections 2 to 5).

A customer's facts enter as a View; bindings leave, the latest first, for `rules/evaluate.py`.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact, each_value, has_value, order
from coordwatch.context.journal import Journal
from coordwatch.context.reference import Reference, combinations_of
from coordwatch.rules.keys import Bound, qualifies
from coordwatch.rules.plan import CompiledRule, Env, EventStep, ExpectStep, GivenStep, StateStep, Take
from coordwatch.rules.states import Episode, episodes

BEGINNING = -(2**62)


SHORT = 12


class View:
    """One customer's facts, with the lists and episodes that rules ask for made once each.

    Takes: `facts` in their order, or a journal, of which only those facts are made that some rule asks for
    """

    __slots__ = ("_episodes", "_facts", "_lists", "customer", "reference")

    def __init__(self, facts: Sequence[Fact] | Journal, customer: str, reference: Reference) -> None:
        self._facts, self.customer, self.reference = facts, customer, reference
        self._lists: dict[int, list[Fact]] = {}
        self._episodes: dict[object, list[Episode]] = {}

    @property
    def facts(self) -> Sequence[Fact]:
        """Every fact, oldest first."""
        return self._facts.facts if isinstance(self._facts, Journal) else self._facts

    def of(self, bits: int) -> list[Fact]:
        """The facts that carry one of these bits, oldest first."""
        found = self._lists.get(bits)
        if found is None:
            facts = self._facts
            if isinstance(facts, Journal):
                found = self._lists[bits] = facts.of(bits)
            else:
                found = self._lists[bits] = [fact for fact in facts if fact[MASK] & bits]
        return found

    def episodes(self, state: StateStep, act: Fact, env: Env, bound: Bound) -> list[Episode]:
        """The episodes of a state; shared between acts where nothing in them depends on the act."""
        if not state.static or act[MASK] & state.bits:
            return episodes(state, self.of(state.bits), act, env, bound)
        tied = tuple((bound.one if key in bound.positive else bound.act)[key] for key in state.ties)
        name = (state.signature, tied, tuple(key in bound.positive for key in state.ties))
        found = self._episodes.get(name)
        if found is None:
            found = self._episodes[name] = episodes(state, self.of(state.bits), act, env, bound)
        return found


@dataclass(slots=True)
class Search:
    """Looks for bindings of one rule for one act; `env` holds the bound facts by step place, the customer last."""

    rule: CompiledRule
    view: View
    act: Fact
    deadline: int | None
    env: Env
    graces: bool = True
    too_fresh: bool = False
    named: dict[int, list[Fact]] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)

    @property
    def time(self) -> int:
        return int(self.act[TIME])

    def bindings(self, bound: Bound) -> Iterator[None]:
        """Each binding under which every `after`, `while` and `given` holds, latest events first; left in `env`."""
        # An earlier search may have been left in the middle: what it bound would count as taken.
        for step in self.rule.singles:
            self.env[step.at] = None
        return self._single(0, bound)

    def _single(self, number: int, bound: Bound) -> Iterator[None]:
        singles = self.rule.singles
        if number == len(singles):
            for counting in self.rule.counting:
                if not self.count(counting, bound):
                    return
            yield from self._state(0, bound)
            return
        step = singles[number]
        for fact in self.before(step, bound):
            self.env[step.at] = fact
            self.named[step.at] = [fact]
            yield from self._single(number + 1, bound)
            if step.is_alone:
                break
        self.env[step.at] = None

    def before(self, step: EventStep, bound: Bound) -> Iterator[Fact]:
        """The events of an `after` step, latest first: in its window, its keys, and not bound to another step."""
        start = BEGINNING if step.reach is None else step.reach(self.time)
        if step.since is not None:
            start = max(start, self._since(step.since) - 1)
        end = self.time - step.grace if self.graces else self.time
        facts = self.view.of(step.bits)
        stop = len(facts) if len(facts) <= SHORT else bisect_left(facts, (end + 1,))
        for place in range(stop - 1, -1, -1):
            fact = facts[place]
            time = fact[TIME]
            if time <= start:
                return
            if time <= end and self._free(fact) and self._taken_by(step.takes, fact, bound):
                yield fact

    def _free(self, fact: Fact) -> bool:
        """Whether an event plays no part yet (RULES 9)."""
        if fact is self.act:
            return False
        env = self.env
        for step in self.rule.singles:
            if env[step.at] is fact:
                return False
        return True

    def _taken_by(self, takes: tuple[Take, ...], fact: Fact, bound: Bound) -> bool:
        mask, env = fact[MASK], self.env
        for take in takes:
            if mask & take.bit and qualifies(take, fact, env, bound):
                return True
        return False

    def _since(self, place: int) -> int:
        """When the step named by a `since` took place."""
        start = self.starts.get(place)
        return int(self.env[place][TIME]) if start is None else start

    def count(self, step: EventStep, bound: Bound) -> bool:
        """Whether enough events are there; names them all, and finds the earliest of the most recent that suffice."""
        counted = list(self.before(step, bound))
        values: set[object] = set()
        for number, fact in enumerate(counted, 1):
            if step.distinct is not None:
                values.update(each_value(fact[step.distinct[fact[TYPE]]]))
            if (number if step.distinct is None else len(values)) >= step.at_least:
                self.named[step.at] = counted[::-1]
                self.starts[step.at] = fact[TIME]
                return True
        return False

    def _state(self, number: int, bound: Bound) -> Iterator[None]:
        states = self.rule.states
        if number == len(states):
            if not self.rule.given or all(self.given(step, bound) for step in self.rule.given):
                yield None
            return
        step = states[number]
        for begin in self.felt(step, bound):
            self.env[step.at] = begin
            self.named[step.at] = [begin]
            yield from self._state(number + 1, bound)

    def felt(self, state: StateStep, bound: Bound) -> Iterator[Fact]:
        """The openings of the episodes felt at the act, latest first; those within the grace are too fresh."""
        time = self.time
        for episode in self.view.episodes(state, self.act, self.env, bound):
            if episode.begin[TIME] > time or not is_felt(episode, time, state.linger):
                continue
            if self.graces and state.grace and episode.begin[TIME] > time - state.grace:
                self.too_fresh = True
                continue
            yield episode.begin

    def given(self, step: GivenStep, bound: Bound) -> bool:
        """Whether the last facts are there and each satisfies an alternative it belongs to; names them."""
        last = self.last_facts(step, bound)
        if not last:
            return False
        for fact in last:
            self.env[step.at] = fact
            if not any(
                take.where is None or take.where(fact, self.env) for take in step.takes if _belongs(take, fact, bound)
            ):
                return False
        self.named[step.at] = last
        return True

    def last_facts(self, step: GivenStep, bound: Bound) -> list[Fact]:
        """The last facts as of the act, for the key and each value of `per` (RULES 19), oldest first."""
        start = BEGINNING if step.reach is None else step.reach(self.time)
        latest: dict[tuple[object, ...], list[Fact]] = {}
        for take, broadcast in zip(step.takes, step.broadcast, strict=True):
            for fact in self._facts_as_of(take, broadcast, bound):
                if fact[TIME] <= start or (fact[ID] == self.act[ID] and fact[SOURCE] == self.act[SOURCE]):
                    continue
                for value in combinations_of([each_value(fact[slot]) for slot in step.per[take.type]]):
                    known = latest.get(value)
                    if known is None or fact[TIME] > known[0][TIME]:
                        latest[value] = [fact]
                    elif fact[TIME] == known[0][TIME]:
                        known.append(fact)
        found = {(fact[SOURCE], fact[ID]): fact for facts in latest.values() for fact in facts}
        return sorted(found.values(), key=order)

    def _facts_as_of(self, take: Take, broadcast: bool, bound: Bound) -> Sequence[Fact]:
        values = tuple(bound.one[key] for key, _ in take.keys)
        if any(value is None for value in values):
            return ()
        if broadcast:
            return self.view.reference.up_to(take.type, tuple(slot for _, slot in take.keys), values, self.time)
        return [fact for fact in self.view.of(take.bit) if fact[TIME] <= self.time and _belongs(take, fact, bound)]

    def cancelled(self, bound: Bound) -> bool:
        """Whether an `unless` or an exception removes this binding."""
        return (
            any(self.cancelling(step, bound) is not None for step in self.rule.unless_events)
            or any(True for state in self.rule.unless_states for _ in self.felt(state, bound))
            or any(self.time < until and where(self.act, self.env) for _, where, until in self.rule.exceptions)
        )

    def cancelling(self, step: EventStep, bound: Bound) -> Fact | None:
        """The first event that cancels the present binding, None when there is none."""
        start, end = BEGINNING, self.time
        if step.since is not None:
            start = self._since(step.since) - 1
            end = self.time if self.deadline is None else self.deadline
        if step.reach is not None:
            start, end = max(start, step.reach(self.time)), self.time
        for fact in self.view.of(step.bits):
            if fact[TIME] > end:
                break
            if fact[TIME] > start and self._free(fact) and self._taken_by(step.takes, fact, bound):
                return fact
        return None

    def expected(self, expect: ExpectStep, deadline: int, bound: Bound) -> Fact | None:
        """The first event that fulfils the act, in time or while it can still make good; None when there is none."""
        end = deadline + expect.repair
        for fact in self.view.of(expect.step.bits):
            if fact[TIME] > end:
                break
            if (
                fact[TIME] >= self.time - expect.early
                and self._free(fact)
                and self._taken_by(expect.step.takes, fact, bound)
            ):
                return fact
        return None

    def evidence(self) -> tuple[tuple[str, Fact], ...]:
        """What the present binding names, step by step as written."""
        names = self.rule.names
        return tuple((names[place], fact) for place in self.rule.evidence for fact in self.named[place])


def _belongs(take: Take, fact: Fact, bound: Bound) -> bool:
    """Whether a reference fact is of the type and about the key values that an alternative names."""
    return bool(fact[MASK] & take.bit) and all(
        bound.one[key] is not None and has_value(fact[slot], bound.one[key]) for key, slot in take.keys
    )


def is_felt(episode: Episode, time: int, linger: int) -> bool:
    """Whether an episode that has begun is held at an instant, or was closed so shortly before that it lingers."""
    return time < episode.end or (episode.closed_at is not None and episode.closed_at > time - linger)


def search_for(rule: CompiledRule, view: View, act: Fact, deadline: int | None) -> Search:
    """A search with nothing bound but the act."""
    env: Env = [None] * len(rule.names)
    env[0] = act
    env.append(view.customer)
    return Search(rule, view, act, deadline, env)
