"""The limit on dead letters: when so much of a partition cannot be used that going on would only hide the fault.

What became of each record enters; whether the next refusal is one too many leaves. The next room: `ingesting`.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_REASONS_KEPT = 50


@dataclass(frozen=True, slots=True)
class LetterLimit:
    """At most `consecutive` refused records in a row, and at most the share `ratio` of the last `of` records.

    The share is judged once `of` records were seen: the first record of a topic is not all of it.
    """

    ratio: float = 0.05
    of: int = 1000
    consecutive: int = 100


class Window:
    """What became of the last records of one partition: one bit each, and the reasons of the refusals among them."""

    __slots__ = ("_bits", "_reasons", "consecutive", "seen")

    def __init__(self, plain: Mapping[str, Any] | None = None) -> None:
        plain = plain or {}
        self.seen: int = plain.get("seen", 0)
        self.consecutive: int = plain.get("consecutive", 0)
        self._bits = int.from_bytes(plain.get("bits", b""), "big")
        self._reasons: deque[str] = deque(plain.get("reasons", ()), _REASONS_KEPT)

    def breaks(self, limit: LetterLimit) -> str | None:
        """Say in words how one more refused record would break the limit, None when it would not."""
        if self.consecutive >= limit.consecutive:
            return f"{self.consecutive + 1:,} records in a row could not be used"
        if self.seen + 1 < limit.of or (not self._bits and limit.ratio * limit.of >= 1):
            return None
        bits = (self._bits << 1 | 1) & ((1 << limit.of) - 1)
        if bits.bit_count() > limit.ratio * limit.of:
            return f"{bits.bit_count():,} of the last {limit.of:,} records could not be used"
        return None

    def note(self, reason: str | None, limit: LetterLimit) -> None:
        """Take note of a record: None when it was used, else why it was refused."""
        self.seen = min(self.seen + 1, limit.of)
        if reason is None:
            self.consecutive = 0
            if not self._bits:
                return
        else:
            self.consecutive += 1
            self._reasons.append(reason)
        self._bits = (self._bits << 1 | (reason is not None)) & ((1 << limit.of) - 1)
        if not self._bits:
            self._reasons.clear()

    def commonest(self, reason: str) -> str:
        """The commonest reason lately, with the one that is to be noted next."""
        return Counter([*self._reasons, reason]).most_common(1)[0][0]

    def plain(self) -> dict[str, Any]:
        """Everything as plain data, for a row of state."""
        return {
            "seen": self.seen,
            "consecutive": self.consecutive,
            "bits": self._bits.to_bytes((self._bits.bit_length() + 7) // 8, "big"),
            "reasons": list(self._reasons),
        }
