"""Detecting: the stage that keeps each customer's context and judges it; events enter, what is to be said leaves.

What enters: slices of the events that are split by customer, and the facts that concern all. What leaves: changes of
detections, the ledger, the state, facts that go back to identity. The next room: `worker`, or the stage `alerts`.
"""

from coordwatch.processor.detecting.reaches import Watched
from coordwatch.processor.detecting.site import DetectSettings
from coordwatch.processor.detecting.stage import Detecting

__all__ = ["DetectSettings", "Detecting", "Watched"]
