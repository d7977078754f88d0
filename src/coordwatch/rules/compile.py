"""Compile: RuleSpecs in, a Plan out: the same rules as places in facts, bits, and generated predicates.

The next room: `rules/evaluate.py` judges with the plan.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from coordwatch.events.taxonomy import TYPES
from coordwatch.rules.calendars import add_open, subtract_open
from coordwatch.rules.conditions import Conditions
from coordwatch.rules.expression import Expression
from coordwatch.rules.layout import Layouts
from coordwatch.rules.outline import conditions
from coordwatch.rules.plan import (
    CompiledRule,
    EventStep,
    ExpectStep,
    GivenStep,
    Plan,
    Reach,
    StateStep,
    Take,
    bits,
)
from coordwatch.rules.projection import build_projection
from coordwatch.rules.references import references
from coordwatch.rules.revision import revision_of
from coordwatch.rules.runtime import Runtime
from coordwatch.rules.shown import show
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
        name: build_projection(layout, namespace, "mapping", keep_data=display) for name, layout in layouts.by_type.items()
    }
    broadcast = frozenset(name for name in layouts.by_type if TYPES[name].broadcast)
    return Plan(rules, layouts, runtime, projections, broadcast)


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
        self.conditions = Conditions(number, self.names, self.types, layouts, runtime.namespace())

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
        self._mark_alone(after, [*unless_events, *([expect.step] if expect else [])])
        if display:
            show(self.spec, self.types, self.layouts)
        return CompiledRule(
            spec=spec,
            revision=revision_of(spec),
            number=self.number,
            act=act,
            names=self.names,
            keys=self.keys,
            positive=tuple(place for place, key in enumerate(self.keys) if key in named),
            evidence=tuple(self.at[step.name] for step in positives),
            afters=tuple(after),
            states=states,
            given=given,
            unless_events=unless_events,
            unless_states=unless_states,
            exceptions=tuple(
                (entry.name, self.conditions.free(entry.where, value=False), entry.until) for entry in spec.exceptions
            ),
            expect=expect,
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
        local, crossing = self.conditions.split(match.where)
        layout = self.layouts.of(match.event)
        bit = self.layouts.selector(match.event, local)
        keys = tuple(
            (place, layout.slot("key", _path(match.same.get(key, key)))) for place, key in enumerate(self.keys)
        )
        where = None if crossing is None else self.conditions.predicate(crossing, {match.event}, self.spec.when.name)
        return Take(bit, match.event, keys, (), where)

    def _take(self, match: Match, own: str, pair: Mapping[str, str] | None = None) -> Take:
        """A match of another step; what of its condition needs no other step becomes its bit."""
        local, crossing = self.conditions.split(match.where)
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
        where = None if crossing is None else self.conditions.predicate(crossing, {match.event}, own)
        return Take(bit, match.event, keys, pairs, where, self._reads(crossing, own))

    def _reads(self, where: Expression | None, own: str) -> tuple[int, ...]:
        """The places of the steps, besides the act and the step itself, that a condition reads."""
        steps = {step for step, _ in references(where)} if where is not None else set()
        return tuple(sorted(place for name, place in self.at.items() if place and name in steps and name != own))

    def _event_step(self, name: str, takes: Sequence[Take]) -> EventStep:
        return EventStep(name, self.at[name], tuple(takes), bits(takes))

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
            opened.append(replace(tied, pair=pair))
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
            bits(takes),
            bits(opened),
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
            where = None if match.where is None else self.conditions.predicate(match.where, {match.event}, step.name)
            takes.append(
                Take(
                    self.layouts.selector(match.event, None),
                    match.event,
                    keys,
                    (),
                    where,
                    self._reads(match.where, step.name),
                )
            )
            per[match.event] = tuple(layout.slot("key", _path(path)) for path in step.per.values())
        broadcast = tuple(TYPES[take.type].broadcast for take in takes)
        return GivenStep(
            step.name, self.at[step.name], tuple(takes), broadcast, per, self._reach(step.within), bits(takes)
        )

    def _expect(self, step: Expect) -> ExpectStep:
        made = self._event_step(step.name, [self._take(match, step.name) for match in step.matches])
        within: Callable[[int], int] | None = None
        if step.within is not None:
            within = self._forward(step.within)
        by = None if step.by is None else self.conditions.free(step.by, value=True)
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


def _types(step: Any) -> set[str]:
    if isinstance(step, State):
        return {match.event for match in (*step.opened, *step.reopened)}
    return {match.event for match in step.matches}


def _tying(step: Any) -> tuple[Match, ...]:
    """The matches of a step whose `same` ties it to the act."""
    matches: tuple[Match, ...] = step.opened if isinstance(step, State) else step.matches
    return matches


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split("."))
