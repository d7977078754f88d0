"""Keys: do the records of a topic of ours lie where their keys belong? State lies beside them by the same number.

What enters: a topic. What leaves: a Finding when somebody wrote to it with another partitioner. The next room: `topics`.
"""

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.findings import Finding
from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.adapters.kafka.ranges import newest
from coordwatch.processor.stage import KIND

_NEWEST, _OLDEST = 500, 100
_ALL = 12_000
"""What a start may read, whatever the number of partitions."""


def wrong_keys(access: KafkaAccess, topic: str, partitions: int) -> list[Finding]:
    """Look at a sample of every partition; the first record that lies wrong is enough.

    Raises: as `ranges.newest`
    """
    share = max(_ALL // partitions // 6, 1)
    for record in newest(access, topic, min(_NEWEST, 5 * share), oldest=min(_OLDEST, share)):
        if record.key is None or KIND in dict(record.headers):
            continue
        place = partition_of(record.key, partitions)
        if place != record.partition:
            where = f"{topic}/{record.partition} at offset {record.offset}"
            text = f"the record in {where} has a key that belongs into partition {place}"
            move = (
                "somebody else writes there, with another partitioner: stop that, and begin anew under another prefix"
            )
            return [Finding("keys", text, move)]
    return []
