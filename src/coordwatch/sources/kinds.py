"""Kinds: whatever a payload held, to exactly what the canonical field is declared to be, or a refusal.

What enters: a value from a mapping or from a canonical event that passes through, and the Field of the taxonomy.
What leaves: the value as the field wants it; None for an empty one. The next room: `emit`, which puts it into the event.
"""

from collections.abc import Callable, Mapping
from typing import Any

from coordwatch.events.times import format_time
from coordwatch.events.vocabulary import REFS, Field
from coordwatch.sources.changes import Unreadable, name_of, number_of, text_of
from coordwatch.sources.record import MapRejectReason
from coordwatch.sources.timestamps import is_placeholder, read_iso

Convert = Callable[[Any], Any]
# An identifier or a code is short; what is longer is free text, and free text never enters.
TEXT_MAX = 512
LIST_MAX = 1000
INTEGER_MAX = 2**63 - 1
_WORDS = {"true": True, "false": False}


class KindError(Exception):
    """A value is not what its field wants; `path` leads to it inside the value."""

    def __init__(self, reason: MapRejectReason, detail: str, path: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.path = path

    def inside(self, step: str) -> "KindError":
        """Give the same complaint as seen from one level further out."""
        return KindError(self.reason, self.detail, f"{step}.{self.path}" if self.path else step)


def converter(field: Field) -> Convert:
    """Make the function that turns a value into the field's kind; it raises KindError and nothing else."""
    match field.kind:
        case "string":
            return _word(frozenset(field.values)) if field.values else _string
        case "integer":
            return _integer
        case "number":
            return _number
        case "boolean":
            return _boolean
        case "timestamp":
            return _timestamp
        case "strings":
            return _strings
        case "objects":
            return _objects(field.fields)
        case "object":
            return _object(field.fields)
        case "any":
            return _any


def converter_of(name: str, field: Field) -> Convert:
    """Make the converter of a field by its name: a ref never names what stands for nothing."""
    return _ref if name in REFS else converter(field)


def _wrong(value: Any, wanted: str) -> KindError:
    inner = value.value if isinstance(value, Unreadable) else value
    return KindError(MapRejectReason.WRONG_KIND, f"wants {wanted}, holds {describe(inner)}")


def joined(path: str | None, inner: str) -> str | None:
    """Give the path of a thing inside a value."""
    return f"{path}.{inner}" if path and inner else path or inner or None


def describe(value: Any) -> str:
    """Give a short word for a value that is safe to print: its kind, and the value itself when it is small."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)[:40]
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else f"a text of {len(value)} characters"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else f"a value of type {type(value).__name__}"


def _string(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else text_of(value)
    if text is None:
        raise _wrong(value, "a text")
    if len(text) > TEXT_MAX:
        raise KindError(MapRejectReason.TOO_LONG, f"longer than {TEXT_MAX} characters; free text is never taken over")
    return text or None


def _word(values: frozenset[str]) -> Convert:
    def convert(value: Any) -> str | None:
        if isinstance(value, str) and value in values:
            return value
        if value == "":
            return None
        if isinstance(value, str):
            listed = ", ".join(sorted(values)[:12])
            raise KindError(MapRejectReason.UNKNOWN_VALUE, f"holds {describe(value)}, which is none of: {listed}")
        raise _wrong(value, "a word")

    return convert


def _integer(value: Any) -> int | None:
    if value == "":
        return None
    number = number_of(value)
    if number is None or number != int(number) or abs(number) > INTEGER_MAX:
        raise _wrong(value, "a whole number")
    return int(number)


def _number(value: Any) -> int | float | None:
    if value == "":
        return None
    number = number_of(value)
    if number is None:
        raise _wrong(value, "a number")
    return number


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if value == "":
        return None
    raise _wrong(value, "true or false")


def _timestamp(value: Any) -> str | None:
    if value == "":
        return None
    instant = read_iso(value)
    if instant is None:
        raise _wrong(value, "a time with a zone")
    if is_placeholder(instant):
        return None
    # A time to the second in UTC, as most tools write it, is written as we would.
    return value if len(value) == 20 and value[-1] == "Z" and value[10] == "T" else format_time(instant)


def _strings(value: Any) -> str | list[str] | None:
    if not isinstance(value, list):
        return _string(value)
    if len(value) > LIST_MAX:
        raise KindError(MapRejectReason.TOO_MANY, f"more than {LIST_MAX} values")
    texts: dict[str, None] = {}
    for number, element in enumerate(value):
        try:
            text = None if element is None else _string(element)
        except KindError as error:
            raise error.inside(f"[{number}]") from None
        if text:
            texts[text] = None
    found = list(texts)
    return found[0] if len(found) == 1 else found or None


def _ref(value: Any) -> str | list[str] | None:
    found = _strings(value)
    if isinstance(found, list):
        names = [text for text in found if name_of(text) is not None]
        return names[0] if len(names) == 1 else names or None
    return found if name_of(found) is not None else None


def _object(fields: Mapping[str, Field]) -> Convert:
    converters = [(name, converter(field)) for name, field in fields.items()]

    def convert(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, Mapping):
            raise _wrong(value, "an object")
        kept: dict[str, Any] = {}
        for name, change in converters:
            inner = value.get(name)
            if inner is None:
                continue
            try:
                changed = change(inner)
            except KindError as error:
                raise error.inside(name) from None
            if changed is not None:
                kept[name] = changed
        return kept or None

    return convert


def _objects(fields: Mapping[str, Field]) -> Convert:
    one = _object(fields)

    def convert(value: Any) -> list[dict[str, Any]] | None:
        elements = value if isinstance(value, list) else [value]
        if len(elements) > LIST_MAX:
            raise KindError(MapRejectReason.TOO_MANY, f"more than {LIST_MAX} values")
        kept: list[dict[str, Any]] = []
        for number, element in enumerate(elements):
            try:
                changed = one(element)
            except KindError as error:
                raise error.inside(f"[{number}]") from None
            if changed is not None:
                kept.append(changed)
        return kept or None

    return convert


def _any(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _string(value)
    number = number_of(value)
    if number is None:
        raise _wrong(value, "a text, a number or a boolean")
    return number
