"""A worker that says what a test wants it to say.

What enters: readings. What leaves: the same, through the protocol that metrics and the HTTP side ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coordwatch.processor.readings import PlaceReading, StageReading, StateReading

DETECT = StageReading(
    "detect",
    (PlaceReading("cw.events", 0, 7), PlaceReading("cw.events", 3, 0)),
    None,
    {"committed": 12, "aborted": 1},
    1.5,
    0.25,
    StateReading(1000, 123_456, {"promotions": 2}),
    2,
)
ALERTS = StageReading("alerts", (PlaceReading("cw.detections", 0),), None, {"committed": 3}, 0.5)


@dataclass(slots=True)
class FakeWorker:
    """The readings of a worker, as a test sets them."""

    of_stages: Sequence[StageReading] = (DETECT, ALERTS)
    ending: str | None = None

    def stages(self, *, lag: bool = True) -> Sequence[StageReading]:
        return self.of_stages
