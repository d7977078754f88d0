"""Compile: RuleSpecs in, a Plan out: the same rules as places in facts, bits, and generated predicates.

The plan answers, for an event type, how to make a fact and which rules it may concern; `rules/evaluate.py` judges with it.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE, Fact
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import REFS, TYPES
from coordwatch.rules.calendars import add_open, subtract_open
from coordwatch.rules.compile_expression import true_code, value_code
from coordwatch.rules.expression import Expression, FieldRef
from coordwatch.rules.generate import function_of
from coordwatch.rules.layout import Layouts, Project, build_projection, conjunction, conjuncts, shape
from coordwatch.rules.outline import conditions
from coordwatch.rules.references import references
from coordwatch.rules.runtime import Runtime
from coordwatch.rules.spec import (
    After,
    Expect,
    Given,
    Match,
    RuleSpec,
    RuleStatus,
    State,
    UnlessEvent,
    Window,
)

Env = list[Any]
Predicate = Callable[[Fact, Env], Any]
Reach = Callable[[int], int]
FOREVER = -(2**62)


@dataclass(slots=True)
class Take:
    """A compiled match: the bit a fact must carry, its keys as (key number, place), and what needs other steps."""

    bit: int
    type: str
    keys: tuple[tuple[int, int], ...]
    pair: tuple[int, ...]
    where: Predicate | None


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
    """One rule, ready to judge. `needs` holds, for each step that must be there, the bits of which one must be present."""

    spec: RuleSpec
    revision: str
    number: int
    act: EventStep
    names: tuple[str, ...]
    keys: tuple[str, ...]
    positive: tuple[int, ...]
    singles: tuple[EventStep, ...]
    counting: tuple[EventStep, ...]
    states: tuple[StateStep, ...]
    given: tuple[GivenStep, ...]
    unless_events: tuple[EventStep, ...]
    unless_states: tuple[StateStep, ...]
    exceptions: tuple[tuple[str, Predicate, int], ...]
    expect: ExpectStep | None
    needs: tuple[int, ...]
    evidence: tuple[int, ...]
    counts_first: bool
    all_bits: int
    before_bits: int
    unless_bits: int
    can_be_cancelled: bool
    afters: tuple[EventStep, ...]

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.spec.id


@dataclass(slots=True)
class Plan:
    """Every rule that is not retired, compiled together."""

    rules: tuple[CompiledRule, ...]
    layouts: Layouts
    runtime: Runtime
    projections: Mapping[str, Project] = field(default_factory=dict)
    broadcast: frozenset[str] = frozenset()
    _by_present: dict[int, tuple[CompiledRule, ...]] = field(default_factory=dict)

    def project(self, event: Event) -> Fact | None:
        """The fact of an event, None when no rule needs it."""
        project = self.projections.get(event.type)
        if project is None:
            return None
        return project(event.time, event.source, event.id, event.observed_at, event.data)

    def attribute_projections(self) -> Mapping[str, Project]:
        """Projections for data that comes as objects with attributes `d_<field>` (see `engine/replay.py`)."""
        namespace = self.runtime.namespace()
        return {
            name: build_projection(layout, namespace, attributes=True) for name, layout in self.layouts.by_type.items()
        }

    def candidates(self, present: int) -> tuple[CompiledRule, ...]:
        """The rules that could hold for a customer whose facts carry these bits."""
        found = self._by_present.get(present)
        if found is None:
            found = self._by_present[present] = tuple(
                rule for rule in self.rules if all(present & bits for bits in rule.needs)
            )
        return found


def compile_rules(specs: Iterable[RuleSpec], *, display: bool = False) -> Plan:
    """Compile rules together; retired ones are left out.

    Takes: `display` True to keep, beside what is judged, the fields that an alert shows, and every event of a type that
           some rule names, so that near misses can be explained and identities are known
    """
    live = [spec for spec in specs if spec.status is not RuleStatus.RETIRED]
    calendars = {name: hours for spec in live if spec.shared for name, hours in spec.shared.calendars.items()}
    runtime = Runtime(calendars)
    layouts = Layouts(keep_data=display)
    rules = tuple(_RuleCompiler(spec, number, layouts, runtime).compile(display) for number, spec in enumerate(live))
    if display:
        for event_type in list(layouts.by_type):
            layouts.selector(event_type, None)
    namespace = runtime.namespace()
    projections = {
        name: build_projection(layout, namespace, keep_data=display) for name, layout in layouts.by_type.items()
    }
    broadcast = frozenset(name for name in layouts.by_type if TYPES[name].broadcast)
    return Plan(rules, layouts, runtime, projections, broadcast)


def revision_of(spec: RuleSpec) -> str:
    """The revision of a rule: a digest of its matching parts only (RULES 36)."""
    parts = (spec.id, spec.when, spec.after, spec.while_, spec.given, spec.unless, spec.expect, spec.exceptions)
    meaning = repr(shape(parts))
    calendars = [
        (name, hours.zone, sorted(hours.weekly.items()), sorted(hours.holidays))
        for name, hours in sorted((spec.shared.calendars if spec.shared else {}).items())
        if repr(name) in meaning
    ]
    return hashlib.sha256(repr((meaning, calendars)).encode()).hexdigest()[:12]


class _RuleCompiler:
    """Compiles one rule; holds the rule's step and key numbers while it does."""

    def __init__(self, spec: RuleSpec, number: int, layouts: Layouts, runtime: Runtime) -> None:
        self.spec, self.number, self.layouts = spec, number, layouts
        self.calendars = spec.shared.calendars if spec.shared else {}
        steps: list[Any] = [spec.when, *spec.after, *spec.while_, *spec.given, *spec.unless]
        steps += [spec.expect] if spec.expect else []
        self.names = tuple(step.name for step in steps)
        self.at = {name: place for place, name in enumerate(self.names)}
        self.types = {step.name: _types(step) for step in steps}
        self.keys = tuple(dict.fromkeys(key for step in steps[1:] for match in _tying(step) for key in match.same))
        self.namespace = runtime.namespace()

    def compile(self, display: bool) -> CompiledRule:
        spec = self.spec
        positives: list[Any] = [*spec.after, *spec.while_, *spec.given]
        named = {key for step in positives for match in _tying(step) for key in match.same}
        after = [self._after(step) for step in spec.after]
        states = tuple(self._state(step) for step in spec.while_)
        given = tuple(self._given(step) for step in spec.given)
        act = self._event_step(spec.when.name, [self._act_take(match) for match in spec.when.matches])
        unless_events = tuple(self._unless(step) for step in spec.unless if isinstance(step, UnlessEvent))
        unless_states = tuple(self._state(step) for step in spec.unless if isinstance(step, State))
        expect = self._expect(spec.expect) if spec.expect else None
        local = [step for step in given if not any(step.broadcast)]
        needs = (
            act.bits,
            *(step.bits for step in after),
            *(_bits(step.opened) for step in states),
            *(step.bits for step in local),
        )
        counting_seen = [step.counting for step in after]
        self._mark_alone(after, [*unless_events, *([expect.step] if expect else [])])
        if display:
            self._show()
        return CompiledRule(
            spec=spec,
            revision=revision_of(spec),
            number=self.number,
            act=act,
            names=self.names,
            keys=self.keys,
            positive=tuple(place for place, key in enumerate(self.keys) if key in named),
            singles=tuple(step for step in after if not step.counting),
            counting=tuple(step for step in after if step.counting),
            states=states,
            given=given,
            unless_events=unless_events,
            unless_states=unless_states,
            exceptions=tuple(
                (entry.name, self._free(entry.where, value=False), entry.until) for entry in spec.exceptions
            ),
            expect=expect,
            needs=needs,
            evidence=tuple(self.at[step.name] for step in positives),
            all_bits=_bits_of(act, *after, *states, *given, *unless_events, *unless_states)
            | (expect.step.bits if expect else 0),
            before_bits=_bits_of(*after, *states, *given, *unless_events, *unless_states),
            unless_bits=_bits_of(*unless_events, *unless_states),
            can_be_cancelled=bool(unless_events or unless_states or spec.exceptions),
            afters=tuple(after),
            counts_first=True in counting_seen and False in counting_seen[counting_seen.index(True) :],
        )

    def _mark_alone(self, after: Sequence[EventStep], others: Sequence[EventStep]) -> None:
        named = {step for one in conditions(self.spec) for step, _ in references(one.expression)}
        named |= {step.since for step in (*self.spec.after, *self.spec.unless) if not isinstance(step, State)}
        for step in after:
            types = {take.type for take in step.takes}
            rivals = {take.type for other in (*after, *others) if other is not step for take in other.takes}
            step.is_alone = not step.counting and step.name not in named and not types & rivals

    def _act_take(self, match: Match) -> Take:
        """The act's keys: its own path where `same` gives one, else the key's name, for every key of the rule."""
        local, crossing = self._split(match.where)
        layout = self.layouts.of(match.event)
        bit = self.layouts.selector(match.event, local)
        keys = tuple(
            (place, layout.slot("key", _path(match.same.get(key, key)))) for place, key in enumerate(self.keys)
        )
        where = None if crossing is None else self._predicate(crossing, {match.event}, self.spec.when.name)
        return Take(bit, match.event, keys, (), where)

    def _take(self, match: Match, own: str, pair: Mapping[str, str] | None = None) -> Take:
        """A match of another step; what of its condition needs no other step becomes its bit."""
        local, crossing = self._split(match.where)
        bit = self.layouts.selector(match.event, local)
        layout = self.layouts.of(match.event)
        keys = (
            tuple(
                (self.keys.index(key), layout.slot("key", _path(path)))
                for key, path in match.same.items()
                if key in self.keys
            )
            if pair is None
            else ()
        )
        pairs = tuple(
            layout.slot("key", _path(match.same.get(key, path) if pair is not None else path))
            for key, path in (pair or {}).items()
        )
        where = None if crossing is None else self._predicate(crossing, {match.event}, own)
        return Take(bit, match.event, keys, pairs, where)

    def _split(self, where: Expression | None) -> tuple[Expression | None, Expression | None]:
        parts = conjuncts(where)
        crossing = [part for part in parts if any(_crosses(step, path) for step, path in references(part))]
        if any(path == ("observed_at",) for part in parts for _, path in references(part)):
            self.layouts.reads_observed = True
        local = [part for part in parts if all(part is not other for other in crossing)]
        return conjunction(local), conjunction(crossing)

    def _predicate(self, expression: Expression, own_types: set[str], name: str, *, value: bool = False) -> Predicate:
        """A generated function (own fact, environment) -> truth, or the value itself."""

        def read(ref: FieldRef) -> ast.expr:
            if ref.path == ("customer",):
                return _item(_load("env"), len(self.names))
            if ref.step is None:
                return self._read(_load("f"), own_types, ref)
            return self._read(_item(_load("env"), self.at[ref.step]), self.types[ref.step], ref)

        code = value_code(expression, read) if value else true_code(expression, read)
        return function_of(f"where_{self.number}_{name}", ("f", "env"), [ast.Return(value=code)], self.namespace)

    def _free(self, expression: Expression, *, value: bool) -> Predicate:
        """A predicate without an event of its own: bare names are the act's."""
        return self._predicate(expression, self.types[self.spec.when.name], "free", value=value)

    def _read(self, fact: ast.expr, types: Iterable[str], ref: FieldRef) -> ast.expr:
        """Code that reads a field of a fact which may be of several types."""
        fixed = {"time": TIME, "source": SOURCE, "id": ID, "observed_at": OBSERVED, "type": TYPE}
        if len(ref.path) == 1 and ref.path[0] in fixed:
            return _item(fact, fixed[ref.path[0]])
        code: ast.expr | None = None
        for event_type in sorted(types, reverse=True):
            value = _item(fact, self.layouts.of(event_type).field_slot(ref))
            code = (
                value
                if code is None
                else ast.IfExp(
                    test=ast.Compare(left=_item(fact, TYPE), ops=[ast.Eq()], comparators=[ast.Constant(event_type)]),
                    body=value,
                    orelse=code,
                )
            )
        return code if code is not None else ast.Constant(None)

    def _event_step(self, name: str, takes: Sequence[Take]) -> EventStep:
        return EventStep(name, self.at[name], tuple(takes), _bits(takes))

    def _after(self, step: After) -> EventStep:
        made = self._event_step(step.name, [self._take(match, step.name) for match in step.matches])
        made.reach = self._reach(step.within)
        made.grace = step.grace
        made.since = None if step.since is None else self.at[step.since]
        made.counting = step.is_counting
        made.at_least = 1 if step.at_least is None else step.at_least
        if step.distinct is not None:
            path = _path(step.distinct)
            made.distinct = {match.event: self.layouts.of(match.event).slot("key", path) for match in step.matches}
        return made

    def _unless(self, step: UnlessEvent) -> EventStep:
        made = self._event_step(step.name, [self._take(match, step.name) for match in step.matches])
        made.reach = self._reach(step.within)
        made.since = None if step.since is None else self.at[step.since]
        return made

    def _state(self, step: State) -> StateStep:
        opened = []
        for match in step.opened:
            tied = self._take(match, step.name)
            pair = tuple(self.layouts.of(match.event).slot("key", _path(path)) for path in step.same.values())
            opened.append(Take(tied.bit, tied.type, tied.keys, pair, tied.where))
        closed = tuple(self._take(match, step.name, step.same) for match in step.closed)
        reopened = tuple(self._take(match, step.name, step.same) for match in step.reopened)
        takes = (*opened, *closed, *reopened)
        static = all(take.where is None for take in takes)
        ties = tuple(dict.fromkeys(key for take in opened for key, _ in take.keys))
        parts = (
            tuple((t.bit, t.keys, t.pair) for t in opened),
            tuple((t.bit, t.pair) for t in closed),
            tuple((t.bit, t.pair) for t in reopened),
            step.at_most,
        )
        signature: object = parts if static else (self.number, step.name)
        return StateStep(
            step.name,
            self.at[step.name],
            tuple(opened),
            closed,
            reopened,
            _bits(takes),
            _bits(opened),
            ties,
            static,
            step.grace,
            step.linger,
            step.at_most,
            signature,
        )

    def _given(self, step: Given) -> GivenStep:
        takes = []
        per: dict[str, tuple[int, ...]] = {}
        for match in step.matches:
            layout = self.layouts.of(match.event)
            keys = tuple((self.keys.index(key), layout.slot("key", _path(path))) for key, path in match.same.items())
            where = None if match.where is None else self._predicate(match.where, {match.event}, step.name)
            takes.append(Take(self.layouts.selector(match.event, None), match.event, keys, (), where))
            per[match.event] = tuple(layout.slot("key", _path(path)) for path in step.per.values())
        broadcast = tuple(TYPES[take.type].broadcast for take in takes)
        return GivenStep(
            step.name, self.at[step.name], tuple(takes), broadcast, per, self._reach(step.within), _bits(takes)
        )

    def _expect(self, step: Expect) -> ExpectStep:
        made = self._event_step(step.name, [self._take(match, step.name) for match in step.matches])
        within: Callable[[int], int] | None = None
        if step.within is not None:
            within = self._forward(step.within)
        by = None if step.by is None else self._free(step.by, value=True)
        return ExpectStep(made, within, by, step.early, step.repair)

    def _reach(self, window: Window | None) -> Reach | None:
        if window is None:
            return None
        length, calendar = window.length, window.calendar
        if calendar is None:
            return lambda end: end - length
        hours = self.calendars[calendar]
        return lambda end: subtract_open(hours, end, length)

    def _forward(self, window: Window) -> Callable[[int], int]:
        length, calendar = window.length, window.calendar
        if calendar is None:
            return lambda start: start + length
        hours = self.calendars[calendar]
        return lambda start: add_open(hours, start, length)

    def _show(self) -> None:
        """Keep what alerts show: tool, actor, campaign and other refs, and the fields that `say` and `once_per` name."""
        words = {*SHOWN, *self.spec.alert.once_per}
        for name in self.names:
            asked = words | {path[0] for path in placeholders(self.spec.alert.say or "", name)}
            for event_type in self.types[name]:
                known = TYPES[event_type].fields
                self.layouts.of(event_type).shown.update(dict.fromkeys((SUBJECT, *sorted(asked & known.keys()))))


SUBJECT = "subject"
SHOWN = (
    "tool",
    "channel",
    "kind",
    "status",
    "purpose",
    "due_at",
    "eta",
    "owner_team",
    "identity_confidence",
    "time_basis",
    "identifiers",
    "previous_contact",
    *REFS,
)


def _crosses(step: str | None, path: tuple[str, ...]) -> bool:
    """Whether a condition that reads this needs more than the event's own content.

    `observed_at` is no content: of a duplicate the smallest counts, so it is read when the act is judged.
    """
    return (step is not None and not step.startswith("$")) or path in (("customer",), ("observed_at",))


def placeholders(say: str, name: str) -> set[tuple[str, ...]]:
    """The field paths that a sentence template asks of one step: `{promo.campaign}` gives ("campaign",)."""
    paths = set()
    for piece in say.split("{")[1:]:
        words = piece.split("}", 1)[0].split(".")
        if words[0] == name and len(words) > 1:
            paths.add(tuple(words[1:]))
    return paths


def _types(step: Any) -> set[str]:
    if isinstance(step, State):
        return {match.event for match in (*step.opened, *step.reopened)}
    return {match.event for match in step.matches}


def _tying(step: Any) -> tuple[Match, ...]:
    """The matches of a step whose `same` ties it to the act."""
    matches: tuple[Match, ...] = step.opened if isinstance(step, State) else step.matches
    return matches


def _bits(takes: Iterable[Take]) -> int:
    bits = 0
    for take in takes:
        bits |= take.bit
    return bits


def _bits_of(*steps: EventStep | StateStep | GivenStep) -> int:
    bits = 0
    for step in steps:
        bits |= step.bits
    return bits


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))


def _load(name: str) -> ast.expr:
    return ast.Name(id=name, ctx=ast.Load())


def _item(value: ast.expr, place: int) -> ast.expr:
    return ast.Subscript(value=value, slice=ast.Constant(place), ctx=ast.Load())
