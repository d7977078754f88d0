"""Inlets: where records come from, asked in turn by the one writer.

What enters: files, or another stream of records.
What leaves: Inputs for the processor, the position after them, and whether there is more.
The next room: `runtime`, which commits both together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from coordwatch.adapters.file_tail import FileTail, Line
from coordwatch.processor import CANONICAL, Input
from coordwatch.sources.lines import record_of_line
from coordwatch.sources.record import Record


@dataclass(frozen=True, slots=True)
class Taken:
    """What an inlet gave: `position` None when it has none to keep; `at_end` when nothing more is there now."""

    inputs: Sequence[Input] = ()
    position: str | None = None
    at_end: bool = True


class Inlet(Protocol):
    """A stream of records with a position."""

    @property
    def name(self) -> str:
        """The name of the input, as configured."""
        ...

    @property
    def progresses(self) -> Sequence[str]:
        """The sources of which everything has been read when this inlet is at its end."""
        ...

    def poll(self, limit: int, now: int) -> Taken:
        """Take what is there, at most `limit` records, without waiting. Units: microseconds since 1970 UTC."""
        ...

    def rewind(self, position: str | None) -> None:
        """Go back to the position of the last commit."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


class FileInlet:
    """The lines of a file as records."""

    def __init__(self, name: str, source: str | None, tail: FileTail) -> None:
        self.name = name
        self.progresses = (name,)
        self._source = source
        self._tail = tail

    def poll(self, limit: int, now: int) -> Taken:
        """Take lines; empty ones are no records."""
        lines = self._tail.read(limit)
        inputs = [Input(self._record(line), self._source, self.name) for line in lines if line.text.strip()]
        return Taken(inputs, self._tail.position if lines else None, self._tail.at_end)

    def _record(self, line: Line) -> Record:
        """A recorded stream keeps topic and headers beside each payload; anything else is the payload itself."""
        recorded = None if self._source == CANONICAL else record_of_line(line.text)
        return recorded or Record(line.text, topic=self.name, offset=line.offset)

    def rewind(self, position: str | None) -> None:
        """Go back to the position of the last commit."""
        self._tail.rewind(position)

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()
