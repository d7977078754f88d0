"""Bytes to a decoded body: the one place that looks at a record's raw value.

What enters: a Record, its headers as texts, and perhaps a decoder that knows the schemas of a registry.
What leaves: plain data, or a refusal that says what the bytes are instead.
The next room: `unwrap`, which peels what lies around the payload.
"""

import zlib
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import unquote

from coordwatch.codec import NotJson, decode_json
from coordwatch.sources.record import DropReason, LeftAsideError, MapRejectReason, RefusedError, Stage

# Larger than any batch a vendor posts; a broker takes 1 MB unless told otherwise.
RECORD_MAX = 8_000_000
FORM_FIELDS_MAX = 1000
FORM = "application/x-www-form-urlencoded"
REGISTRY_HEAD = 5
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
# An enriched Snowplow event has 131 columns; nothing else that tools publish has as many tabs.
_TABS = 130


class SchemaDecoder(Protocol):
    """Decodes what a schema registry's serialisers write: a zero byte, four of the schema's id, then the data."""

    def __call__(self, value: bytes) -> Any:
        """Give plain data.

        Raises: RefusedError when these bytes can never be read, TemporaryError while the registry does not answer
        """
        ...


def decode_value(
    value: bytes | None, headers: Mapping[str, str] = {}, decode_schema: SchemaDecoder | None = None
) -> Any:
    """Decode the value of a record: JSON, a form, a line of columns, or what a schema of a registry describes.

    Raises: LeftAsideError for a tombstone, RefusedError for what is none of these, what `decode_schema` raises
    """
    if value is None:
        raise LeftAsideError(DropReason.TOMBSTONE)
    if len(value) > RECORD_MAX:
        raise _too_large(len(value))
    if value[:1] == b"\0" and len(value) > REGISTRY_HEAD:
        return _behind_registry_head(value) if decode_schema is None else decode_schema(value)
    if value[:2] == _GZIP:
        value = _unpacked(value)
    text = value.removeprefix(_BOM)
    if not text.strip():
        raise RefusedError(MapRejectReason.EMPTY, Stage.DECODE, None, "no bytes to read")
    try:
        return decode_json(text)
    except NotJson as error:
        other = _form_or_columns(text, headers)
        if other is None:
            raise RefusedError(MapRejectReason.NOT_JSON, Stage.DECODE, None, str(error)) from None
        return other


def read_form(text: str) -> dict[str, str] | None:
    """Give the fields of a form body, None when there are too many; the last one of a name counts."""
    if text.count("&") >= FORM_FIELDS_MAX:
        return None
    fields: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if value:
            fields[_unquoted(name)] = _unquoted(value)
    return fields


def _unquoted(text: str) -> str:
    """What `urllib` gives, without a step for each sign: a form that holds JSON is half percent signs."""
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    if text.isascii():
        try:
            escaped = text.replace("\\", "\\\\").replace("%", "\\x").encode()
            return escaped.decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        except UnicodeDecodeError:  # a percent sign that stands for itself
            pass
    return unquote(text, errors="replace")


def _form_or_columns(text: bytes, headers: Mapping[str, str]) -> Any:
    form = headers.get("content-type", "").startswith(FORM)
    if not form and text.count(b"\t") < _TABS:
        return None
    try:
        line = text.decode()
    except UnicodeDecodeError:
        return None
    return (read_form(line) or None) if form else line


def _unpacked(value: bytes) -> bytes:
    """What lies in gzip; one that unpacks to more than a record may hold is not unpacked to its end."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(value, RECORD_MAX + 1)
    except zlib.error as error:
        raise RefusedError(MapRejectReason.NOT_JSON, Stage.DECODE, None, f"broken gzip: {error}") from None
    if len(found) > RECORD_MAX:
        raise _too_large(len(found))
    if not unpacking.eof:
        raise RefusedError(MapRejectReason.NOT_JSON, Stage.DECODE, None, "gzip that breaks off")
    return found


def _too_large(size: int) -> RefusedError:
    detail = f"{size:,} bytes, the most is {RECORD_MAX:,}"
    return RefusedError(MapRejectReason.TOO_LARGE, Stage.DECODE, None, detail)


def _behind_registry_head(value: bytes) -> Any:
    """Without a registry, JSON behind the head can still be read: its schema is not needed for that."""
    try:
        return decode_json(value[REGISTRY_HEAD:])
    except NotJson:
        schema = int.from_bytes(value[1:REGISTRY_HEAD], "big")
        detail = (
            f"written under schema {schema} of a schema registry: say where it is under kafka.registry, or publish JSON"
        )
        raise RefusedError(MapRejectReason.BINARY_SCHEMA, Stage.DECODE, None, detail) from None
