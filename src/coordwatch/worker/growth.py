"""Growth: ends a worker when an input has other partitions than when it started, since it would not know how far those are read.

What enters: topics with how many partitions each had. What leaves: the end of the process, to be started again at once.
The next room: `exits`.
"""

import threading
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from coordwatch.worker.exits import Ending, ExitCode

# A reader and a producer hear of new partitions after up to five minutes (`topic.metadata.refresh.interval.ms`).
_LOOK_SECONDS, _PATIENCE = 10.0, 10.0


class Growth(threading.Thread):
    """Looks at the topics every ten seconds; brokers that do not answer are asked again later."""

    def __init__(self, admin: AdminClient, counts: Mapping[str, int], end: Callable[[Ending], object]) -> None:
        super().__init__(name="coordwatch-growth", daemon=True)
        self._admin, self._counts, self._end = admin, dict(counts), end
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._stopping.wait(_LOOK_SECONDS):
            why = self._changed()
            if why is not None:
                self._end(Ending(ExitCode.AGAIN, why))

    def stop(self) -> None:
        """Stop looking: the worker is ending by itself."""
        self._stopping.set()

    def _changed(self) -> str | None:
        for topic, count in self._counts.items():
            try:
                found = self._admin.list_topics(topic, timeout=_PATIENCE).topics[topic]
            except KafkaException:
                return None
            if found.error is None and len(found.partitions) != count:
                return f"{topic} has {len(found.partitions)} partitions now and had {count}: the worker starts again to watch all of them"
        return None
