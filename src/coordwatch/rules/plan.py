"""The plan: rules as compiled, ready to judge: places in facts, bits, windows and generated predicates.

`rules/compile.py` makes it; `rules/evaluate.py` judges with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from coordwatch.context.fact import Fact
from coordwatch.events.event import Event
from coordwatch.rules.layout import Layouts
from coordwatch.rules.projection import Form, Project, build_projection
from coordwatch.rules.runtime import Runtime
from coordwatch.rules.spec import (
    RuleSpec,
)

Env = list[Any]


Predicate = Callable[[Fact, Env], Any]


Reach = Callable[[int], int]


PRESENT_MAX = 10_000


@dataclass(slots=True)
class Take:
    """A compiled match: the bit a fact must carry, its keys as (key number, place), and what needs other steps.

    `reads` are the places of the other steps that `where` reads.
    """

    bit: int
    type: str
    keys: tuple[tuple[int, int], ...]
    pair: tuple[int, ...]
    where: Predicate | None
    reads: tuple[int, ...] = ()


@dataclass(slots=True)
class EventStep:
    """A compiled `after`, `unless` event or `expect`. `reach` gives the open start of a window that ends at an instant.

    `is_alone` is true of a single step that no other step names and whose events no other step could take: which of its
    events is bound then changes nothing but the evidence, and the latest is enough.
    """

    name: str
    at: int
    takes: tuple[Take, ...]
    bits: int
    reach: Reach | None = None
    grace: int = 0
    since: int | None = None
    at_least: int = 1
    distinct: Mapping[str, int] | None = None
    counting: bool = False
    is_alone: bool = False


@dataclass(slots=True)
class StateStep:
    """A compiled state. `static` is true when its episodes depend on nothing but the facts and the tied key values."""

    name: str
    at: int
    opened: tuple[Take, ...]
    closed: tuple[Take, ...]
    reopened: tuple[Take, ...]
    bits: int
    opening_bits: int
    ties: tuple[int, ...]
    static: bool
    grace: int
    linger: int
    at_most: int | None
    signature: object


@dataclass(slots=True)
class GivenStep:
    """A compiled reference fact; `per` gives the places of the `per` values by event type."""

    name: str
    at: int
    takes: tuple[Take, ...]
    broadcast: tuple[bool, ...]
    per: Mapping[str, tuple[int, ...]]
    reach: Reach | None
    bits: int


@dataclass(slots=True)
class ExpectStep:
    """A compiled `expect`: how to find its deadline, and how long a late event still makes good."""

    step: EventStep
    within: Callable[[int], int] | None
    by: Predicate | None
    early: int
    repair: int


@dataclass(slots=True)
class CompiledRule:
    """One rule, ready to judge; what stands below `expect` follows from the steps.

    `needs` holds, for each step that must be there, the bits of which one must be present; `evidence` the places of the
    steps that are named; `keyed` every match that asks for a key; `counts_first` whether a counting step is written
    before a single one, so that the first binding found need not be the one to name.
    """

    spec: RuleSpec
    revision: str
    number: int
    act: EventStep
    names: tuple[str, ...]
    keys: tuple[str, ...]
    positive: tuple[int, ...]
    evidence: tuple[int, ...]
    afters: tuple[EventStep, ...]
    states: tuple[StateStep, ...]
    given: tuple[GivenStep, ...]
    unless_events: tuple[EventStep, ...]
    unless_states: tuple[StateStep, ...]
    exceptions: tuple[tuple[str, Predicate, int], ...]
    expect: ExpectStep | None
    id: str = field(init=False)
    singles: tuple[EventStep, ...] = field(init=False)
    counting: tuple[EventStep, ...] = field(init=False)
    counts_first: bool = field(init=False)
    needs: tuple[int, ...] = field(init=False)
    keyed: tuple[Take, ...] = field(init=False)
    can_be_cancelled: bool = field(init=False)
    unless_bits: int = field(init=False)
    before_bits: int = field(init=False)
    all_bits: int = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.spec.id
        self.singles = tuple(step for step in self.afters if not step.counting)
        self.counting = tuple(step for step in self.afters if step.counting)
        seen = [step.counting for step in self.afters]
        self.counts_first = True in seen and False in seen[seen.index(True) :]
        local = [step.bits for step in self.given if not any(step.broadcast)]
        openings = [state.opening_bits for state in self.states]
        self.needs = (self.act.bits, *(step.bits for step in self.afters), *local, *openings)
        unless: list[EventStep | StateStep | GivenStep] = [*self.unless_events, *self.unless_states]
        before = [*self.afters, *self.states, *self.given, *unless]
        self.keyed = tuple(take for take in takes_of(before) if take.keys or take.pair)
        self.can_be_cancelled = bool(unless or self.exceptions)
        self.unless_bits = bits_of(*unless)
        self.before_bits = bits_of(*before)
        self.all_bits = bits_of(self.act) | self.before_bits | (self.expect.step.bits if self.expect else 0)


@dataclass(slots=True)
class Plan:
    """Every rule that is not retired, compiled together."""

    rules: tuple[CompiledRule, ...]
    layouts: Layouts
    runtime: Runtime
    projections: Mapping[str, Project] = field(default_factory=dict)
    broadcast: frozenset[str] = frozenset()
    _by_present: dict[int, tuple[CompiledRule, ...]] = field(default_factory=dict)
    _by_act: dict[int, list[CompiledRule]] = field(default_factory=dict)
    acting: int = 0

    def __post_init__(self) -> None:
        for rule in self.rules:
            self.acting |= rule.act.bits
            for bit in _each_bit(rule.act.bits):
                self._by_act.setdefault(bit, []).append(rule)

    def project(self, event: Event) -> Fact | None:
        """The fact of an event, None when no rule needs it."""
        project = self.projections.get(event.type)
        if project is None:
            return None
        return project(event.time, event.source, event.id, event.observed_at, event.data)

    def projections_of(self, form: Form, *, keep_data: bool = False) -> Mapping[str, Project]:
        """Projections for data that comes in another form than a mapping (see `build_projection`)."""
        namespace = self.runtime.namespace()
        return {
            name: build_projection(layout, namespace, form, keep_data=keep_data)
            for name, layout in self.layouts.by_type.items()
        }

    def reading_slots(self) -> dict[str, tuple[int, ...]]:
        """For each type that some rule reads as a reference fact across customers, every place it is looked up by."""
        found: dict[str, dict[int, None]] = {}
        for step in (step for rule in self.rules for step in rule.given):
            for take in (take for take in step.takes if take.type in self.broadcast):
                slots = found.setdefault(take.type, {})
                slots.update(dict.fromkeys((*(slot for _, slot in take.keys), *step.per[take.type])))
        return {name: tuple(slots) for name, slots in found.items()}

    def candidates(self, present: int) -> tuple[CompiledRule, ...]:
        """The rules that could hold for a customer whose facts carry these bits."""
        found = self._by_present.get(present)
        if found is None:
            rules = {rule.number: rule for bit in _each_bit(present & self.acting) for rule in self._by_act[bit]}
            found = tuple(rules[number] for number in sorted(rules) if all(present & b for b in rules[number].needs))
            if len(self._by_present) < PRESENT_MAX:
                self._by_present[present] = found
        return found


def _each_bit(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest
        bits ^= lowest


def bits(takes: Iterable[Take]) -> int:
    """The bits that some matches ask for, together."""
    found = 0
    for take in takes:
        found |= take.bit
    return found


def takes_of(*groups: Iterable[EventStep | StateStep | GivenStep]) -> Iterator[Take]:
    """Every match of some steps."""
    for step in chain.from_iterable(groups):
        yield from (*step.opened, *step.closed, *step.reopened) if isinstance(step, StateStep) else step.takes


def bits_of(*steps: EventStep | StateStep | GivenStep) -> int:
    """The bits that some steps ask for, together."""
    found = 0
    for step in steps:
        found |= step.bits
    return found
