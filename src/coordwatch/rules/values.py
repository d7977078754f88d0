"""Values of events under Kleene logic: one or two values in, what is true of them or None for unknown out.

What enters: plain JSON values. What leaves: answers that count nothing and need nothing else.
The next room: `runtime`, which adds the operations that count.
"""

from typing import Any

from coordwatch.events.times import parse_time

_TIME_TEXT_MAX = 64
NUMBERS: frozenset[Any] = frozenset((int, float))
SEQUENCES: frozenset[Any] = frozenset((list, tuple))


def equal(left: Any, right: Any) -> bool | None:
    """Whether two values are equal; other kinds are not equal, numbers are compared by value, `true` is not 1."""
    if left is None or right is None:
        return None
    return same_value(left, right)


def same_value(left: Any, right: Any) -> bool:
    """Whether two values, also inside lists and objects, are one value."""
    kind, other = left.__class__, right.__class__
    if kind is other:
        if kind is list or kind is tuple:
            return len(left) == len(right) and all(map(same_value, left, right))
        if kind is dict:
            return left.keys() == right.keys() and all(same_value(value, right[key]) for key, value in left.items())
        return bool(left == right)
    if kind in NUMBERS and other in NUMBERS:
        return bool(left == right)
    if kind in SEQUENCES and other in SEQUENCES:
        return len(left) == len(right) and all(map(same_value, left, right))
    return False


def known(left: Any, right: Any) -> bool | None:
    """False when both values are known, else unknown: equality of kinds that are never equal."""
    return None if left is None or right is None else False


def negated(value: Any) -> bool | None:
    """Kleene not."""
    return not value if value is True or value is False else None


def both(left: Any, right: Any) -> bool | None:
    """Kleene and."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else None


def either(left: Any, right: Any) -> bool | None:
    """Kleene or."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else None


def dig(value: Any, path: tuple[str, ...]) -> Any:
    """Follow a path into an element of a list; None when it leads nowhere."""
    for name in path:
        if value.__class__ is not dict:
            return None
        value = value.get(name)
    return value


def as_time(value: Any) -> int | None:
    """The instant of a text; None when it is none."""
    if value.__class__ is str and len(value) <= _TIME_TEXT_MAX:
        try:
            return parse_time(value)
        except ValueError:
            return None
    return None
