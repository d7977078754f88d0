"""What generated code calls: values of one event in, a value or None for unknown out.

Kleene logic throughout: an unknown operand makes an unknown result. A value of the wrong kind is unknown and counted in
`mismatches` (RULES 21 and 22). Times and durations are whole microseconds here; `compile_expression` keeps them apart.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from coordwatch.events.times import TIME_MAX, TIME_MIN
from coordwatch.rules.calendars import add_business_days, add_open, local_datetime, zone_named
from coordwatch.rules.patterns import compile_pattern
from coordwatch.rules.spec import Calendar
from coordwatch.rules.values import (
    NUMBERS,
    SEQUENCES,
    as_time,
    both,
    dig,
    either,
    equal,
    known,
    negated,
    same_value,
)

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_TEXT_MAX = 1_000_000


class Runtime:
    """The operations that count, and the calendars they need. `mismatches` only grows; read it before and after."""

    def __init__(self, calendars: Mapping[str, Calendar] | None = None) -> None:
        self.mismatches = 0
        self._calendars = dict(calendars or {})
        self._patterns: dict[str, Any] = {}

    def namespace(self) -> dict[str, Callable[..., Any]]:
        """The names that generated code uses, for `build_function`."""
        return {
            "_equal": equal, "_known": known, "_not": negated, "_both": both, "_either": either, "_dig": dig,
            "_as_time": as_time, "_less": self.less, "_less_or_equal": self.less_or_equal, "_in": self.inside,
            "_in_words": self.inside_words, "_in_other": self.inside_other, "_add": self.add, "_sub": self.subtract,
            "_mul": self.multiply, "_div": self.divide, "_mod": self.remainder, "_negative": self.negative,
            "_shift": self.shift, "_mismatch": self.mismatch, "_size": self.size, "_starts": self.starts_with,
            "_ends": self.ends_with, "_contains": self.contains, "_matches": self.matches, "_hours": self.hours,
            "_minutes": self.minutes, "_weekday": self.weekday, "_add_open": self.add_open,
            "_add_days": self.add_days, "_exists": self.exists, "_all": self.every,
        }  # fmt: skip

    def mismatch(self, *values: Any) -> None:
        """Count an operation on the wrong kind, unless something is missing: that is unknown, not wrong."""
        if None not in values:
            self.mismatches += 1

    # ---- order

    def less(self, left: Any, right: Any) -> bool | None:
        kind, other = left.__class__, right.__class__
        if (kind in NUMBERS and other in NUMBERS) or (kind is str and other is str):
            return bool(left < right)
        self.mismatch(left, right)
        return None

    def less_or_equal(self, left: Any, right: Any) -> bool | None:
        kind, other = left.__class__, right.__class__
        if (kind in NUMBERS and other in NUMBERS) or (kind is str and other is str):
            return bool(left <= right)
        self.mismatch(left, right)
        return None

    # ---- membership

    def inside(self, value: Any, items: Any) -> bool | None:
        if value is None or items is None:
            return None
        if items.__class__ not in SEQUENCES:
            self.mismatch(value, items)
            return None
        unknown = False
        for item in items:
            if item is None:
                unknown = True
            elif same_value(value, item):
                return True
        return None if unknown else False

    def inside_words(self, value: Any, words: frozenset[str]) -> bool | None:
        if value.__class__ is str:
            return value in words
        return None if value is None else False

    def inside_other(self, value: Any, items: Any) -> bool | None:
        """Membership in a list of another kind: never true."""
        if value is None or items is None:
            return None
        if items.__class__ not in SEQUENCES:
            self.mismatch(value, items)
            return None
        return None if any(item is None for item in items) else False

    # ---- arithmetic

    def add(self, left: Any, right: Any) -> Any:
        if left.__class__ is str and right.__class__ is str:
            return left + right if len(left) + len(right) <= _TEXT_MAX else None
        return self._number(left, right, lambda: left + right)

    def subtract(self, left: Any, right: Any) -> Any:
        return self._number(left, right, lambda: left - right)

    def multiply(self, left: Any, right: Any) -> Any:
        return self._number(left, right, lambda: left * right)

    def divide(self, left: Any, right: Any, whole: bool) -> Any:
        """Division; of two whole numbers towards zero, unless a field is declared to be any number."""
        return self._number(left, right, lambda: _quotient(left, right, whole))

    def remainder(self, left: Any, right: Any, whole: bool) -> Any:
        return self._number(left, right, lambda: _remainder(left, right, whole))

    def negative(self, value: Any) -> Any:
        return self._number(value, 0, lambda: -value)

    def _number(self, left: Any, right: Any, result: Callable[[], Any]) -> Any:
        if left.__class__ not in NUMBERS or right.__class__ not in NUMBERS:
            self.mismatch(left, right)
            return None
        try:
            value = result()
        except (OverflowError, ZeroDivisionError, ValueError):
            return None
        if value.__class__ is int:
            return value if _INT_MIN <= value <= _INT_MAX else None
        return value if math.isfinite(value) else None

    def shift(self, left: int | None, right: int | None) -> int | None:
        """A time moved by a duration; None beyond the years 1 to 9999."""
        if left is None or right is None:
            return None
        moved = left + right
        return moved if TIME_MIN <= moved <= TIME_MAX else None

    # ---- functions

    def size(self, value: Any) -> int | None:
        if value.__class__ in (str, list, tuple, dict):
            return len(value)
        self.mismatch(value)
        return None

    def starts_with(self, value: Any, other: Any) -> bool | None:
        if value.__class__ is str and other.__class__ is str:
            return bool(value.startswith(other))
        self.mismatch(value, other)
        return None

    def ends_with(self, value: Any, other: Any) -> bool | None:
        if value.__class__ is str and other.__class__ is str:
            return bool(value.endswith(other))
        self.mismatch(value, other)
        return None

    def contains(self, value: Any, other: Any) -> bool | None:
        if value.__class__ is str and other.__class__ is str:
            return bool(other in value)
        self.mismatch(value, other)
        return None

    def matches(self, value: Any, pattern: str) -> bool | None:
        if value.__class__ is not str:
            self.mismatch(value)
            return None
        compiled = self._patterns.get(pattern)
        if compiled is None:
            compiled = self._patterns[pattern] = compile_pattern(pattern)
        try:
            return compiled.search(value) is not None
        except UnicodeEncodeError:
            return None

    def hours(self, instant: int | None, zone: Any = "UTC") -> int | None:
        local = self._local(instant, zone)
        return None if local is None else local.hour

    def minutes(self, instant: int | None, zone: Any = "UTC") -> int | None:
        local = self._local(instant, zone)
        return None if local is None else local.minute

    def weekday(self, instant: int | None, zone: Any = "UTC") -> int | None:
        """The day of the week; Sunday is 0."""
        local = self._local(instant, zone)
        return None if local is None else local.isoweekday() % 7

    def _local(self, instant: int | None, zone: Any) -> Any:
        if instant is None or zone is None:
            return None
        if zone.__class__ is not str:
            self.mismatch(zone)
            return None
        found = zone_named(zone)
        return None if found is None else local_datetime(instant, found)

    def add_open(self, instant: int | None, length: int | None, calendar: str) -> int | None:
        if instant is None or length is None or length < 0:
            return None
        end = add_open(self._calendars[calendar], instant, length)
        return None if end == TIME_MAX else end

    def add_days(self, instant: int | None, count: Any, calendar: str) -> int | None:
        if instant is None or count is None:
            return None
        if count.__class__ not in NUMBERS:
            self.mismatch(count)
            return None
        if count != int(count):
            return None
        end = add_business_days(self._calendars[calendar], instant, int(count))
        return None if end in (TIME_MAX, TIME_MIN) else end

    # ---- quantifiers

    def exists(self, items: Any, condition: Callable[[Any], Any]) -> bool | None:
        """Kleene or over the elements."""
        if items.__class__ not in SEQUENCES:
            self.mismatch(items)
            return None
        answer: bool | None = False
        for item in items:
            held = condition(item)
            if held is True:
                return True
            if held is not False:
                answer = None
        return answer

    def every(self, items: Any, condition: Callable[[Any], Any]) -> bool | None:
        """Kleene and over the elements."""
        if items.__class__ not in SEQUENCES:
            self.mismatch(items)
            return None
        answer: bool | None = True
        for item in items:
            held = condition(item)
            if held is False:
                return False
            if held is not True:
                answer = None
        return answer


def _quotient(left: Any, right: Any, whole: bool) -> Any:
    if whole and left.__class__ is int and right.__class__ is int:
        size = abs(left) // abs(right)
        return size if (left < 0) == (right < 0) else -size
    return left / right


def _remainder(left: Any, right: Any, whole: bool) -> Any:
    if whole and left.__class__ is int and right.__class__ is int:
        size = abs(left) % abs(right)
        return -size if left < 0 else size
    return math.fmod(left, right)
