"""Loops: values that are made of several others.

What enters: the values, or the functions or lines that make them. What leaves: one value, None for what is missing; nothing here
raises. The next room: `values`, which writes calls of these into its code.
"""

import hashlib
from collections.abc import Sequence
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


def all_of(values: list[Any]) -> Any:
    """Give every one of several values that is there, as one list."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, list):
            found += value
        elif not is_missing(value):
            found.append(value)
    return found or None


def digest_of(values: list[Any]) -> Any:
    """Give a stable name made of several values."""
    if values.count(None) == len(values):
        return None
    try:
        return hashlib.sha256(encode_json(values, sort=True)).hexdigest()[:32]
    except TypeError:  # nested too deep to be written down, so no name for anything
        return Unreadable(values)


def object_of(names: tuple[str, ...], values: list[Any]) -> Any:
    """Give one object made of named values."""
    found = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    return found or None


def each_lines(elements: str, otherwise: str, fields: list[tuple[str, str, str]]) -> list[str]:
    """Write out the loop that gives one object for each element of a list; `each` is the element.

    Takes: `otherwise`, what is given for something else than a list of a length that is read to its end; and of each field
    its name, the expression for `v`, and one for what is put down when that is there
    """
    lines = [
        f"elements = {elements}",
        f"if type(elements) is not list or len(elements) > {EACH_MAX}:",
        f"    return {otherwise}",
        "outer, found = scope.each, []",
        "for each in elements:",
        "    scope.each, one = each, {}",
    ]
    for name, value, put in fields:
        put = "" if put == "v" else f" and (v := {put}) is not None"
        lines += [f"    v = {value}", f"    if v is not None{put}:", f"        one[{name}] = v"]
    return [*lines, "    if one:", "        found.append(one)", "scope.each = outer", "return found or None"]


def no_list(elements: Any) -> Any:
    """Give what stands for elements that are none, or too many."""
    return Unreadable(elements) if isinstance(elements, list) else None


def after_event(length: Getter) -> Getter:
    """Make the function that gives the event's own time, and so much later."""

    def get(scope: Scope) -> Any:
        text = length(scope)
        try:
            return format_time(scope.time + parse_duration(text)) if isinstance(text, str) else None
        except ValueError:
            return Unreadable(text)

    return get
