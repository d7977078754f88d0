"""Dead letters sent round again beside a Kafka: each original once more on its topic of repeats, where a worker takes it up.

What enters: dead letters that somebody chose.
What leaves: records for the stage `ingest`; a sentence about it.
The next room: the page of the sources.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.letters import LetterBox, Posted
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.clock import Clock
from coordwatch.events.words import number_words
from coordwatch.ports import DeadLetter, Effects
from coordwatch.processor.topics import Topics


def sends_again(
    access: KafkaAccess, topics: Topics, store: SqlStore, clock: Clock
) -> Callable[[Sequence[DeadLetter], str], str]:
    """What sends letters round again for somebody. It raises TemporaryError when the brokers do not answer."""

    def again(letters: Sequence[DeadLetter], actor: str) -> str:
        wanted = {one.id for one in letters}
        with closing(LetterBox(access, topics)) as box:
            found, left = _found(box, wanted)
            sent = box.send_again(found.values())
        now = clock.now()
        # What fails again comes back under the same id.
        store.commit(Effects(letters_gone=sorted(wanted - left)), now)
        store.trail().add([Deed(now, actor, DeedKind.LETTER_REPLAY, "", {"records": len(wanted), "sent": sent})])
        rest = (
            f" {number_words(len(left))} {'is' if len(left) == 1 else 'are'} on the topic no more, and"
            f" {'stands' if len(left) == 1 else 'stand'} here as before."
        )
        return f"{number_words(sent)} sent round again; what fails again comes back here in a moment.{rest if left else ''}"

    return again


def _found(box: LetterBox, wanted: set[str]) -> tuple[dict[tuple[object, int], int], set[str]]:
    """Where the letters lie, by record, since one with several letters is sent once; and those that lie there no more."""
    left = set(wanted)
    found: dict[tuple[object, int], int] = {}

    def pick(posted: Posted) -> tuple[str, object, int, int] | None:
        letter = posted.letter
        return (letter.id, letter.origin.place, letter.origin.offset, posted.offset) if letter.id in wanted else None

    for name, place, offset, at in box.newest_first(pick):
        found.setdefault((place, offset), at)
        left.discard(name)
        if not left:
            break
    return found, left
