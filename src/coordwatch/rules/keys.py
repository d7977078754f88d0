"""Keys: the values that the act and the other steps must share (RULES 11, 12).

An act's key values enter; each choice of one value a key leaves, for `rules/search.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coordwatch.context.fact import Fact, Several, each_value, share_value
from coordwatch.rules.plan import Env, Take


@dataclass(slots=True)
class Bound:
    """The key values of one binding: `act` all values the act has, `one` the single value of each positive key."""

    act: Sequence[object]
    one: Sequence[object]
    positive: tuple[int, ...]


def bounds(act_values: Sequence[object], positive: tuple[int, ...]) -> Iterator[Bound]:
    """Every choice of one value for each key that a positive step names; a key the act lacks stays without value."""
    if not positive:
        yield Bound(act_values, act_values, positive)
        return
    choices: list[list[object]] = [list(act_values)]
    for place in positive:
        values = each_value(act_values[place]) or (None,)
        if len(values) == 1:
            for choice in choices:
                choice[place] = values[0]
        else:
            choices = [[*choice[:place], value, *choice[place + 1 :]] for choice in choices for value in values]
    for choice in choices:
        yield Bound(act_values, choice, positive)


def qualifies(take: Take, fact: Fact, env: Env, bound: Bound) -> bool:
    """Whether a fact that carries the match's bit has the key values, and the condition over other steps is true."""
    for key, slot in take.keys:
        value = fact[slot]
        if value is None:
            return False
        if key in bound.positive:
            wanted = bound.one[key]
            if wanted is None or not (value == wanted or (value.__class__ is Several and wanted in value)):
                return False
        elif not share_value(value, bound.act[key]):
            return False
    return take.where is None or bool(take.where(fact, env))
