"""Membership as bytes: the group generation under which partitions were restored, in the form librdkafka reads.

What enters: a group, a generation and a member's name, from whichever client is the member.
What leaves: the opaque metadata of `send_offsets_to_transaction`, which the broker checks (KIP-447).
The next room: `transaction`.
"""

import struct
from dataclasses import dataclass

_MAGIC = b"CGMDv2:"


@dataclass(frozen=True, slots=True)
class Member:
    """One membership of one generation. The broker refuses offsets under any other generation: that is the fence."""

    group: str
    generation: int
    name: str
    instance: str | None = None

    @classmethod
    def of(cls, metadata: bytes) -> "Member":
        """The membership that such bytes speak of. Raises: ValueError for anything else."""
        if not metadata.startswith(_MAGIC):
            raise ValueError("group metadata of another form: this librdkafka is not one of those that were tested")
        start = len(_MAGIC)
        (generation,) = struct.unpack_from("<i", metadata, start)
        group, name, rest = metadata[start + 4 :].split(b"\0", 2)
        instance = None if rest.startswith(b"\1") else rest[1:-1].decode() if rest else None
        return cls(group.decode(), generation, name.decode(), instance)

    def metadata(self) -> bytes:
        """The bytes that `confluent_kafka.Consumer.consumer_group_metadata()` gives for such a member.

        Source: rd_kafka_consumer_group_metadata_write in librdkafka; a contract test compares the two
        """
        instance = b"\1" if self.instance is None else b"\0" + self.instance.encode() + b"\0"
        generation = struct.pack("<i", self.generation)
        return _MAGIC + generation + self.group.encode() + b"\0" + self.name.encode() + b"\0" + instance
