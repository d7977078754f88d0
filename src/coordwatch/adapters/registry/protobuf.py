"""Protobuf: descriptors in, a reader of the bytes out.

What enters: a Registered of the kind PROTOBUF: the base64 of a file's descriptor, and of those that it imports. What leaves:
a function that gives the message as Protobuf's own JSON does, under the names of the .proto file. The next room: `decoding`.

In front of the message stands which one of the file it is: how many steps, and the steps from the outer message to the
inner one, as zigzag numbers; a single 0 is the first message of the file.
"""

import base64
from collections.abc import Callable
from typing import Any

from google.protobuf import (
    any_pb2,
    api_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    json_format,
    message_factory,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)

from coordwatch.adapters.registry.client import Registered

Read = Callable[[bytes], Any]
_OWN = (
    descriptor_pb2, any_pb2, source_context_pb2, type_pb2, api_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2,
    timestamp_pb2, wrappers_pb2,
)  # fmt: skip
_STEPS_MAX = 64
# Options for tools; no field of a message is of a type in it, and no registry hands it out.
_OPTIONS_ONLY = "confluent/meta.proto"


def protobuf_reader(schema: Registered) -> Read:
    """Make the reader of a file's messages; what it raises for bytes that do not fit may be anything.

    Raises: anything, when the schema is none
    """
    pool = descriptor_pool.DescriptorPool()
    for module in _OWN:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for name, text in schema.references:
        _add(pool, name, text)
    file = _add(pool, "the schema", schema.text)
    classes: dict[tuple[int, ...], Any] = {}

    def read(data: bytes) -> Any:
        steps, position = read_steps(data)
        kind = classes.get(steps)
        if kind is None:
            kind = classes[steps] = message_factory.GetMessageClass(_message_of(file, steps))
        return json_format.MessageToDict(
            kind.FromString(data[position:]),
            preserving_proto_field_name=True,
            # A `false` or 0 is not on the wire; a mapping that asks for it must find it all the same.
            always_print_fields_with_no_presence=True,
            descriptor_pool=pool,
        )

    return read


def read_steps(data: bytes) -> tuple[tuple[int, ...], int]:
    """Give which message of a file follows, and where it begins.

    Raises: ValueError when the numbers are none
    """
    count, position = _zigzag(data, 0)
    if count == 0:
        return (0,), position
    if not 0 < count <= _STEPS_MAX:
        raise ValueError(f"{count} steps to a message")
    steps: list[int] = []
    for _ in range(count):
        step, position = _zigzag(data, position)
        steps.append(step)
    return tuple(steps), position


def _zigzag(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(data) or shift > 35:
            raise ValueError("the number of the message breaks off")
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), position


def _message_of(file: Any, steps: tuple[int, ...]) -> Any:
    """The descriptor at the end of the steps. Raises: ValueError when there is none."""
    found: Any = None
    messages = list(file.message_types_by_name.values())
    for step in steps:
        if not 0 <= step < len(messages):
            raise ValueError(f"the schema has no message {'.'.join(map(str, steps))}")
        found = messages[step]
        messages = list(found.nested_types)
    return found


def _add(pool: Any, name: str, text: str) -> Any:
    """Put a file into the pool under the name that others import it by."""
    file = descriptor_pb2.FileDescriptorProto.FromString(_unpacked(text))
    file.name = name
    kept = [one for one in file.dependency if one != _OPTIONS_ONLY]
    if len(kept) < len(file.dependency):
        # The places of public and weak imports count from the list, which is now shorter.
        del file.public_dependency[:], file.weak_dependency[:], file.dependency[:]
        file.dependency.extend(kept)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindFileByName(name)


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("the registry gives the text of a .proto file and no descriptor (format=serialized)") from None
