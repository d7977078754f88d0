"""The one writer: it takes records from every inlet and every post, and commits each batch with its positions.

What enters: records, questions, the passing of time.
What leaves: committed state; answers to posts after the commit and never before; notifications.
The next room: `service`, which runs it beside the HTTP server.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from coordwatch.clock import Clock
from coordwatch.embedded.inlets import Inlet
from coordwatch.errors import TemporaryError
from coordwatch.ports import Store
from coordwatch.processor import Input, Processor, Result
from coordwatch.processor.telling import Alerting, Telling

BATCH = 500
_IDLE_SECONDS = 0.1
_RETRY_SECONDS = 0.5
_CHORES_SECONDS = 0.25
_VERIFY_SECONDS = 5.0
_POSTS_WAITING = 64
_SAY_SECONDS = 10.0
_log = logging.getLogger("coordwatch.runtime")
T = TypeVar("T")


class AlertStore(Store, Alerting, Protocol):
    """A store that also keeps what becomes of alerts."""


@dataclass(slots=True)
class _Post:
    """Records that somebody waits for."""

    inputs: Sequence[Input]
    answer: "Future[list[Result]]" = field(default_factory=Future)


@dataclass(slots=True)
class Taking:
    """How many records were taken since it was last said, so that a long load shows that it moves."""

    said_at: float
    count: int = 0
    total: int = 0

    def report(self, present: float) -> None:
        """Say it when there is something to say and it was not said lately. Units: seconds."""
        passed = present - self.said_at
        if passed < _SAY_SECONDS:
            return
        if self.count:
            self.total += self.count
            _log.info("%d records taken, %d a second, %d since the start", self.count, self.count / passed, self.total)
        self.said_at, self.count = present, 0


@dataclass(frozen=True, slots=True)
class Feeds:
    """What the writer reads by itself, and the names of the inputs that are fed by posts.

    The latter have caught up whenever nothing waits.
    """

    inlets: Sequence[Inlet] = ()
    posted: Sequence[str] = ()


class Runtime:
    """Runs a processor: one thread writes, any thread may post and ask."""

    def __init__(self, processor: Processor, store: AlertStore, clock: Clock, feeds: Feeds, telling: Telling) -> None:
        self._processor, self._store, self._clock, self._telling = processor, store, clock, telling
        self._inlets, self._posted = tuple(feeds.inlets), tuple(feeds.posted)
        self._posts: queue.Queue[_Post] = queue.Queue(_POSTS_WAITING)
        self._questions: queue.Queue[tuple[Callable[[Processor], Any], Future[Any]]] = queue.Queue()
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._chores_at = self._verify_at = 0.0
        self._taken = Taking(time.monotonic())
        self._away: TemporaryError | None = None
        self.failure: BaseException | None = None
        self.turned_at = time.monotonic()

    # ---- for any thread

    def post(self, inputs: Sequence[Input]) -> "Future[list[Result]]":
        """Hand in records; the answer comes after their commit.

        Raises: TemporaryError when too much waits already
        """
        post = _Post(inputs)
        try:
            self._posts.put_nowait(post)
        except queue.Full:
            raise TemporaryError("too many requests are waiting to be written", retry_after=1.0) from None
        self._awake.set()
        if self._stopping.is_set():
            self._refuse_waiting()
        return post.answer

    def ask(self, question: Callable[[Processor], T]) -> "Future[T]":
        """Ask the processor something between two batches."""
        answer: Future[T] = Future()
        self._questions.put((question, answer))
        self._awake.set()
        if self._stopping.is_set():
            self._refuse_waiting()
        return answer

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()
        self._awake.set()

    def trouble(self) -> str | None:
        """Why this runtime does no work, None when it does."""
        if self.failure is not None:
            return f"the writer has stopped: {self.failure}"
        if self._stopping.is_set():
            return "shutting down"
        if self._away is not None:
            return f"nothing can be written: {self._away}"
        still = time.monotonic() - self.turned_at
        return f"the writer has been at one batch for {still:.0f} s" if still > 60 else None

    # ---- for the one writer

    def run(self) -> None:
        """Work until stopped. What is not a CoordwatchError ends it: state in memory can no longer be trusted."""
        try:
            self._resume()
            while not self._stopping.is_set():
                self._awake.clear()
                if not self.turn():
                    self._awake.wait(_IDLE_SECONDS)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._stopping.set()
            self._refuse_waiting()
            for inlet in self._inlets:
                inlet.close()

    def turn(self) -> bool:
        """One round: questions, a batch, deadlines, chores. Gives: whether there may be more to do at once."""
        self.turned_at = time.monotonic()
        self._answer_questions()
        try:
            if self._away is not None:
                self._resume()
                self._away = None
            worked = self._batch()
            worked = self._processor.tick(self._clock.now()) > 0 or worked
            self._chores()
        except TemporaryError as error:
            _log.warning("nothing was written, trying again: %s", error)
            if self._away is not None:
                self._refuse_posts(error)  # whoever waits may come again, and must not wait for as long as it lasts
            self._away = error
            self._stopping.wait(error.retry_after or _RETRY_SECONDS)
            return True
        return worked

    def _resume(self) -> None:
        """Send every inlet back to what the store says was committed."""
        positions = self._store.positions()
        for inlet in self._inlets:
            inlet.rewind(positions.get(inlet.name))

    def _batch(self) -> bool:
        inputs: list[Input] = []
        positions: dict[str, str] = {}
        ended = list(self._posted)
        now = self._clock.now()
        for inlet in self._inlets:
            taken = inlet.poll(max(1, BATCH - len(inputs)), now)
            inputs += taken.inputs
            if taken.position is not None:
                positions[inlet.name] = taken.position
            if taken.at_end:
                ended += inlet.progresses
        # Posts come last: what was taken here is answered, whatever happens below.
        posts = self._waiting_posts()
        if inputs or positions or posts:
            self._handle(inputs, now, positions, posts)
        for name in ended if self._posts.empty() else ():
            self._processor.caught_up(name, now)
        return bool(inputs or posts)

    def _handle(self, inputs: list[Input], now: int, positions: dict[str, str], posts: Sequence[_Post]) -> None:
        everything = [*inputs, *(one for post in posts for one in post.inputs)]
        try:
            results = self._processor.handle(everything, now, positions)
        except BaseException as error:
            for post in posts:
                post.answer.set_exception(error)
            raise
        self._taken.count += len(everything)
        start = len(inputs)
        for post in posts:
            end = start + len(post.inputs)
            post.answer.set_result(results[start:end])
            start = end

    def _waiting_posts(self) -> list[_Post]:
        posts: list[_Post] = []
        size = 0
        while size < BATCH:
            try:
                post = self._posts.get_nowait()
            except queue.Empty:
                break
            if post.answer.set_running_or_notify_cancel():
                posts.append(post)
                size += len(post.inputs)
        return posts

    def _answer_questions(self) -> None:
        while True:
            try:
                question, answer = self._questions.get_nowait()
            except queue.Empty:
                return
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(question(self._processor))
            except Exception as error:
                # A question only reads: whatever is wrong with it is the asker's, and must not end the writer.
                answer.set_exception(error)

    def _chores(self) -> None:
        present = time.monotonic()
        if present < self._chores_at:
            return
        self._chores_at = present + _CHORES_SECONDS
        self._taken.report(present)
        self._carry_out(present)
        self._telling.chores(self._store, self._processor.proven, self._clock.now())

    def _carry_out(self, present: float) -> None:
        """Do what people asked for, then look whether anything is left of whoever was forgotten.

        The look writes the database anew, so it may take a twentieth of the time at most, but for what a person waits for.
        """
        now = self._clock.now()
        self._processor.tidy(now)
        done = self._processor.carry_out(now)
        if not done and present < self._verify_at:
            return
        for one in self._processor.verify(now):
            _log.info("forgotten: receipt %s, %s", one.id, f"{one.left} names left" if one.left else "nothing is left")
        self._verify_at = time.monotonic() + max(_VERIFY_SECONDS, 20 * (time.monotonic() - present))

    def _refuse_waiting(self) -> None:
        why = TemporaryError("shutting down: nothing was written", retry_after=2.0)
        self._refuse_posts(why)
        while True:
            try:
                _refuse(self._questions.get_nowait()[1], why)
            except queue.Empty:
                return

    def _refuse_posts(self, why: TemporaryError) -> None:
        while True:
            try:
                _refuse(self._posts.get_nowait().answer, why)
            except queue.Empty:
                return


def _refuse(answer: "Future[Any]", why: TemporaryError) -> None:
    if answer.set_running_or_notify_cancel():
        answer.set_exception(why)
