"""The bytes of a membership are those of librdkafka: the broker reads them, so this is a contract with each release."""

import pytest
from confluent_kafka import Consumer

from coordwatch.worker.member import Member
from tests.services.waiting import wait_until


@pytest.mark.parametrize("instance", [None, "detect-0"])
def test_the_metadata_is_what_librdkafka_gives(topics, instance):
    topic = topics.create("any")
    static = {} if instance is None else {"group.instance.id": instance}
    consumer = Consumer(
        {"bootstrap.servers": topics.bootstrap, "group.id": f"{topics.prefix}.g", "log_level": 0, **static}
    )
    try:
        consumer.subscribe([topic])
        wait_until(lambda: consumer.poll(0.1) or consumer.assignment(), "an assignment")
        theirs = consumer.consumer_group_metadata()
        member = Member.of(theirs)
        assert member.metadata() == theirs
        assert (member.group, member.generation, member.instance) == (f"{topics.prefix}.g", 1, instance)
    finally:
        consumer.close()


def test_bytes_of_another_form_are_refused():
    with pytest.raises(ValueError, match="another form"):
        Member.of(b"CGMDv3:whatever")
