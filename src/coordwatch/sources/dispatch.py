"""Dispatch: which of many conditions hold, asked in one function, and of most of them not asked at all.

What enters: conditions with what belongs to each, such as the emissions of a mapping. What leaves: a function that gives, for
a Scope whose item is an object, the first thing whose condition holds, or what all of them make. Where several conditions begin with the
word at one place, that word is looked up first: what it rules out, and what it answers, is not asked again.
The next room: `mapper`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from coordwatch.sources.code import Code
from coordwatch.sources.conditions import condition_expression
from coordwatch.sources.mapping import Condition, Junction, Question
from coordwatch.sources.paths import Getter, Path, Scope, path_expression

Thing = TypeVar("Thing")
Case = tuple[Condition | None, Any]
Choose = Callable[[Scope], Any]
Write = Callable[[Sequence[Case]], Choose]
Let = Mapping[str, Getter]
_WORTH_A_LOOK = 3


def first_case(cases: Sequence[tuple[Condition | None, Thing]], let: Let) -> Callable[[Scope], Thing | None]:
    """Make the function that gives the first thing whose condition holds."""
    return _chooser(cases, partial(_first, let), let)


def every_case(
    cases: Sequence[tuple[Condition | None, Callable[[Scope], list[Thing]]]], let: Let
) -> Callable[[Scope], list[Thing]]:
    """Make the function that calls, one after the other, all whose condition holds, and gives what they give."""
    return _chooser(cases, partial(_every, let), let)


def deciding(conditions: Sequence[Condition | None], let: Let) -> tuple[str, Getter] | None:
    """Give the place whose word most of the conditions ask for, and how to look there; None when none asks for a word."""
    asked = Counter(path for condition in conditions for path in _places(condition))
    if not asked:
        return None
    path = asked.most_common(1)[0][0]
    code = Code(item_is_dict=True, let=let)
    # A name of `let` means nothing to whoever looks at a payload.
    return "" if path.root == "let" else path.text, code.getter(path_expression(path, code))


def _places(condition: Condition | None) -> set[Path]:
    """The places at which a condition asks for a word, or for a part of one."""
    if isinstance(condition, Junction):
        return set[Path]().union(*map(_places, condition.conditions)) if condition.kind != "none" else set()
    if condition is None or isinstance(condition.path, str):
        return set()
    wanted = condition.argument if isinstance(condition.argument, tuple) else (condition.argument,)
    return (
        {condition.path} if condition.operator != "present" and all(isinstance(one, str) for one in wanted) else set()
    )


def _first(let: Let, cases: Sequence[Case]) -> Choose:
    code, lines = Code(item_is_dict=True, let=let), list[str]()
    for condition, thing in cases:
        asked = "True" if condition is None else condition_expression(condition, code)
        lines += [f"if {asked}:", f"    return {code.name(thing)}"]
    return code.function([*lines, "return None"])


def _every(let: Let, cases: Sequence[Case]) -> Choose:
    code, lines = Code(item_is_dict=True, let=let), ["found = []"]
    for condition, thing in cases:
        asked = "True" if condition is None else condition_expression(condition, code)
        lines += [f"if {asked}:", f"    found += {code.name(thing)}(scope)"]
    return code.function([*lines, "return found"])


def _chooser(cases: Sequence[Case], write: Write, let: Let) -> Choose:
    questions = [_leading(condition) for condition, _ in cases]
    asked = Counter(one.path for one in questions if one is not None and isinstance(one.path, Path))
    path, times = asked.most_common(1)[0] if asked else (None, 0)
    if path is None or times < _WORTH_A_LOOK:
        return write(cases)
    leading = [one if one is not None and one.path == path else None for one in questions]
    words = {word for one in leading if one is not None for word in _words(one)}
    choosers: dict[str | None, Choose] = {}
    for word in (None, *words):
        choosers[word] = _when_asked_for(word, choosers, _for_word(word, cases, leading), write)
    code = Code(item_is_dict=True, let=let)
    known = code.name(choosers)
    look = f"({known}.get(word) or {known}[None] if type(word) is str else {known}[None])"
    return code.function([f"word = {path_expression(path, code)}", f"return {look}(scope)"])


def _when_asked_for(
    word: str | None,
    choosers: dict[str | None, Choose],
    cases: Sequence[Case],
    write: Write,
) -> Choose:
    """A chooser that is written out when the word comes for the first time; a tool has more words than a site sees."""

    def choose(scope: Scope) -> Any:
        choosers[word] = written = write(cases)
        return written(scope)

    return choose


def _for_word(word: str | None, cases: Sequence[Case], leading: Sequence[Question | None]) -> list[Case]:
    """The cases that may hold when a word stands at the place, without what the word has answered."""
    found: list[Case] = []
    for (condition, thing), question in zip(cases, leading, strict=True):
        if question is None:
            found.append((condition, thing))
        elif word in _words(question):
            found.append((_without(condition, question), thing))
    return found


def _without(condition: Condition | None, answered: Question) -> Condition | None:
    """What is left of a condition of which one part is known to hold; None when nothing is."""
    if not isinstance(condition, Junction) or condition.kind != "all":
        return None if condition is answered else condition
    parts = [left for part in condition.conditions if (left := _without(part, answered)) is not None]
    return replace(condition, conditions=tuple(parts)) if parts else None


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
