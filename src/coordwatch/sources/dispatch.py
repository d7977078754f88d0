"""Dispatch: which of many conditions can hold at all, found by one look at the place that most of them ask about.

What enters: conditions with what belongs to each, such as the emissions of a mapping. What leaves: a function that gives, for
a Scope, those that may hold, in their order. A mapping of thirty emissions then asks one or two of them.
The next room: `mapper`, which asks those.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from coordwatch.sources.conditions import Holds, compile_condition
from coordwatch.sources.mapping import Condition, Junction, Question
from coordwatch.sources.paths import Path, Scope, compile_path

Thing = TypeVar("Thing")
Case = tuple[Holds | None, Thing]
_WORTH_A_LOOK = 3


class Cases(Generic[Thing]):
    """Things under conditions. `possible` gives every case whose condition holds, and few of the others."""

    def __init__(self, cases: Sequence[tuple[Condition | None, Thing]]) -> None:
        self._all: tuple[Case[Thing], ...] = tuple(
            (None if condition is None else compile_condition(condition), thing) for condition, thing in cases
        )
        self.possible: Callable[[Scope], tuple[Case[Thing], ...]] = self._chooser([one for one, _ in cases])

    def _chooser(self, conditions: Sequence[Condition | None]) -> Callable[[Scope], tuple[Case[Thing], ...]]:
        everything = self._all
        questions = [_leading(condition) for condition in conditions]
        asked = Counter(one.path for one in questions if one is not None and isinstance(one.path, Path))
        path, times = asked.most_common(1)[0] if asked else (None, 0)
        if path is None or times < _WORTH_A_LOOK:
            return lambda scope: everything
        get, by_word = compile_path(path), dict[str, tuple[Case[Thing], ...]]()
        words = [_words(one) if one is not None and one.path == path else None for one in questions]
        for word in {each for some in words if some is not None for each in some}:
            by_word[word] = tuple(
                case for case, some in zip(everything, words, strict=True) if some is None or word in some
            )
        others = tuple(case for case, some in zip(everything, words, strict=True) if some is None)

        def possible(scope: Scope) -> tuple[Case[Thing], ...]:
            word = get(scope)
            return by_word.get(word, others) if type(word) is str else others

        return possible


def _leading(condition: Condition | None) -> Question | None:
    """The question without which a condition cannot hold: whether one place holds one of some words."""
    if isinstance(condition, Junction):
        parts = condition.conditions if condition.kind == "all" else ()
        return next((found for part in parts if (found := _leading(part)) is not None), None)
    if condition is None or isinstance(condition.path, str) or None in condition.path.steps:
        return None
    return condition if condition.operator in ("is", "in") and _words(condition) else None


def _words(question: Question) -> frozenset[str]:
    """The words that are asked for; none when any of them is no text."""
    wanted = question.argument if isinstance(question.argument, tuple) else (question.argument,)
    return frozenset(wanted) if all(isinstance(word, str) for word in wanted) else frozenset()
