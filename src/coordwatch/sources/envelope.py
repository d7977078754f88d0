"""The envelope: a payload in whatever still lies around it, and what the wrappers that came off said about it.

What enters: a decoded body and the headers of its record. What leaves: an Envelope, and the refusals that every wrapper
words alike. The next room: `unwrap`, which peels.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coordwatch.codec import NotJson, decode_json
from coordwatch.sources.record import Headers, MapRejectReason, RefusedError, Stage


@dataclass(slots=True)
class Envelope:
    """A payload and what its wrappers said about it."""

    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


Options = Mapping[str, Any]
Peel = Callable[[Envelope, Options], bool]


def header_texts(headers: Headers) -> dict[str, str]:
    """Give headers as texts under lower-case names; bytes that are not UTF-8 keep their readable part."""
    pairs: Iterable[tuple[Any, Any]] = headers.items() if isinstance(headers, Mapping) else headers
    return {str(name).lower(): text for name, value in pairs if (text := _header_text(value)) is not None}


def _header_text(value: Any) -> str | None:
    if type(value) is str:
        return value
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool) or value is None:
        return None
    return str(value) if isinstance(value, str | int | float) else None


def broken(path: str, detail: str) -> RefusedError:
    """Give the refusal of a wrapper that is there and cannot be peeled."""
    return RefusedError(MapRejectReason.BAD_WRAPPER, Stage.UNWRAP, path, detail)


def inner_json(text: str, path: str) -> Any:
    """Give what a text inside a wrapper holds. Raises: RefusedError when it is not JSON."""
    try:
        return decode_json(text)
    except NotJson as error:
        raise broken(path, f"holds a text that is not JSON: {error}") from None


def base64_text(text: Any, path: str) -> str:
    """Give what a base64 text holds. Raises: RefusedError when it is none."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, ValueError, TypeError):
        raise broken(path, "is not base64 of UTF-8 text") from None
