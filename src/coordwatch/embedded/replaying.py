"""Dead letters sent round again in the one-process runtime: their original bytes, by the way that they came.

What enters: dead letters that somebody chose.
What leaves: a sentence about what came of it; letters that could be used are letters no more.
The next room: the page of the sources.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.trail import Trail
from coordwatch.clock import Clock
from coordwatch.codec import NotJson, decode_json
from coordwatch.errors import TemporaryError
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import PREFIX
from coordwatch.events.words import number_words
from coordwatch.ports import DeadLetter, Effects, Store
from coordwatch.processor import CANONICAL, Input, Result, ResultStatus
from coordwatch.sources.record import Record

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Replayer:
    """Sends letters round again. `sources` gives, by input, the mapping that reads it; without one the mapper finds out."""

    post: Callable[[Sequence[Input]], "Future[list[Result]]"]
    store: Store
    trail: Trail
    clock: Clock
    sources: Mapping[str, str | None]

    def __call__(self, letters: Sequence[DeadLetter], actor: str) -> str:
        """Send these round again for somebody, and say what came of it. Raises: TemporaryError."""
        now = self.clock.now()
        again = [
            Input(Record(one.original, topic=one.origin, timestamp=now), self._source(one), one.origin)
            for one in letters
        ]
        try:
            results = self.post(again).result(_PATIENCE_SECONDS)
        except TimeoutError:
            raise TemporaryError("the writer is busy: what was sent is used when it comes to it") from None
        used = [
            letter.id for letter, result in zip(letters, results, strict=True)
            if result.status is not ResultStatus.DEAD_LETTERED
        ]  # fmt: skip
        if used:
            self.store.commit(Effects(letters_gone=used), now)
        self.trail.add([Deed(now, actor, DeedKind.LETTER_REPLAY, "", {"records": len(letters), "used": len(used)})])
        left = len(letters) - len(used)
        rest = (
            f"; {number_words(left)} could not, and {'stands' if left == 1 else 'stand'} here as before" if left else ""
        )
        return f"{number_words(len(used))} of {number_words(len(letters))} could be used now{rest}."

    def _source(self, letter: DeadLetter) -> str | None:
        """What reads a letter: what its input says, or else what it says of itself; an input of posts takes both kinds."""
        named = self.sources.get(letter.origin)
        if named is not None:
            return named
        try:
            found = decode_json(letter.original)
        except NotJson:
            return None
        kind = found.get("type") if isinstance(found, dict) else None
        return CANONICAL if isinstance(kind, str) and kind.removeprefix(PREFIX) in TYPES else None
