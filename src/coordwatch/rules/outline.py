"""The parts of a rule in file order: a rule in, its steps, events and conditions out, one by one.

`lint`, `sentence` and `examples` walk rules with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import EventType
from coordwatch.rules.expression import Expression
from coordwatch.rules.spec import Act, After, Expect, Given, Match, RuleSpec, State, Step, UnlessEvent


@dataclass(frozen=True, slots=True)
class Condition:
    """One expression of a rule, the types whose fields its bare names are, and the step it belongs to."""

    expression: Expression
    own: tuple[EventType, ...]
    step: str
    is_condition: bool = True


def positive_steps(spec: RuleSpec) -> tuple[Step, ...]:
    """The steps that give evidence, in file order: after, while, given."""
    return (*spec.after, *spec.while_, *spec.given)


def all_steps(spec: RuleSpec) -> tuple[Step, ...]:
    """Every step in file order, the act first."""
    expected = (spec.expect,) if spec.expect is not None else ()
    return (spec.when, *positive_steps(spec), *spec.unless, *expected)


def matches_of(step: Step) -> tuple[Match, ...]:
    """Every event that a step takes, for a state those that open, close and re-open it."""
    if isinstance(step, State):
        return (*step.opened, *step.reopened, *step.closed)
    return step.matches


def named_matches(step: Step) -> tuple[Match, ...]:
    """The events whose fields the step's name stands for: for a state those that may begin an episode."""
    return (*step.opened, *step.reopened) if isinstance(step, State) else step.matches


def types_of(step: Step) -> tuple[EventType, ...]:
    """The event types whose fields the step's name stands for."""
    return tuple(TYPES[name] for name in dict.fromkeys(match.event for match in named_matches(step)))


def section_of(spec: RuleSpec, step: Step) -> str:
    """The word under which a step is written."""
    if isinstance(step, State):
        return "while" if any(step is state for state in spec.while_) else "unless"
    if isinstance(step, Act):
        return "when"
    if isinstance(step, After):
        return "after"
    if isinstance(step, Given):
        return "given"
    return "unless" if isinstance(step, UnlessEvent) else "expect"


def conditions(spec: RuleSpec) -> Iterator[Condition]:
    """Every expression of a rule in file order; `by` is a time, the others are conditions."""
    for step in all_steps(spec):
        for match in matches_of(step):
            if match.where is not None:
                yield Condition(match.where, (TYPES[match.event],), step.name)
        if isinstance(step, Expect) and step.by is not None:
            yield Condition(step.by, types_of(spec.when), step.name, is_condition=False)
    for exception in spec.exceptions:
        yield Condition(exception.where, types_of(spec.when), exception.name)
