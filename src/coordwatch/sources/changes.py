"""Changes: what is done with a value between the payload and the field, in one fixed order.

What enters: the words of a ValueSpec such as `lower`, `map`, `number`, `hash`. What leaves: functions of a value, which
never see what is missing and give `Unreadable` for what they cannot work with. The next room: `values`.
"""

import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.times import format_time
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.code import Code
from coordwatch.sources.lookups import Lookups
from coordwatch.sources.mapping import Plain, ValueSpec
from coordwatch.sources.timestamps import is_placeholder, time_reader

Change = Callable[[Any], Any]
_NIL_UUID = "00000000-0000-0000-0000-000000000000"
_NOTHING = frozenset(
    ("null", "(null)", "<null>", "nil", "none", "undefined", "nan", "n/a", "[object object]", "{}", "[]", _NIL_UUID)
)
_UNSEEN = " \t\r\n\0\u00a0\u200b\u200c\u200d\u2060\ufeff"
NOTHING_BEGINS = frozenset(("", *_UNSEEN, *(each for word in _NOTHING for each in (word[0], word[0].upper()))))
_NOTHING_MAX = max(map(len, _NOTHING))
_DECIMAL = re.compile(r"-?(?:[0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that is there and cannot be read as what it should be; it is refused, where a missing one may be left out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Build:
    """What every value of one mapping is compiled with: its tables, the key for hashes, what it names under `let`.

    And its name, where lookups are counted, what the operator says, and under `named` the functions of what it names so far.
    """

    tables: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)
    key: bytes = b""
    let: Mapping[str, ValueSpec] = field(default_factory=dict)
    named: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    source: str = ""
    lookups: Lookups = field(default_factory=Lookups)
    catalogue: Catalogue = field(default_factory=Catalogue)


def text_of(value: Any) -> str | None:
    """Give a text or a whole number as text; anything else, and an empty text, is no name for anything."""
    if type(value) is str:
        return value.strip() or None
    if type(value) is int:
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return None


def is_nothing(text: str) -> bool:
    """Tell whether a text is how programs write that there is nothing, such as "undefined", or cannot be seen at all."""
    if text[:1] not in NOTHING_BEGINS or len(text) > _NOTHING_MAX:
        return False
    return text.lower() in _NOTHING or (text[:1] in _UNSEEN and not text.strip(_UNSEEN))


def name_of(value: Any) -> str | None:
    """Give a text that names one thing; what stands for nothing names none, and neither does a 0."""
    text = text_of(value)
    if text is None or text[0] not in NOTHING_BEGINS:
        return text
    return None if text == "0" or is_nothing(text) else text


def number_of(value: Any) -> int | float | None:
    """Give a number, also when it is written as a text."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    return None


def changes_of(spec: ValueSpec, build: Build) -> list[Change]:
    """Give the changes of a value, those of each element of a list before those of the whole."""
    return [*_for_elements(spec, build), *_for_whole(spec, build)]


def _for_elements(spec: ValueSpec, build: Build) -> list[Change]:
    changes: list[Change] = []
    if spec.json:
        changes.append(_inner_json)
    if spec.split is not None:
        mark = spec.split
        changes.append(lambda value: value.split(mark)[:1000] if isinstance(value, str) else value)
    changes += [_on_elements(_on_text(change)) for change in _of_texts(spec)]
    changes += [_on_elements(change) for change in _after_texts(spec, build)]
    return changes


def straight_changes(spec: ValueSpec, build: Build) -> list[Change]:
    """Give the changes of a value that is a text, one behind the other, where each takes what the one before it gives.

    Nothing where more than the last of them could give something else than a text.
    """
    last = _after_texts(spec, build)
    if spec.json or spec.split is not None or len(last) > 1 or _for_whole(spec, build):
        return []
    return [*_of_texts(spec), *last]


def straight_expression(text: str, changes: Sequence[Change], code: Code) -> str:
    """Write out the straight way of a text; what every text knows by itself needs no function."""
    for change in changes:
        method = {str.strip: "strip", str.lower: "lower", str.upper: "upper"}.get(change)
        text = f"{text}.{method}()" if method else f"{code.name(change)}({text})"
    return text


def _of_texts(spec: ValueSpec) -> list[Callable[[str], str]]:
    """Give what makes a text of a text."""
    texts: list[Callable[[str], str]] = []
    if spec.strip:
        texts.append(str.strip)
    if spec.remove_prefix is not None:
        prefix = spec.remove_prefix
        texts.append(lambda text: text.removeprefix(prefix))
    if spec.remove_suffix is not None:
        suffix = spec.remove_suffix
        texts.append(lambda text: text.removesuffix(suffix))
    if spec.remove is not None:
        unwanted = str.maketrans("", "", spec.remove)
        texts.append(lambda text: text.translate(unwanted))
    if spec.after_last is not None:
        mark = spec.after_last
        texts.append(lambda text: text.rpartition(mark)[2])
    return texts + [str.lower] * spec.lower + [str.upper] * spec.upper


def _after_texts(spec: ValueSpec, build: Build) -> list[Change]:
    """Give what makes something else of a text."""
    changes: list[Change] = []
    if spec.table is not None:
        changes.append(_through_table(spec.table, build))
    if spec.number:
        changes.append(_to_number)
    if spec.scale is not None:
        changes.append(_scaled(spec.scale))
    if spec.format is not None:
        changes.append(_to_time(spec.format, spec.zone))
    return changes


def _for_whole(spec: ValueSpec, build: Build) -> list[Change]:
    changes: list[Change] = []
    if spec.first:
        changes.append(lambda value: next(iter(value), None) if isinstance(value, list) else value)
    if spec.sum:
        changes.append(_sum)
    if spec.hash:
        changes.append(_hash(build.key))
    return changes


def _inner_json(value: Any) -> Any:
    """Give what a text holds as JSON, and an object or a list as it is; a text that is none tells nothing."""
    if not isinstance(value, str):
        return value if isinstance(value, dict | list) else None
    if value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return decode_json(value)
    except NotJson:
        return None


def _on_text(change: Callable[[str], str]) -> Change:
    return lambda value: change(value) if isinstance(value, str) else value


def _on_elements(change: Change) -> Change:
    def changed(value: Any) -> Any:
        if type(value) is not list:
            return change(value)
        found = [change(element) for element in value]
        return [element for element in found if element is not None] or None

    return changed


def _through_table(named: str | Mapping[str, Plain], build: Build) -> Change:
    """Look a word up; of a table that an operator may extend, it is counted whether the word stood there."""
    said = build.tables.get(named, {}) if isinstance(named, str) else named
    # Words are looked up without the blanks around them: a key that has some, or is nothing else, is never meant.
    table = {key: value for key, value in said.items() if key and key == key.strip()}
    counts = build.lookups.counts(f"{build.source}.{named}") if isinstance(named, str) else [0, 0]

    def look_up(value: Any) -> Any:
        found = table.get(value) if type(value) is str else None
        if found is None:
            key = ("true" if value else "false") if isinstance(value, bool) else text_of(value)
            if key is None:
                return None
            found = table.get(key)
        counts[found is not None] += 1
        return found

    return look_up


def _to_number(value: Any) -> Any:
    number = number_of(value)
    return Unreadable(value) if number is None else number


def _scaled(factor: float) -> Change:
    def scaled(value: Any) -> Any:
        number = number_of(value)
        product = math.inf if number is None else number * factor
        return round(product, 9) if math.isfinite(product) else Unreadable(value)

    return scaled


def _to_time(name: str, zone: str | None) -> Change:
    read = time_reader(name, zone)

    def to_time(value: Any) -> Any:
        if isinstance(value, str) and is_nothing(value):
            return None
        instant = read(value)
        if instant is None:
            return Unreadable(value)
        return None if is_placeholder(instant) else format_time(instant)

    return to_time


def is_written_as_ours(spec: ValueSpec) -> bool:
    """Tell whether a time, where one could be read, is a text as our own events have it."""
    return spec.format is not None and spec.default is None and not (spec.sum or spec.hash)


def _sum(value: Any) -> Any:
    numbers = [number_of(element) for element in value] if isinstance(value, list) else [number_of(value)]
    if None in numbers:
        return Unreadable(value)
    total = sum(number for number in numbers if number is not None)
    # Money in binary fractions: nine digits are more than any currency has.
    return round(total, 9) if math.isfinite(total) else Unreadable(value)


def _hash(key: bytes) -> Change:
    state = hashlib.blake2b(key=key, digest_size=16)

    def digest(value: Any) -> Any:
        own = state.copy()
        try:
            own.update(value.encode() if isinstance(value, str) else encode_json(value, sort=True))
        except TypeError:  # nested too deep to be written down
            return Unreadable(value)
        return own.hexdigest()

    return digest
