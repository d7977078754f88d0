"""What the chaos runs send: canonical events of a seeded workload, one partition far hotter than the rest, some of it garbage.

A seed enters; records for a source topic leave, with what every part of the program must make of them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from bench.workload import lines
from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.codec import decode_json, encode_json

HOT = 50  # times as much as any other partition
GARBAGE = (b"\x00\xff\xfe", b"{", b"[1,2,", b'{"specversion": "1.0"}', b"null", b'{"id": 7}', b"")


@dataclass(frozen=True, slots=True)
class Sending:
    """One record: its bytes, the partition of the source topic, and whether it is garbage."""

    value: bytes
    partition: int
    garbage: bool = False


def customers_of(partitions: int, count: int) -> list[list[str]]:
    """Customer keys by the partition of the events that Kafka's partitioner gives them."""
    found: list[list[str]] = [[] for _ in range(partitions)]
    for number in range(count):
        key = f"cust-{number:05d}"
        found[partition_of(key.encode(), partitions)].append(key)
    return found


def workload(seed: int, events: int, partitions: int, customers: int = 2000) -> Iterator[Sending]:
    """Records in the order of sending; 1 % of them garbage, half a percent doubled, some late."""
    rng = random.Random(seed)
    keys = customers_of(partitions, customers)
    weights = [HOT if partition == 0 else 1 for partition in range(partitions)]
    for line in lines(events, customers, 300, seed=seed):
        event = decode_json(line)
        # A copy of an event must be the same in every word, and so lie in the same partition.
        partition = random.Random(event["id"]).choices(range(partitions), weights)[0]
        number = int(event["subject"].rsplit("-", 1)[1])
        event["subject"] = keys[partition][number % len(keys[partition])]
        yield Sending(encode_json(event), partition)
        if rng.random() < 0.01:
            yield Sending(rng.choice(GARBAGE) + b"%d" % rng.randrange(10**9), partition, garbage=True)
