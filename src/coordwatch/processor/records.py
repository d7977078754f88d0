"""Records and results: what a processor is given, what it answers, and the settings of a site.

Bytes with their place enter; one answer a record leaves.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from coordwatch.codec import Struct
from coordwatch.events.event import Event
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.sources.record import Record

CANONICAL = "canonical"


DAY = 86_400_000_000


class ResultStatus(StrEnum):
    """What became of a record or an event; the values are metric label values.

    The accounting identity: `in` is the sum of all of these, always.
    """

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    DROPPED = "dropped"
    PARKED = "parked"
    DEAD_LETTERED = "dead_lettered"


class Input(Struct, frozen=True):
    """One record to handle: `source` names its mapping (None: find it), `input` the configured input it came by."""

    record: Record
    source: str | None = None
    input: str = ""


class Refusal(NamedTuple):
    """Why something could not be used: the stage, a reason that is a metric label, a sentence, and the field it is about."""

    stage: str
    reason: str
    detail: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record, and of how many events; `reason` is a metric label value.

    `became` has a status for each event, `dropped` a reason for each piece left aside, `refused` one for each that could
    not be used, and `pieces` the number of each of those inside the record, None when the whole record is refused.
    """

    status: ResultStatus
    reason: str | None = None
    detail: str | None = None
    events: int = 0
    became: tuple[ResultStatus, ...] = ()
    dropped: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    pieces: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what is not a journal is kept, in microseconds.

    Refs that no event names (messages by themselves), alerts that are closed, dead letters, and entries about who is kept
    away (None: for ever).
    """

    refs: int = 400 * DAY
    messages: int = 180 * DAY
    alerts: int = 400 * DAY
    dead_letters: int = 30 * DAY
    kept_away: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessorSettings:
    """What a site decides about processing. Units: `lateness` in microseconds."""

    identity: IdentityPolicy = field(default_factory=IdentityPolicy)
    lateness: int = 7 * DAY
    cap: int = 200
    keep: Keep = field(default_factory=Keep)


CLAMP_AFTER = 5 * 60_000_000


def clamped(event: Event, now: int, arrived_at: int | None) -> Event:
    """An event that says it happened in the future, moved to when it was observed (RULES 34).

    Against `observed_at`, so that a repeat is clamped to the same instant; one whose observation lies in the future too
    is moved to when it arrived.
    """
    observed_at = event.observed_at
    if observed_at > now + CLAMP_AFTER:
        observed_at = now if arrived_at is None else min(arrived_at, now)
    if event.time <= observed_at + CLAMP_AFTER:
        return event
    data = {**event.data, "time_basis": "clamped"}
    return Event(event.source, event.id, event.type, observed_at, observed_at, event.subject, data)


def letter_id(origin: str, original: bytes) -> str:
    """The id of a dead letter: the same for the same bytes from the same place."""
    return sha256(origin.encode() + b"\x1f" + original).hexdigest()[:32]
