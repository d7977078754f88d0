"""A check: one thing that `doctor` looked at, as one line.

What enters: what was seen. What leaves: a mark, what it is about, a sentence, and the next move. The next room: `doctor`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ok, warn or bad, what was seen, and the next move."""

    mark: Literal["ok", "warn", "bad"]
    about: str
    text: str
    move: str | None = None
