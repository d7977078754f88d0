"""The clauses of a rule, each left out in turn: a rule in, one changed rule for every clause out.

`examples` asks with it which clauses the tests of a rule notice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from coordwatch.errors import Place
from coordwatch.rules.outline import all_steps, conditions, section_of
from coordwatch.rules.references import references
from coordwatch.rules.spec import Act, After, Expect, Given, Match, RuleSpec, State, Step, UnlessEvent

_PHASES = ("matches", "opened", "reopened", "closed")
_KEYS = "same"


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a rule that a test should notice, as it would be named in the file: `while.complaint.linger`."""

    name: str
    place: Place


def without_each(spec: RuleSpec) -> Iterator[tuple[Clause, RuleSpec]]:
    """Every clause of a rule with the rule that lacks it, in file order."""
    used = _used_names(spec)
    for step in all_steps(spec):
        path = f"{section_of(spec, step)}.{step.name}"
        if not isinstance(step, (Act, Expect)) and step.name not in used:
            yield Clause(path, step.place), _with(spec, step, None)
        for name, changed in _weaker(step):
            yield Clause(f"{path}.{name}", step.place), _with(spec, step, changed)
    for number, exception in enumerate(spec.exceptions):
        left = (*spec.exceptions[:number], *spec.exceptions[number + 1 :])
        yield Clause(f"exceptions.{exception.name}", exception.place), replace(spec, exceptions=left)


def _used_names(spec: RuleSpec) -> set[str]:
    """Steps that another part of the rule names: without them it would mean nothing."""
    named = {
        step
        for condition in conditions(spec)
        for step, _ in references(condition.expression)
        if step is not None and step != condition.step
    }
    since = {step.since for step in all_steps(spec) if isinstance(step, (After, UnlessEvent)) and step.since}
    return named | since


def _weaker(step: Step) -> Iterator[tuple[str, Any]]:
    """The step without one of its conditions, keys, or limits."""
    for phase in _PHASES:
        matches: tuple[Match, ...] = getattr(step, phase, ())
        prefix = "" if phase == "matches" else f"{phase}."
        for number, match in enumerate(matches):
            where = f"{prefix}where" if len(matches) == 1 else f"{prefix}any[{number + 1}].where"
            if match.where is not None:
                yield where, _with_matches(step, phase, number, replace(match, where=None))
            if len(matches) > 1:
                left = (*matches[:number], *matches[number + 1 :])
                yield f"{prefix}any[{number + 1}]", replace(step, **{phase: left})  # type: ignore[arg-type]
        if any(match.same for match in matches) and not isinstance(step, Act):
            free = tuple(replace(match, same={}) for match in matches)
            yield f"{prefix}{_KEYS}", replace(step, **{phase: free})  # type: ignore[arg-type]
    yield from _limits(step)


def _limits(step: Step) -> Iterator[tuple[str, Any]]:
    if isinstance(step, State):
        if step.reopened:
            yield "reopened", replace(step, reopened=())
        if step.same:
            yield _KEYS, replace(step, same={})
        if step.linger:
            yield "linger", replace(step, linger=0)
        if step.grace:
            yield "grace", replace(step, grace=0)
    elif isinstance(step, After):
        if step.within is not None:
            yield "within", replace(step, within=None)
        if step.grace:
            yield "grace", replace(step, grace=0)
        if step.since is not None:
            yield "since", replace(step, since=None)
        if step.at_least is not None and step.at_least > 1:
            yield "at_least", replace(step, at_least=step.at_least - 1)
        if step.distinct is not None:
            yield "distinct", replace(step, distinct=None)
    elif isinstance(step, UnlessEvent) and step.since is not None and step.within is not None:
        yield "since", replace(step, since=None)
        yield "within", replace(step, within=None)
    elif isinstance(step, Given) and step.within is not None:
        yield "within", replace(step, within=None)
    elif isinstance(step, Expect) and step.early:
        yield "early", replace(step, early=0)


def _with_matches(step: Step, phase: str, number: int, match: Match) -> Any:
    matches: tuple[Match, ...] = getattr(step, phase)
    return replace(step, **{phase: (*matches[:number], match, *matches[number + 1 :])})  # type: ignore[arg-type]


def _with(spec: RuleSpec, step: Step, changed: Any) -> RuleSpec:
    """The rule with one step changed, or gone when `changed` is None."""
    if isinstance(step, Act):
        return replace(spec, when=changed)
    if isinstance(step, Expect):
        return replace(spec, expect=changed)

    def swapped(steps: tuple[Any, ...]) -> tuple[Any, ...]:
        found = [changed if each is step else each for each in steps]
        return tuple(each for each in found if each is not None)

    return replace(
        spec,
        after=swapped(spec.after),
        while_=swapped(spec.while_),
        given=swapped(spec.given),
        unless=swapped(spec.unless),
    )
