"""Asking the processor from any thread: the writer answers between two batches.

What enters: questions of pages and the API.
What leaves: answers, or a TemporaryError when the writer is busy for long.
The next room: `app`, which hands these to both.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TypeVar

from coordwatch.clock import Clock
from coordwatch.embedded.runtime import Runtime
from coordwatch.embedded.source_views import SourceBoard
from coordwatch.errors import CoordwatchError, PermanentError, TemporaryError
from coordwatch.events.event import Event
from coordwatch.ports import CustomerView, ExplainStep, SourceView
from coordwatch.processor import Processor
from coordwatch.processor.checking import Checked
from coordwatch.rules.explanation import Explanation

_ANSWER_SECONDS = 15.0
_log = logging.getLogger("coordwatch.asking")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Views:
    """What is asked of the processor."""

    processor: Processor
    runtime: Runtime
    clock: Clock
    board: SourceBoard

    def customer(self, key: str) -> CustomerView | None:
        return _answer(self.runtime.ask(lambda processor: processor.customer(key, self.clock.now())))

    def explain(self, rule: str, customer: str, act: tuple[str, str] | None, at: int | None) -> Explanation | None:
        now = self.clock.now()
        return _answer(self.runtime.ask(lambda processor: processor.explain(rule, customer, act, at, now)))

    def check(self, act: Event) -> Checked:
        now = self.clock.now()
        return _answer(self.runtime.ask(lambda processor: processor.check(act, now)))

    def steps(self, rule: str, customer: str, act: tuple[str, str]) -> Sequence[ExplainStep]:
        """The steps for a page, which explains from the detection when there are none."""
        try:
            explanation = self.explain(rule, customer, act, None)
        except PermanentError:
            return ()
        return () if explanation is None else explanation.steps

    def sources(self) -> Sequence[SourceView]:
        return self.board.views(self.clock.now())


def _answer(future: "Future[T]") -> T:
    try:
        return future.result(_ANSWER_SECONDS)
    except FutureTimeoutError:
        future.cancel()
        raise TemporaryError("the writer is busy with a large batch", retry_after=2.0) from None
    except CoordwatchError:
        raise
    except Exception as error:
        _log.error("a question could not be answered", exc_info=error)
        raise PermanentError("this cannot be answered; the log says why") from error
