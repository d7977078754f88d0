"""Lists page by page: what is asked for is checked, and cursors are opaque to whoever carries them.

What enters: words of a question, the values of the last row, or a cursor from outside.
What leaves: checked words; a cursor for the values, or the values in a cursor; BadQuery for what has no meaning.
The next rooms: `sql`, `memory` and `http_api`.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.errors import PermanentError

INT_END = 2**63


class BadQuery(PermanentError):
    """A list was asked for in a way that has no meaning; `field` says which part."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def several(name: str, text: str, choices: Sequence[str]) -> tuple[str, ...]:
    """The words of a filter that takes several, apart by commas. Raises: BadQuery for one that is no choice."""
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    for part in parts:
        if part not in choices:
            raise BadQuery(name, f"no {name} is called '{part[:40]}'; one of: {', '.join(choices)}")
    return parts


def cursor_of(*values: int | str) -> str:
    """The cursor of the page that begins after a row with these values."""
    return base64.urlsafe_b64encode(encode_json(list(values))).decode()


def after_cursor(cursor: str | None, kinds: tuple[type, ...]) -> Any:
    """The values in a cursor; None without one.

    Raises: BadQuery for a cursor of another list
    """
    if not cursor:
        return None
    try:
        values = decode_json(base64.urlsafe_b64decode(cursor.encode("ascii", "replace")))
    except (binascii.Error, NotJson, ValueError):
        values = None
    fits = isinstance(values, list) and len(values) == len(kinds)
    if not fits or not all(type(one) is kind for one, kind in zip(values, kinds, strict=True)):
        raise BadQuery("cursor", "this cursor is not from this list: ask again without one")
    if any(isinstance(one, int) and abs(one) >= INT_END for one in values):
        raise BadQuery("cursor", "this cursor is not from this list: ask again without one")
    return tuple(values)


def after_sorted(cursor: str | None, sort: str, orders: int) -> tuple[Any, ...] | None:
    """The values in a cursor of a list that was sorted so, by this many whole numbers and an id.

    Raises: BadQuery for a cursor of another list, or of this one sorted otherwise
    """
    values = after_cursor(cursor, (str, *[int] * orders, str))
    if values is not None and values[0] != sort:
        raise BadQuery("cursor", "this cursor is not from this list: ask again without one")
    return None if values is None else tuple(values[1:])
