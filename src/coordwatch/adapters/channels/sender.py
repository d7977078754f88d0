"""The sender: one thread a channel takes what is due, says it, and keeps what came of it.

What enters: the outbox, the receivers. What leaves: answers in the outbox.
Several processes may send from one database: a message is under one lease at a time. The next room: the receivers.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from coordwatch.adapters.channels.receiver import Receiver
from coordwatch.clock import Clock
from coordwatch.errors import CoordwatchError, TemporaryError
from coordwatch.notify.channel import Channel
from coordwatch.notify.delivery import Answer, Outcome, delivered
from coordwatch.notify.outbox import Sending, Work

LOOK_SECONDS = 0.5
_END_SECONDS = 15.0
_log = logging.getLogger("coordwatch.channels")


@dataclass(frozen=True, slots=True)
class Post:
    """A channel and what is behind it."""

    channel: Channel
    receiver: Receiver


class Nowhere:
    """The receiver of the canary: it arrives when it comes this far."""

    at_once = 10

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """It has arrived."""
        return [delivered("arrived") for _ in works]


class Sender:
    """Feeds every channel. Takes: `owner`, a name that no other running sender has."""

    def __init__(self, sending: Sending, posts: Sequence[Post], clock: Clock, owner: str) -> None:
        self._sending, self._clock, self._owner = sending, clock, owner
        self._posts = tuple(posts)
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(post,), name=f"coordwatch-send-{post.channel.name}", daemon=True)
            for post in self._posts
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is being sent, and take nothing more."""
        self._ending.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_END_SECONDS)

    def turn(self, post: Post) -> int:
        """Send what is due on one channel, and give how many messages that was.

        Raises: TemporaryError when the database does not answer
        """
        name = post.channel.name
        works = self._sending.claim(name, self._owner, self._clock.now(), post.receiver.at_once)
        if not works:
            return 0
        answers = post.receiver.deliver(works)
        done = list(zip(works, answers, strict=True))
        for work, answer in done:
            _say(name, work, answer)
        self._keep(done, post.channel.resend)
        return len(works)

    def _keep(self, done: Sequence[tuple[Work, Answer]], resend: int | None) -> None:
        """Keep what came of it, however long the database is away: forgetting it would say it twice."""
        while True:
            try:
                self._sending.finish(self._owner, done, resend, self._clock.now())
                return
            except TemporaryError as error:
                if self._ending.wait(error.retry_after or LOOK_SECONDS):
                    raise

    def _run(self, post: Post) -> None:
        while not self._ending.is_set():
            try:
                busy = self.turn(post) > 0
            except TemporaryError as error:
                _log.warning("%s: what was sent is not kept yet: %s", post.channel.name, error)
                busy = False
            except CoordwatchError as error:
                _log.error("%s: sends nothing for a while: %s", post.channel.name, error)
                busy = False
            if not busy:
                self._ending.wait(LOOK_SECONDS)


def _say(name: str, work: Work, answer: Answer) -> None:
    """One line of the log for what did not arrive; never what was said."""
    if answer.outcome is Outcome.REFUSED:
        _log.error("%s refused message %s for good: %s", name, work.message.id, answer.words)
    elif answer.outcome is Outcome.AGAIN:
        _log.warning("%s did not take message %s (try %d): %s", name, work.message.id, work.attempts, answer.words)
