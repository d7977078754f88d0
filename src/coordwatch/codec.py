"""Bytes to plain data and back: the one place that knows which JSON and MessagePack library is used, and whose structs.

Bytes enter and plain values leave, and the other way round; `events/wire.py` and `engine/state.py` give them meaning.
"""

from typing import Any

import msgspec
import orjson
from msgspec import Struct  # a class whose objects are made nearly as fast as tuples
from msgspec import field as struct_field
from msgspec.structs import replace as struct_with

__all__ = [
    "NotJson",
    "Struct",
    "decode_json",
    "encode_json",
    "pack",
    "struct_field",
    "struct_with",
    "unpack",
    "values_of",
]


class NotJson(ValueError):
    """The bytes are not JSON; the message says where."""


def decode_json(data: bytes | str) -> Any:
    """Decode one JSON text.

    Raises: NotJson for anything else than strict JSON in UTF-8 (NaN and Infinity included)
    """
    try:
        return orjson.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


def encode_json(value: Any, *, sort: bool = False) -> bytes:
    """Encode plain data as compact JSON; `sort` gives a canonical form."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort else None)


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


def pack(value: Any) -> bytes:
    """Encode plain data as MessagePack, for snapshots."""
    return _pack(value)


def unpack(data: bytes) -> Any:
    """Decode what `pack` wrote.

    Raises: ValueError when the bytes are something else
    """
    try:
        return _unpack(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


values_of = msgspec.structs.astuple
"""The values of a generated object, in the order of its fields."""
