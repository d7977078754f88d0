"""Ids as tools give them: numbers that count up, and random text; the same for the same seed.

What enters: a seeded generator. What leaves: ids. The next room: `tools`, which put them into payloads.
"""

from collections import defaultdict
from random import Random

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Mint:
    """Makes ids that no other call has made."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._counts: defaultdict[str, int] = defaultdict(int)

    def number(self, series: str, first: int = 1) -> int:
        """Count up in a series."""
        self._counts[series] += 1
        return first + self._counts[series] - 1

    def hex(self, length: int) -> str:
        """Make random lower-case hexadecimal text."""
        return f"{self._random.getrandbits(4 * length):0{length}x}"

    def token(self, length: int = 22) -> str:
        """Make random text as it stands in message ids."""
        return "".join(self._random.choices(_LETTERS, k=length))

    def uuid(self) -> str:
        """Make a random UUID, version 4 by its looks."""
        digits = self.hex(32)
        variant = "89ab"[int(digits[16], 16) % 4]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
