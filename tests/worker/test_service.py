"""How a worker ends: not ready while it drains, and with the code that says whether a person must act."""

import threading
from collections.abc import Callable

import pytest
from aiokafka.errors import CommitFailedError
from confluent_kafka import KafkaError, KafkaException

from coordwatch.processor.readings import trouble_of
from coordwatch.worker.exits import ExitCode, unforeseen
from coordwatch.worker.readings import DriverReadings
from coordwatch.worker.service import WorkerService


class Ends:
    """Logs of which nothing is known."""

    def of(self, spots: object) -> dict[tuple[str, int], int]:
        del spots
        return {}


def test_a_worker_that_drains_is_not_ready() -> None:
    readings, asked, seen = DriverReadings([], Ends(), {}), threading.Event(), list[str | None]()

    class Draining:
        """A runtime that says whether the worker is ready before and after it heard that it must end."""

        def run(self, should_end: Callable[[], bool]) -> ExitCode:
            assert not should_end()
            seen.append(trouble_of(readings))
            asked.set()
            assert should_end()
            seen.append(trouble_of(readings))
            return ExitCode.ENDED

    def drains() -> None:
        readings.ending = "it drains"

    code = WorkerService(Draining(), [], draining=drains).run(asked)
    assert (code, seen) == (ExitCode.ENDED, [None, "it drains"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommitFailedError("a rebalance"), ExitCode.AGAIN),
        (KafkaException(KafkaError(KafkaError._TRANSPORT)), ExitCode.AGAIN),
        (ConnectionResetError(), ExitCode.AGAIN),
        (KeyError("ours"), ExitCode.BROKEN),
    ],
)
def test_what_nobody_foresaw_is_tried_again_only_if_the_brokers_said_it(error, code, caplog):
    ending = unforeseen("detect", error)
    assert (ending.code, str(ending).startswith(f"detect: {type(error).__name__}")) == (code, True)
    assert [record.exc_info[1] for record in caplog.records] == ([error] if code is ExitCode.BROKEN else [])
