"""Errors, named for the reader's next move.

Nothing enters; every other module takes its exceptions from here. Bad input is a value (`Rejected`), bad luck is
`TemporaryError`, a mistake in a file is a `DocumentError` with every problem and its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class CoordwatchError(Exception):
    """Anything this program raises on purpose."""


class TemporaryError(CoordwatchError):
    """The same call may succeed later.

    Units: `retry_after` in seconds, None when the caller may choose
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Elsewhere(TemporaryError):
    """What is asked for is kept by another process; the message says where."""


class PermanentError(CoordwatchError):
    """Trying again cannot help; somebody must change something."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; lines and columns count from 1."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file, where, and the next move."""

    place: Place
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class DocumentError(PermanentError):
    """A file cannot be used; every problem found in it, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RuleError(DocumentError):
    """A rule file cannot be used."""
