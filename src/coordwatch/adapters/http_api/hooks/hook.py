"""One address of the webhook door: whom it believes, for how long, and what it has taken already.

What enters: requests, and the time. What leaves: whether a request is new, was taken before, or is not believed.
The next room: `routes`, which answers accordingly.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field

from coordwatch.adapters.http_api.hooks.proofs import Doubt, DoubtError, Proof, Sent, fingerprint
from coordwatch.adapters.http_api.hooks.recipes import Check
from coordwatch.events.times import MINUTE
from coordwatch.events.words import duration_words

AHEAD = 5 * MINUTE
REMEMBERED_MAX = 65_536
LIMIT = 4 * 1024 * 1024


@dataclass(slots=True)
class Memory:
    """The proofs of what was taken and committed, each with the fingerprint of its body, until its time is out."""

    _taken: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    def body_of(self, name: bytes) -> bytes | None:
        """The fingerprint of the body that came with a proof; None when it was not taken."""
        found = self._taken.get(name)
        return None if found is None else found[0]

    def keep(self, name: bytes, body: bytes, until: int, now: int) -> None:
        """Remember a proof; what is too old goes, and the oldest when there are too many."""
        self._taken[name] = (body, until)
        for oldest in list(self._taken)[: 2 if len(self._taken) <= REMEMBERED_MAX else 16]:
            if self._taken[oldest][1] < now or len(self._taken) > REMEMBERED_MAX:
                del self._taken[oldest]

    def __len__(self) -> int:
        return len(self._taken)


@dataclass(slots=True)
class Hook:
    """An address to which one tool posts.

    Units: `window`, how old a signed time may be, in microseconds; `limit` in bytes
    """

    name: str
    source: str
    check: Check
    window: int
    limit: int = LIMIT
    secret_header: str = ""
    memory: Memory = field(default_factory=Memory)
    outcomes: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def believe(self, sent: Sent, now: int) -> tuple[Proof, bool]:
        """Check who sent this.

        Gives:  the proof, and whether the very same request was taken before
        Raises: DoubtError
        """
        proof = self.check(sent)
        if proof.at is not None and proof.at < now - self.window:
            old = duration_words(now - proof.at)
            raise DoubtError(Doubt.STALE, f"this was signed {old} ago, at most {duration_words(self.window)} is taken")
        if proof.at is not None and proof.at > now + AHEAD:
            ahead = duration_words(proof.at - now)
            raise DoubtError(Doubt.FROM_THE_FUTURE, f"this was signed {ahead} from now: one of the two clocks is wrong")
        body = None if proof.name is None else self.memory.body_of(proof.name)
        if body is not None and body != fingerprint(sent.body):
            raise DoubtError(Doubt.REPLAYED, "this signature came before, with another body")
        return proof, body is not None

    def remember(self, proof: Proof, sent: Sent, now: int) -> None:
        """Note that this request was taken and committed."""
        if proof.name is not None and proof.at is not None:
            with self._lock:
                self.memory.keep(proof.name, fingerprint(sent.body), proof.at + self.window, now)

    def count(self, outcome: str) -> None:
        """Count what became of a request."""
        with self._lock:
            self.outcomes[outcome] += 1
