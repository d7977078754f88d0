"""Processor: the walk of one batch of records, from bytes to one commit.

Records enter; state, detections, dead letters and positions leave together. The runtimes are the next room.
"""

from coordwatch.processor.feeding import cannot_be_fed, waited_for
from coordwatch.processor.processor import Processor
from coordwatch.processor.records import CANONICAL, Input, ProcessorSettings, Result, ResultStatus

__all__ = [
    "CANONICAL",
    "Input",
    "Processor",
    "ProcessorSettings",
    "Result",
    "ResultStatus",
    "cannot_be_fed",
    "waited_for",
]
