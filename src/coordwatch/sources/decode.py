"""Bytes to a decoded body: the one place that looks at a record's raw value.

What enters: a Record. What leaves: plain data, or a refusal that says what the bytes are instead.
The next room: `unwrap`, which peels what lies around the payload.
"""

from typing import Any

from coordwatch.codec import NotJson, decode_json
from coordwatch.sources.record import DropReason, LeftAsideError, MapRejectReason, RefusedError, Stage

# Larger than any batch a vendor posts; a broker takes 1 MB unless told otherwise.
RECORD_MAX = 8_000_000
_BOM = b"\xef\xbb\xbf"
_REGISTRY_HEAD = 5


def decode_value(value: bytes | None) -> Any:
    """Decode the value of a record: JSON, also behind the five bytes that a schema registry's serialiser writes first.

    Raises: LeftAsideError for a tombstone, RefusedError for anything that is not JSON
    """
    if value is None:
        raise LeftAsideError(DropReason.TOMBSTONE)
    if len(value) > RECORD_MAX:
        detail = f"{len(value):,} bytes, the most is {RECORD_MAX:,}"
        raise RefusedError(MapRejectReason.TOO_LARGE, Stage.DECODE, None, detail)
    if value[:1] == b"\0" and len(value) > _REGISTRY_HEAD:
        return _behind_registry_head(value)
    text = value.removeprefix(_BOM)
    if not text.strip():
        raise RefusedError(MapRejectReason.EMPTY, Stage.DECODE, None, "no bytes to read")
    try:
        return decode_json(text)
    except NotJson as error:
        raise RefusedError(MapRejectReason.NOT_JSON, Stage.DECODE, None, str(error)) from None


def _behind_registry_head(value: bytes) -> Any:
    try:
        return decode_json(value[_REGISTRY_HEAD:])
    except NotJson:
        schema = int.from_bytes(value[1:_REGISTRY_HEAD], "big")
        detail = f"Avro or Protobuf under schema {schema} of a registry; publish it as JSON, or as JSON Schema"
        raise RefusedError(MapRejectReason.BINARY_SCHEMA, Stage.DECODE, None, detail) from None
