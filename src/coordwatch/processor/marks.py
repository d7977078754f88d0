"""Marks: how far each source partition is read, told in band to every partition of the next topic.

What enters: what a stage has read. What leaves: messages of the kind `mark`, and what they say again. The log keeps a mark
behind the events it speaks of, so whoever takes it has taken those.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coordwatch.codec import decode_json, encode_json
from coordwatch.engine.ledger import Reach
from coordwatch.processor.outcomes import BadRecord
from coordwatch.processor.stage import KIND, Output

MARK = "mark"


@dataclass(frozen=True, slots=True)
class Mark:
    """What one emitter says; `by` names it among `of` emitters; `progress` is by input, then by source partition."""

    progress: Mapping[str, Mapping[str, Reach]]
    by: str = ""
    of: int = 1


def mark_records(topic: str, partitions: int, mark: Mark) -> list[Output]:
    """A mark for every partition of the next topic."""
    progress = {name: {place: list(one) for place, one in places.items()} for name, places in mark.progress.items()}
    value = encode_json({"by": mark.by, "of": mark.of, "progress": progress})
    return [Output(topic, None, value, partition, ((KIND, MARK.encode()),)) for partition in range(partitions)]


def mark_of(value: bytes) -> Mark:
    """What a mark says.

    Raises: BadRecord when it is none
    """
    try:
        plain = decode_json(value)
        progress = {
            str(name): {str(place): Reach(*map(int, one)) for place, one in places.items()}
            for name, places in plain["progress"].items()
        }
        return Mark(progress, str(plain["by"]), int(plain["of"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRecord(f"not a mark: {type(error).__name__}: {error}") from None


def later(one: Reach, other: Reach) -> Reach:
    """The later of two readings of one source partition, each part by itself."""
    return Reach(*map(max, one, other))
