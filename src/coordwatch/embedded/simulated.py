"""The simulator as an inlet.

What enters: records with the instant at which the log took them, in order.
What leaves: Inputs as their instants pass; a position that finds the same record and the same instant again.
The next room: `runtime`, which takes them like any others.
"""

from collections.abc import Callable, Iterator, Sequence

from coordwatch.embedded.inlets import Taken
from coordwatch.processor import Input
from coordwatch.sources.record import Record

Stream = Callable[[], Iterator[Record]]


class SimulatedInlet:
    """Gives the records of a repeatable stream when the clock has reached them.

    Takes: `begin` starts the stream anew, always the same; `progresses` are the sources whose records it carries
    """

    def __init__(self, name: str, begin: Stream, progresses: Sequence[str]) -> None:
        self.name = name
        self.progresses = tuple(progresses)
        self._begin = begin
        self._stream = begin()
        self._taken = 0
        self._next: Record | None = None

    def poll(self, limit: int, now: int) -> Taken:
        """Take the records that the log has taken by now. Units: microseconds since 1970 UTC."""
        inputs: list[Input] = []
        while len(inputs) < limit:
            record = self._peek()
            if record is None or (record.timestamp or 0) > now:
                return self._gave(inputs, now, at_end=True)
            inputs.append(Input(record))
            self._next = None
            self._taken += 1
        return self._gave(inputs, now, at_end=False)

    def rewind(self, position: str | None) -> None:
        """Begin again and pass over what was committed."""
        wanted = position_of(position)[0]
        self._stream, self._next, self._taken = self._begin(), None, 0
        while self._taken < wanted and self._peek() is not None:
            self._next = None
            self._taken += 1

    def close(self) -> None:
        """Nothing is held."""

    def _peek(self) -> Record | None:
        if self._next is None:
            self._next = next(self._stream, None)
        return self._next

    def _gave(self, inputs: list[Input], now: int, *, at_end: bool) -> Taken:
        return Taken(inputs, f"{self._taken}@{now}" if inputs else None, at_end)


def position_of(position: str | None) -> tuple[int, int | None]:
    """How many records a position has passed, and the instant it was written; (0, None) for no position."""
    taken, _, at = (position or "").partition("@")
    try:
        return int(taken), int(at)
    except ValueError:
        return 0, None
