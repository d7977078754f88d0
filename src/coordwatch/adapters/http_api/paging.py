"""Cursors of lists that are ordered by a few values: opaque to whoever carries them, checked when they come back.

What enters: the values of the last row, or a cursor from outside. What leaves: the other of the two. The next room: `reading`.
"""

import base64
import binascii
from typing import Any

from coordwatch.adapters.alert_rows import BadQuery
from coordwatch.codec import NotJson, decode_json, encode_json

_INT_END = 2**63


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
    if any(isinstance(one, int) and abs(one) >= _INT_END for one in values):
        raise BadQuery("cursor", "this cursor is not from this list: ask again without one")
    return tuple(values)
