"""Sending a few records of ours from a command, each acknowledged before it says that it is done.

What enters: Outputs. What leaves: the same on their topics.
The next room: `app`, for requests of people that the workers carry out.
"""

from collections.abc import Sequence
from functools import partial

from confluent_kafka import KafkaError, Message

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.clients import producer
from coordwatch.errors import TemporaryError
from coordwatch.processor.stage import Output

_PATIENCE, _WAIT = 20.0, 0.5


def send(access: KafkaAccess, outputs: Sequence[Output]) -> None:
    """Put records on their topics.

    Raises: TemporaryError when not all of them were taken; sending all of them once more is right then
    """
    way, refused = producer(access), list[KafkaError]()

    def told(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refused.append(error)

    for output in outputs:
        put = partial(way.produce, output.topic, output.value, output.key)
        headers: list[tuple[str, str | bytes | None]] = list(output.headers)
        partition = -1 if output.partition is None else output.partition
        while True:
            try:
                put(partition=partition, on_delivery=told, headers=headers)
                break
            except BufferError:
                way.poll(_WAIT)
        way.poll(0)
    left = way.flush(_PATIENCE)
    if left or refused:
        why = refused[0].str() if refused else "the brokers did not answer"
        raise TemporaryError(f"{left + len(refused)} of {len(outputs)} records were not taken ({why}); do it once more")
