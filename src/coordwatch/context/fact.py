"""A fact: an event projected to the fields that some rule needs, as a tuple, ordered by (time, source, id).

Facts are plain tuples because a journal holds millions of them: the six places below, then the projected fields at
the places their type's layout gives them (see `rules/compile.py`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

Fact = tuple[Any, ...]

TIME = 0
SOURCE = 1
ID = 2
OBSERVED = 3
TYPE = 4
MASK = 5
SLOTS = 6

_TRUE, _FALSE = ("true",), ("false",)


def identity(fact: Fact) -> tuple[str, str]:
    """The identity of the event a fact came from."""
    return fact[SOURCE], fact[ID]


def order(fact: Fact) -> tuple[int, str, str]:
    """The place of a fact in a journal."""
    return fact[TIME], fact[SOURCE], fact[ID]


def key_values(value: Any) -> Any:
    """A field's values as a key: one value as itself, several as a tuple, none as None (RULES 11, 12).

    Numbers are equal by value, a boolean never equals a number, text never equals a number, objects are no value.
    """
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is bool:
        return _TRUE if value else _FALSE
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple)):
        values = tuple(dict.fromkeys(_flatten(value)))
        if not values:
            return None
        return Several(values) if len(values) > 1 else values[0]
    return None


class Several(tuple[Any, ...]):
    """More than one key value, told apart from the tuples that stand for booleans."""

    __slots__ = ()


def _flatten(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        found = key_values(value)
        if found is None:
            continue
        if found.__class__ is Several:
            yield from found
        else:
            yield found


def each_value(values: Any) -> Sequence[Any]:
    """The single values of what `key_values` gave."""
    if values is None:
        return ()
    return values if values.__class__ is Several else (values,)


def has_value(values: Any, wanted: Any) -> bool:
    """Whether a single key value is among the values of a field."""
    return values == wanted or (values.__class__ is Several and wanted in values)


def share_value(left: Any, right: Any) -> bool:
    """Whether two fields have a key value in common."""
    if left is None or right is None:
        return False
    if left.__class__ is Several:
        return any(has_value(right, value) for value in left)
    return has_value(right, left)
