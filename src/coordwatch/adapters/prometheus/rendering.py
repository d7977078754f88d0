"""The text of /metrics, from whatever a process can tell.

What enters: where to read; not every process has everything.
What leaves: bytes and their media type.
The next room: `http_api`.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, exposition
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

import coordwatch
from coordwatch.adapters.prometheus.names import Amounts, families
from coordwatch.adapters.prometheus.running import Running, of_worker
from coordwatch.adapters.prometheus.stored import Readings, of_store

Beside = Callable[[], Mapping[str, Amounts]]


class Metrics:
    """Renders /metrics from what is there at that moment; `beside` tells amounts of this process, by metric name."""

    def __init__(self, stored: Readings | None, running: Running | None = None, beside: Beside = dict) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Everything(stored, running, beside))
        ProcessCollector(registry=self._registry)

    def render(self) -> tuple[bytes, str]:
        """The text of /metrics and its media type."""
        return exposition.generate_latest(self._registry), exposition.CONTENT_TYPE_LATEST


class _Everything(Collector):
    def __init__(self, stored: Readings | None, running: Running | None, beside: Beside) -> None:
        self._stored, self._running, self._beside = stored, running, beside

    def collect(self) -> Iterable[Metric]:
        if self._stored is not None:
            yield from families(of_store(self._stored))
        if self._running is not None:
            yield from of_worker(self._running)
        yield from families(self._beside())
        yield from families({"coordwatch_build_info": {(coordwatch.__version__,): 1}})
