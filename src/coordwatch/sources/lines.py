"""Record lines: one record of a log written as one line of JSON, the way a recorded stream is kept in a file.

What enters: a line such as `{"topic": "shop", "timestamp": "2026-06-01T06:00:03Z", "headers": {}, "value": {}}`.
What leaves: the Record it stands for, or nothing when the line is a bare payload. The next room: `mapper`.
"""

from collections.abc import Mapping
from typing import Any

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.sources.record import Record
from coordwatch.sources.timestamps import FORMATS, read_iso

_KEYS = frozenset(("topic", "value", "timestamp", "headers", "key", "partition", "offset"))


def record_of_line(line: bytes) -> Record | None:
    """Read a record line; None when the line is something else, which is then a payload by itself.

    A `value` that is a text is taken as it is, null is a tombstone, anything else as the JSON it is. `timestamp` is
    RFC 3339, or a number of milliseconds as Kafka counts.
    """
    if b'"value"' not in line:
        return None
    try:
        row = decode_json(line)
    except NotJson:
        return None
    if not isinstance(row, dict) or not {"topic", "value"} <= row.keys() <= _KEYS or not isinstance(row["topic"], str):
        return None
    try:
        value = _bytes(row["value"])
    except TypeError:  # nested deeper than can be written down again, so no line of a recorded stream
        return None
    key, headers = row.get("key"), row.get("headers")
    texts = {name: text for name, text in headers.items() if isinstance(text, str)} if isinstance(headers, dict) else {}
    return Record(
        value,
        row["topic"],
        _count(row, "partition"),
        _count(row, "offset"),
        key.encode() if isinstance(key, str) else None,
        texts,
        _instant(row.get("timestamp")),
    )


def _bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else encode_json(value)


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _instant(value: Any) -> int | None:
    return read_iso(value) if isinstance(value, str) else FORMATS["epoch_ms"](value)
