"""Shapes: what a value looks like by itself, whatever its field is called, and how it is shown without giving it away.

What enters: one value of a payload. What leaves: the names of its shapes; a masked text. The next room: `survey`.
"""

import re
from collections.abc import Iterable
from typing import Any

from coordwatch.events.times import parse_time
from coordwatch.sources.timestamps import FORMATS, time_reader

EMAIL, PHONE, UUID, HASH, WORD, ID, JSON = "email", "phone", "uuid", "hash", "word", "id", "json"
TIME_FORMATS = ("iso", "local", "rfc2822", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
_EARLIEST, _LATEST = parse_time("2005-01-01T00:00:00Z"), parse_time("2045-01-01T00:00:00Z")
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_PHONE = re.compile(r"(whatsapp:)?\+[0-9][0-9 ()./-]{6,20}")
_NATIONAL = re.compile(r"\(?[0-9][0-9 ()./-]{6,20}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{64}")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 _.:/-]{0,79}")
_ID = re.compile(r"[^\s]{1,200}")
_DIGITS = re.compile(r"[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9]{2}")
_EPOCHS = (("epoch_s", 9, 10), ("epoch_ms", 12, 13), ("epoch_us", 15, 16), ("epoch_ns", 18, 19))


def shapes_of(value: Any) -> Iterable[str]:
    """The names of all shapes of a value."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int | float):
        yield ID
        yield from _number_times(value)
    elif isinstance(value, str):
        yield from _text_shapes(value.strip())


def _text_shapes(text: str) -> Iterable[str]:
    if not text or len(text) > 2000:
        return
    if text[0] in "{[" and text[-1] in "}]":
        yield JSON
    for name, pattern in ((EMAIL, _EMAIL), (UUID, _UUID), (HASH, _HASH), (WORD, _WORD), (ID, _ID)):
        if pattern.fullmatch(text):
            yield name
    if _PHONE.fullmatch(text):
        yield PHONE
    if _DIGITS.fullmatch(text):
        yield from _number_times(text)
    elif _DATE.match(text):
        if _plausible(FORMATS["iso"](text)):
            yield "iso"
        elif _plausible(time_reader("local", "UTC")(text)):
            yield "local"
    elif "," in text[:5] and _plausible(FORMATS["rfc2822"](text)):
        yield "rfc2822"


def _number_times(value: int | float | str) -> Iterable[str]:
    digits = len(str(value).partition(".")[0])
    for name, least, most in _EPOCHS:
        if least <= digits <= most and _plausible(FORMATS[name](value)):
            yield name


def _plausible(instant: int | None) -> bool:
    return instant is not None and _EARLIEST <= instant < _LATEST


def is_national_phone(value: Any) -> bool:
    """Whether a value may be a telephone number without its country; only the name of its field can say so."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return isinstance(text, str) and bool(_NATIONAL.fullmatch(text.strip()))


def masked(value: Any) -> str:
    """Show a value so that its form can be seen and nobody be recognised: words and times stay, the rest is shortened."""
    text = str(value).strip()
    shapes = set(shapes_of(value))
    if EMAIL in shapes:
        name, _, domain = text.partition("@")
        return f"{name[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}"
    if shapes & set(TIME_FORMATS):
        return text[:40]
    if isinstance(value, bool) or value is None:
        return text.lower()
    kept = 0 if len(text) < 4 else 3 if len(text) > 8 else 1
    return f"{text[:kept]}***" + (f" ({len(text)} characters)" if len(text) > 12 else "")
