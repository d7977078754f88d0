"""Metrics for Prometheus: declared lists of names, all of them read at the moment of asking, none about a customer.

What enters: an AlertReader, the sources, what a worker says of itself.
What leaves: the text of /metrics.
The next room: `http_api`, which serves it.
"""

from coordwatch.adapters.prometheus.names import NAMES, WORKER_NAMES, Amounts, Name
from coordwatch.adapters.prometheus.rendering import Metrics
from coordwatch.adapters.prometheus.running import Running
from coordwatch.adapters.prometheus.stored import Readings, of_channels, of_incidents, of_trail

__all__ = [
    "NAMES",
    "WORKER_NAMES",
    "Amounts",
    "Metrics",
    "Name",
    "Readings",
    "Running",
    "of_channels",
    "of_incidents",
    "of_trail",
]
