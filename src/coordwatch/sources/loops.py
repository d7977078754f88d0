"""Loops: values that are made of several others, as functions of a Scope.

What enters: the functions of the parts. What leaves: one function that gives None for what is missing and never raises.
The next room: `values`, which writes the call of it into its code.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.events.times import format_time, parse_duration
from coordwatch.sources.changes import Unreadable
from coordwatch.sources.paths import Getter, Scope, is_missing

EACH_MAX = 1000


def first_of(choices: Sequence[Getter]) -> Getter:
    """Make the function that gives the first of many values that is there."""

    def get(scope: Scope) -> Any:
        for choice in choices:
            value = choice(scope)
            if not is_missing(value):
                return value
        return None

    return get


def all_of(parts: list[Getter]) -> Getter:
    """Make the function that gives every one of several values that is there, as one list."""

    def get(scope: Scope) -> Any:
        found: list[Any] = []
        for part in parts:
            value = part(scope)
            if isinstance(value, list):
                found += value
            elif not is_missing(value):
                found.append(value)
        return found or None

    return get


def digest_of(parts: list[Getter]) -> Getter:
    """Make the function that gives a stable name made of several values."""

    def get(scope: Scope) -> Any:
        values = [part(scope) for part in parts]
        if all(value is None for value in values):
            return None
        try:
            return hashlib.sha256(encode_json(values, sort=True)).hexdigest()[:32]
        except TypeError:  # nested too deep to be written down, so no name for anything
            return Unreadable(values)

    return get


def object_of(getters: Mapping[str, Getter]) -> Getter:
    """Make the function that gives one object made of named values."""

    def get(scope: Scope) -> Any:
        found = {name: value for name, getter in getters.items() if (value := getter(scope)) is not None}
        return found or None

    return get


def each_of(find: Getter, make: Getter) -> Getter:
    """Make the function that gives one object for each element of a list; `$each` is the element."""

    def get(scope: Scope) -> Any:
        elements = find(scope)
        if not isinstance(elements, list):
            return None
        if len(elements) > EACH_MAX:
            return Unreadable(elements)
        outer, found = scope.each, []
        for element in elements:
            scope.each = element
            made = make(scope)
            if made is not None:
                found.append(made)
        scope.each = outer
        return found or None

    return get


def after_event(length: Getter) -> Getter:
    """Make the function that gives the event's own time, and so much later."""

    def get(scope: Scope) -> Any:
        text = length(scope)
        try:
            return format_time(scope.time + parse_duration(text)) if isinstance(text, str) else None
        except ValueError:
            return Unreadable(text)

    return get
