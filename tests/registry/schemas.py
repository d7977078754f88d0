"""Records as a registry's serialisers write them, and schemas of an invented help desk in all three kinds."""

import io
import json
from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fastavro import parse_schema, schemaless_writer
from google.protobuf import descriptor_pb2

STRING, INT64, BOOL, MESSAGE, ENUM, BYTES = 9, 3, 8, 11, 14, 12
OPTIONAL, REPEATED = 1, 3

CUSTOMER = {"type": "record", "name": "Customer", "namespace": "com.example", "fields": [{"name": "email", "type": "string"}]}  # fmt: skip
CASE = {
    "type": "record",
    "name": "Case",
    "namespace": "com.example",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "due", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {"name": "customer", "type": ["null", "com.example.Customer"], "default": None},
        {"name": "value", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "token", "type": "bytes"},
        {"name": "labels", "type": {"type": "map", "values": {"type": "array", "items": "string"}}},
    ],
}
MAPPING = """
id: id
time: {path: at, format: epoch_us}
identifiers: [{type: email, path: customer.email}]
"""


def headed(number: int, data: bytes) -> bytes:
    """What stands in front of every record: a zero, and the id of the schema."""
    return b"\0" + number.to_bytes(4, "big") + data


def avro(schemas: Sequence[Any], value: Any) -> bytes:
    """The bytes of a value; of several schemas the last one is its own."""
    named: dict[str, Any] = {}
    for schema in schemas[:-1]:
        parse_schema(schema, named_schemas=named)
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(schemas[-1], named_schemas=named), value)
    return out.getvalue()


def case(**more: Any) -> dict[str, Any]:
    """A case that needs both schemas."""
    known = {
        "id": 17,
        "at": 1769851800000001,
        "due": 20_484,
        "customer": {"email": "mina@example.com"},
        "value": Decimal("12.50"),
        "token": b"\xff\0",
        "labels": {"where": ["shop", "web"]},
    }
    return known | more


def text(schema: Any) -> str:
    return json.dumps(schema)


def file_of(*, imports: Sequence[str] = (), messages: Sequence[descriptor_pb2.DescriptorProto] = ()) -> str:
    """A .proto file as the registry gives it out."""
    file = descriptor_pb2.FileDescriptorProto(name="made.proto", package="com.example", syntax="proto3")
    file.dependency.extend(imports)
    file.message_type.extend(messages)
    return b64encode(file.SerializeToString()).decode()


def message(name: str, *fields: tuple[str, int, int, str], inner: Sequence[Any] = ()) -> Any:
    """A message; a field is its name, its type, its label and the name of its type."""
    made = descriptor_pb2.DescriptorProto(name=name)
    for number, (field, kind, label, of) in enumerate(fields, 1):
        one = made.field.add(name=field, number=number, type=kind, label=label)  # type: ignore[arg-type]
        if of:
            one.type_name = of
    made.nested_type.extend(inner)
    return made
