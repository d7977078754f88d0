"""Looking again whether anything is left of people who were forgotten: the role `alerts` does it by itself beside a Kafka.

What enters: the receipts of a site; the store of the role, whose file is written anew in turn with everything else.
What leaves: receipts that say what was still found, and how many are not verified yet, for /metrics.
The next room: `worker_side`, which begins it. `coordwatch forget --verify` does the same at once.
"""

import logging
import threading

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.over_kafka import OverKafka
from coordwatch.clock import Clock
from coordwatch.errors import CoordwatchError
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.processor.requests import Receipt, waiting_of

_END_SECONDS = 5.0
_log = logging.getLogger("coordwatch.forget")


class Verifier:
    """Looks at the receipts once a minute, and at all that is kept when one was not verified for `every`.

    Units: `every` in microseconds; 0 for never
    """

    def __init__(self, people: OverKafka, store: SqlStore, clock: Clock, every: int) -> None:
        self._people, self._store, self._clock, self._every = people, store, clock, every
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordwatch-verify", daemon=True)
        self.unverified = 0

    def start(self) -> None:
        """Begin to look."""
        if self._every:
            self._thread.start()

    def stop(self) -> None:
        """Look no more; a look that has begun may be cut off, and is begun again elsewhere."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def look(self) -> None:
        """See which receipts wait, and look at everything that is kept when the time of one has come."""
        waiting, now = waiting_of(self._people.receipts()), self._clock.now()
        self.unverified = len(waiting)
        if any(_last(one) + self._every <= now for one in waiting):
            checked = self._people.verify(now, self._store)
            self.unverified = len(waiting_of(checked))
            left = max((one.left for one in checked), default=0)
            _log.info("looked for %d who were forgotten: %d names can still be read", len(checked), left)

    def _run(self) -> None:
        pause = min(MINUTE, self._every) / SECOND
        while not self._ending.wait(pause):
            try:
                self.look()
            except CoordwatchError as error:
                _log.warning("could not look whether anything is left of who was forgotten, and will again: %s", error)
            except Exception:  # one look that fails must not take the thread with it
                _log.exception("could not look whether anything is left of who was forgotten")


def _last(one: Receipt) -> int:
    return one.done_at if one.checked_at is None else one.checked_at
