"""What a mapping takes and gives: a Record of bytes in; Events, rejections and drops out, all of them counted.

What enters: bytes with their place in a log. What leaves: `MapResult`, for which the accounting identity
`pieces = applied + dropped + rejected` holds exactly. The next room: `decode` reads the bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coordwatch.codec import Struct
from coordwatch.events.event import Event

Headers = Mapping[str, str | bytes | None] | Sequence[tuple[str, str | bytes | None]]


class Record(Struct, frozen=True):
    """Bytes as a log holds them; a `value` of None is a tombstone.

    Units: `timestamp` (when the log took it) in microseconds since 1970 UTC, None when nobody wrote it down
    """

    value: bytes | None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    key: bytes | None = None
    headers: Headers = ()
    timestamp: int | None = None


class Stage(StrEnum):
    """Where in the walk from bytes to an Event something was refused."""

    DECODE = "decode"
    UNWRAP = "unwrap"
    SPLIT = "split"
    MAP = "map"
    VALIDATE = "validate"


class MapRejectReason(StrEnum):
    """Why a record, or one piece of it, became a dead letter; the values are metric label values."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    BINARY_SCHEMA = "binary_schema"
    UNKNOWN_SCHEMA = "unknown_schema"
    UNUSABLE_SCHEMA = "unusable_schema"
    NOT_BY_SCHEMA = "not_by_schema"
    TOO_DEEP = "too_deep"
    BAD_WRAPPER = "bad_wrapper"
    NOT_AN_OBJECT = "not_an_object"
    TOO_MANY = "too_many"
    NO_MAPPING = "no_mapping"
    NOT_RECOGNISED = "not_recognised"
    MISSING_ID = "missing_id"
    MISSING_FIELD = "missing_field"
    BAD_TIME = "bad_time"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VALUE = "unknown_value"
    WRONG_KIND = "wrong_kind"
    TOO_LONG = "too_long"
    NO_CUSTOMER = "no_customer"
    DUPLICATE_ID = "duplicate_id"
    INTERNAL = "internal"


class DropReason(StrEnum):
    """Why a piece was left aside on purpose; the values are metric label values.

    The first three are found by the engine, the others are chosen by a mapping in `drop_if`.
    """

    TOMBSTONE = "tombstone"
    SNAPSHOT = "snapshot"
    EMPTY_BATCH = "empty_batch"
    DELETION = "deletion"
    HOUSEKEEPING = "housekeeping"
    NO_NEWS = "no_news"
    ALREADY_REPORTED = "already_reported"
    NOT_WATCHED = "not_watched"
    NOT_ABOUT_A_CUSTOMER = "not_about_a_customer"
    PLACEHOLDER_CUSTOMER = "placeholder_customer"
    STAFF = "staff"
    TEST_DATA = "test_data"
    GAP = "gap"


CHOSEN_BY_MAPPINGS = tuple(
    reason.value
    for reason in DropReason
    if reason not in (DropReason.TOMBSTONE, DropReason.SNAPSHOT, DropReason.EMPTY_BATCH)
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """One piece that could not be mapped: the reason, the stage, the field it is about, and a sentence.

    `piece` counts from 0 inside the record and is None when the whole record is refused.
    """

    reason: MapRejectReason
    stage: Stage
    path: str | None
    detail: str
    piece: int | None = None


class MapResult(Struct, frozen=True):
    """Everything one record came to; `pieces` were split from it, `applied` of them gave Events.

    `unknown_category` counts the messages whose category nobody could tell; `source` names the mapping.
    """

    events: tuple[Event, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    dropped: tuple[DropReason, ...] = ()
    pieces: int = 0
    applied: int = 0
    unknown_category: int = 0
    source: str | None = None


class RefusedError(Exception):
    """Carries a rejection from deep inside a mapping to the mapper, which turns it into a value; nobody else sees it."""

    def __init__(self, reason: MapRejectReason, stage: Stage, path: str | None, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.stage = stage
        self.path = path
        self.detail = detail

    def rejection(self, piece: int | None) -> Rejection:
        """Give the rejection of one piece."""
        return Rejection(self.reason, self.stage, self.path, self.detail, piece)


class LeftAsideError(Exception):
    """Carries a drop from deep inside an unwrapping to the mapper, which turns it into a value."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
