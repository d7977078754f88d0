"""The partitioner: the values of Kafka's own tests, and the partitions that follow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer
from coordwatch.adapters.kafka.partitioner import murmur2, partition_of
from tests.services.consume import read_topic

# Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2, signed as Java has them.
OF_JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), OF_JAVA.items(), ids=lambda each: str(each)[:12])
def test_murmur2_is_that_of_java(key, expected):
    assert murmur2(key) == expected & 0xFFFFFFFF
    assert partition_of(key, 8) == (expected & 0x7FFFFFFF) % 8


@given(st.binary(max_size=64), st.integers(1, 64))
def test_every_key_has_a_partition(key, partitions):
    assert 0 <= partition_of(key, partitions) < partitions


def test_our_producer_puts_every_key_where_we_say(topics):
    topic = topics.create("keys", 7)
    keys = [b"key-%d" % number for number in range(300)]
    ours = producer(KafkaAccess(topics.bootstrap))
    for key in keys:
        ours.produce(topic, b"x", key)
    assert ours.flush(60) == 0
    assert {one.key: one.partition for one in read_topic(topics.bootstrap, topic)} == {
        key: partition_of(key, 7) for key in keys
    }
