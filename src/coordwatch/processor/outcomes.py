"""Outcomes: what detect says of acts and what every stage counts, as records on their way to the alerts role, and back.

Detection changes and absolute amounts enter and records leave, or the other way round. The next room: the stage `alerts`.
"""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, unquote

from coordwatch.alerts.plain import detection_from_plain, detection_to_plain
from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.engine.ledger import CountLine, Line, Reach, ReachLine, TallyLine
from coordwatch.processor.stage import Output
from coordwatch.rules.detection import DetectionChange, RetractReason

__all__ = [
    "BadRecord",
    "CountLine",
    "Line",
    "Reach",
    "ReachLine",
    "TallyLine",
    "alias_of",
    "alias_value",
    "amount_of",
    "change_of",
    "detection_record",
    "line_key",
    "line_of",
    "line_value",
    "reach_of",
]

ID = "cw-id"
_KINDS = frozenset({"raised", "amended", "made_good", "retracted"})


class BadRecord(ValueError):
    """A record of one of our own topics that this program cannot read; the message says what is wrong with it."""


def detection_record(topic: str, change: DetectionChange) -> Output:
    """A detection change as a record.

    Its key is the detection's id, which stays the same when the act's customer turns out to be another one: Kafka then
    keeps what the old and the new owner say of one act in the order in which they said it.
    """
    detection = change.detection
    plain = {
        "kind": change.kind,
        "reason": change.reason.value if change.reason else None,
        "detection": detection_to_plain(detection),
    }
    name = detection.id.encode()
    return Output(topic, name, encode_json(plain), headers=((ID, name),))


def change_of(value: bytes) -> DetectionChange:
    """The detection change of a record.

    Raises: BadRecord
    """
    try:
        plain = decode_json(value)
        kind, reason = plain["kind"], plain["reason"]
        if kind not in _KINDS:
            raise BadRecord(f"no change of a detection is called '{str(kind)[:40]}'")
        return DetectionChange(
            kind, detection_from_plain(plain["detection"]), RetractReason(reason) if reason else None
        )
    except BadRecord:
        raise
    except (NotJson, KeyError, TypeError, ValueError) as error:
        raise BadRecord(f"not a detection: {error}") from None


def line_key(line: Line) -> bytes:
    """The key of a ledger row."""
    words = {CountLine: "count", TallyLine: "tally", ReachLine: "progress"}[type(line)]
    if isinstance(line, ReachLine):
        topic, _, partition = line.place.rpartition("/")
        return _path([words, line.input, topic, partition])
    return _path([words, *(str(one) for one in line)])


def line_of(key: bytes) -> Line:
    """What a ledger row is about.

    Raises: BadRecord
    """
    try:
        word, *parts = (unquote(part, errors="strict") for part in key.decode("ascii").split("/"))
        match word, parts:
            case "count", [part, rule, hour, act_tool, evidence_tool, kind]:
                return CountLine(part, rule, int(hour), act_tool, evidence_tool, kind)
            case "tally", [stage, place, name]:
                return TallyLine(stage, place, name)
            case "progress", [name, topic, partition]:
                return ReachLine(name, f"{topic}/{int(partition)}")
    except ValueError:
        pass
    raise BadRecord(f"no row of the ledger has the key {key[:200]!r}")


def line_value(amount: int | Reach) -> bytes:
    """The value of a ledger row."""
    return encode_json(list(amount) if isinstance(amount, Reach) else amount)


def amount_of(value: bytes) -> int:
    """The amount of a count or a tally.

    Raises: BadRecord
    """
    plain = _plain(value)
    if type(plain) is not int:
        raise BadRecord("the amount of a ledger row is no whole number")
    return plain


def reach_of(value: bytes) -> Reach:
    """The progress of a row.

    Raises: BadRecord
    """
    plain = _plain(value)
    if not isinstance(plain, list) or len(plain) != 3 or any(type(one) is not int for one in plain):
        raise BadRecord("the progress of a ledger row is not three instants")
    return Reach(*plain)


def alias_value(customer: str) -> bytes:
    """The value of a row of the aliases: who the old key is now."""
    return encode_json({"customer": customer})


def alias_of(value: bytes) -> str:
    """Who an old customer key is now.

    Raises: BadRecord
    """
    plain = _plain(value)
    customer = plain.get("customer") if isinstance(plain, dict) else None
    if not isinstance(customer, str):
        raise BadRecord("an alias names no customer")
    return customer


def _path(parts: Sequence[str]) -> bytes:
    return "/".join(map(_quoted, parts)).encode("ascii")


@lru_cache(4_096)
def _quoted(part: str) -> str:
    """A part of a key; the same few come again at every commit."""
    return quote(part, safe="")


def _plain(value: bytes) -> object:
    try:
        plain: object = decode_json(value)
    except NotJson as error:
        raise BadRecord(f"not JSON: {error}") from None
    return plain
