"""Avro: a schema in, a reader of its bytes out.

What enters: a Registered of the kind AVRO. What leaves: a function that gives what the same data would be as JSON: numbers
for times and days, texts for decimals, base64 for bytes, no wrappers around unions. The next room: `decoding`.

Written out and not left to a library: the libraries follow bytes of strangers as deep as they lead, to the end of the
stack, and believe a count of a million million elements that take no room.
"""

import base64
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from coordwatch.adapters.registry.client import Registered
from coordwatch.codec import decode_json

Read = Callable[[bytes], Any]
DEPTH_MAX = 64
ELEMENTS_MAX = 1_000_000
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


class _Cursor:
    """Where reading stands; how deep in named types, and how many elements were read."""

    __slots__ = ("at", "data", "depth", "elements")

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.depth, self.elements = data, 0, 0, 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        end = self.at + length
        if length < 0 or end > len(self.data):
            raise ValueError(f"{length} bytes are wanted, and the data ends before")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self) -> int:
        """The next zigzag number."""
        data, at = self.data, self.at
        found = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise ValueError("a number breaks off")
            byte = data[at]
            at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return (found >> 1) ^ -(found & 1)
            shift += 7

    def block(self) -> int:
        """How many elements the next block of an array or a map has, 0 behind the last."""
        count = self.number()
        if count < 0:
            count = -count
            self.number()  # its size in bytes, for those who skip it
        self.elements += count
        if self.elements > ELEMENTS_MAX:
            raise ValueError(f"more than {ELEMENTS_MAX:,} elements")
        return count


ReadNext = Callable[[_Cursor], Any]


def avro_reader(schema: Registered) -> Read:
    """Make the reader of a schema; it raises ValueError for bytes that do not fit.

    Raises: ValueError when the schema is none
    """
    named: dict[str, ReadNext] = {}
    for _, text in schema.references:
        _compile(_parsed(text), "", named)
    read_next = _compile(_parsed(schema.text), "", named)

    def read(data: bytes) -> Any:
        cursor = _Cursor(data)
        found = read_next(cursor)
        if cursor.at < len(data):
            raise ValueError(f"{len(data) - cursor.at} bytes are left over behind the data")
        return found

    return read


def _parsed(text: str) -> Any:
    """A schema as the registry gives it; the name of a primitive type may stand there bare."""
    return decode_json(text) if text.lstrip()[:1] in ('"', "{", "[") else text.strip()


def _compile(schema: Any, namespace: str, named: dict[str, ReadNext]) -> ReadNext:
    """Make the reader of a schema inside a namespace; `named` are the types that may be called by name."""
    if isinstance(schema, list):
        return _union([_compile(one, namespace, named) for one in schema])
    if isinstance(schema, str):
        return _PRIMITIVE.get(schema) or _later(_full(schema, namespace), schema, named)
    if not isinstance(schema, dict):
        raise ValueError(f"no schema: {str(schema)[:60]}")
    kind = schema.get("type")
    if kind in ("record", "error", "enum", "fixed"):
        return _compile_named(schema, namespace, named)
    if kind == "array":
        return _array(_compile(schema["items"], namespace, named))
    if kind == "map":
        return _map(_compile(schema["values"], namespace, named))
    if kind == "bytes" and schema.get("logicalType") == "decimal":
        return _decimal(lambda cursor: cursor.take(cursor.number()), schema)
    return _compile(kind, namespace, named)


def _compile_named(schema: Mapping[str, Any], namespace: str, named: dict[str, ReadNext]) -> ReadNext:
    name = _full(str(schema["name"]), str(schema.get("namespace", namespace)))
    if schema["type"] == "enum":
        read = _enum([str(symbol) for symbol in schema["symbols"]])
    elif schema["type"] == "fixed":
        read = _fixed(schema)
    else:
        inner = name.rpartition(".")[0]
        fields: list[tuple[str, ReadNext]] = []
        named[name] = _record(fields)  # known before its fields are, which may name it
        fields += [(str(field["name"]), _compile(field["type"], inner, named)) for field in schema["fields"]]
        return named[name]
    named[name] = read
    return read


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _later(full: str, bare: str, named: dict[str, ReadNext]) -> ReadNext:
    """A type by its name; one that nobody defined is a mistake in the schema."""
    read = named.get(full) or named.get(bare)
    if read is None:
        raise ValueError(f"no type is called '{full[:100]}'")
    return read


def _record(fields: list[tuple[str, ReadNext]]) -> ReadNext:
    def read(cursor: _Cursor) -> Any:
        cursor.depth += 1
        if cursor.depth > DEPTH_MAX:
            raise ValueError(f"nested deeper than {DEPTH_MAX} records")
        found = {name: read_field(cursor) for name, read_field in fields}
        cursor.depth -= 1
        return found

    return read


def _enum(symbols: list[str]) -> ReadNext:
    return lambda cursor: _chosen(symbols, cursor.number(), "symbol")


def _union(branches: list[ReadNext]) -> ReadNext:
    def read(cursor: _Cursor) -> Any:
        branch: ReadNext = _chosen(branches, cursor.number(), "branch")
        return branch(cursor)

    return read


def _chosen(choices: list[Any], number: int, what: str) -> Any:
    if not 0 <= number < len(choices):
        raise ValueError(f"{what} {number} of {len(choices)}")
    return choices[number]


def _array(read_one: ReadNext) -> ReadNext:
    def read(cursor: _Cursor) -> list[Any]:
        found: list[Any] = []
        while count := cursor.block():
            found += [read_one(cursor) for _ in range(count)]
        return found

    return read


def _map(read_one: ReadNext) -> ReadNext:
    def read(cursor: _Cursor) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while count := cursor.block():
            for _ in range(count):
                name = _string(cursor)
                found[name] = read_one(cursor)
        return found

    return read


def _fixed(schema: Mapping[str, Any]) -> ReadNext:
    size = int(schema["size"])
    if schema.get("logicalType") == "decimal":
        return _decimal(lambda cursor: cursor.take(size), schema)
    return lambda cursor: base64.b64encode(cursor.take(size)).decode()


def _decimal(read_bytes: Callable[[_Cursor], bytes], schema: Mapping[str, Any]) -> ReadNext:
    scale = int(schema.get("scale", 0))

    def read(cursor: _Cursor) -> str:
        return format(Decimal(int.from_bytes(read_bytes(cursor), "big", signed=True)).scaleb(-scale), "f")

    return read


def _string(cursor: _Cursor) -> str:
    return cursor.take(cursor.number()).decode()


def _boolean(cursor: _Cursor) -> bool:
    return bool(_chosen([False, True], cursor.take(1)[0], "truth"))


_PRIMITIVE: Mapping[str, ReadNext] = {
    "null": lambda cursor: None,
    "boolean": _boolean,
    "int": _Cursor.number,
    "long": _Cursor.number,
    "float": lambda cursor: _FLOAT.unpack(cursor.take(4))[0],
    "double": lambda cursor: _DOUBLE.unpack(cursor.take(8))[0],
    "bytes": lambda cursor: base64.b64encode(cursor.take(cursor.number())).decode(),
    "string": _string,
}
