"""Dead letters on their topic: a record that could not be used, untouched, with where it stood and why it is here.

What enters: the record and a Refusal. What leaves: an Output for the dead-letter topic; the Letter again for a person; and
an Output that sends the original round once more. The next room: `ingesting`, which takes those up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from coordwatch.codec import Struct
from coordwatch.ports import DeadLetter
from coordwatch.processor.records import Refusal
from coordwatch.processor.stage import Headers, Output, Place

_ID, _TOPIC = "cw-id", "cw-topic"
_DETAIL_MAX = 1000


class Origin(Struct, frozen=True):
    """A record where a stage read it first. `input` names the configured input it came by.

    Units: `timestamp` in microseconds since 1970 UTC, 0 when the log does not say
    """

    place: Place
    offset: int
    timestamp: int
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    input: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; `pieces` of the record were refused for this reason."""

    id: str
    origin: Origin
    refusal: Refusal
    pieces: int = 1


def letter_id_of(origin: Origin, refusal: Refusal) -> str:
    """The id of a dead letter: the same for the same record and reason, however often it fails."""
    where = f"{origin.place}/{origin.offset}\x1f{refusal.stage}\x1f{refusal.reason}\x1f"
    return sha256(where.encode("utf-8", "backslashreplace") + (origin.value or b"")).hexdigest()[:32]


def letters_of(topic: str, origin: Origin, refusals: Sequence[Refusal]) -> list[Output]:
    """The dead letters of one record: one for each reason, whatever the number of its pieces.

    A batch of a thousand bad pieces must not become a thousand copies of itself. A stage behind `ingest` gives a canonical
    event as the value, on one of our own topics: as such it is taken up when it is sent round again.
    """
    alike: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refusals:
        alike.setdefault((refusal.stage, refusal.reason), []).append(refusal)
    return [
        _letter(topic, Letter(letter_id_of(origin, each[0]), origin, each[0], len(each))) for each in alike.values()
    ]


def _letter(topic: str, letter: Letter) -> Output:
    """Ours stand behind the original headers, so that those can be had back exactly, whatever they are called."""
    refusal, ours = letter.refusal, _where(letter.origin)
    headers: list[tuple[str, bytes | None]] = [*letter.origin.headers, (_ID, letter.id.encode()), *ours]
    headers += [("cw-stage", _bytes(refusal.stage)), ("cw-reason", _bytes(refusal.reason))]
    headers += [("cw-detail", _bytes(refusal.detail[:_DETAIL_MAX])), ("cw-pieces", str(letter.pieces).encode())]
    if refusal.path is not None:
        headers.append(("cw-path", _bytes(refusal.path)))
    return Output(topic, letter.id.encode(), letter.origin.value, None, headers)


def again(topic: str, letter: Letter) -> Output:
    """The original record on the topic of those that are sent round again."""
    headers = [*letter.origin.headers, *_where(letter.origin)]
    return Output(topic, letter.id.encode(), letter.origin.value, None, headers)


def read_letter(value: bytes | None, headers: Headers | None) -> Letter | None:
    """The letter of a record of the dead-letter topic; None when it is something else."""
    theirs, ours = _split(headers or (), _ID)
    origin = _origin(value, theirs, ours)
    if origin is None:
        return None
    path = ours.get("cw-path")
    refusal = Refusal(
        _text(ours.get("cw-stage")),
        _text(ours.get("cw-reason")),
        _text(ours.get("cw-detail")),
        None if path is None else _text(path),
    )
    return Letter(_text(ours.get(_ID)), origin, refusal, _number(ours.get("cw-pieces")) or 1)


def kept_letter(value: bytes | None, headers: Headers | None, at: int) -> DeadLetter | None:
    """The letter of a record of the dead-letter topic, as a database keeps it; None when it is something else."""
    letter = read_letter(value, headers)
    if letter is None:
        return None
    origin, (stage, reason, detail, path) = letter.origin, letter.refusal
    name = origin.input or origin.place.topic
    return DeadLetter(letter.id, name, stage, reason, detail, path, at, origin.value or b"")


def read_again(value: bytes | None, headers: Headers | None) -> Origin | None:
    """Where a record that was sent round again stood first; None when it does not say."""
    theirs, ours = _split(headers or (), _TOPIC)
    return _origin(value, theirs, ours)


def _where(origin: Origin) -> list[tuple[str, bytes | None]]:
    place = origin.place
    found: list[tuple[str, bytes | None]] = [
        (_TOPIC, _bytes(place.topic)),
        ("cw-partition", str(place.partition).encode()),
        ("cw-offset", str(origin.offset).encode()),
        ("cw-timestamp", str(origin.timestamp).encode()),
        ("cw-input", _bytes(origin.input)),
    ]
    if origin.key is not None:
        found.append(("cw-key", origin.key))
    return found


def _split(headers: Headers, first: str) -> tuple[Headers, dict[str, bytes | None]]:
    """The headers that were there before, and those that were put behind them; ours begin with the last one named `first`."""
    begin = max((index for index, (name, _) in enumerate(headers) if name == first), default=len(headers))
    return tuple(headers[:begin]), dict(headers[begin:])


def _origin(value: bytes | None, theirs: Headers, ours: dict[str, bytes | None]) -> Origin | None:
    topic, partition, offset = (
        _text(ours.get(_TOPIC)),
        _number(ours.get("cw-partition")),
        _number(ours.get("cw-offset")),
    )
    if not topic or partition is None or offset is None:
        return None
    timestamp, input_name = _number(ours.get("cw-timestamp")) or 0, _text(ours.get("cw-input"))
    return Origin(Place(topic, partition), offset, timestamp, value, ours.get("cw-key"), theirs, input_name)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "replace")


def _number(value: bytes | None) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None
