"""The partition of a key, as Java's default partitioner decides it; state lies beside the events by this number.

What enters: a key and a number of partitions. What leaves: a partition. Our producers leave it to librdkafka's `murmur2`,
which a contract test holds equal to this.
"""

_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C
_M = 0x5BD1E995


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that a record with this key lies in."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Murmur2 as Kafka has it, unsigned. Source: org.apache.kafka.common.utils.Utils.murmur2."""
    length = len(data)
    state = _SEED ^ length
    whole = length & ~3
    for place in range(0, whole, 4):
        word = int.from_bytes(data[place : place + 4], "little") * _M & _MASK
        word = (word ^ word >> 24) * _M & _MASK
        state = (state * _M & _MASK) ^ word
    rest = data[whole:]
    if rest:
        state = (state ^ int.from_bytes(rest, "little")) * _M & _MASK
    state = (state ^ state >> 13) * _M & _MASK
    return state ^ state >> 15
