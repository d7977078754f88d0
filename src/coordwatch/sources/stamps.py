"""The time and the id of an event: read from the payload, or made from what is stable about it.

What enters: the `time` and `id` of a mapping, and a Scope. What leaves: an instant with its basis, and an id.
The next room: `emit`, which writes both into the event.
"""

from collections.abc import Callable, Sequence
from typing import Any

from coordwatch.events.times import MINUTE
from coordwatch.sources.changes import Build, name_of, text_of
from coordwatch.sources.mapping import ValueSpec
from coordwatch.sources.paths import Getter, Scope
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.timestamps import EARLIEST, LATEST, ReadTime, is_date, time_reader
from coordwatch.sources.values import compile_raw, path_text

Stamp = Callable[[Scope], tuple[int, str]]
FUTURE_ALLOWED = 5 * MINUTE
ID_MAX = 512
EVENT, DAY_ONLY, BROKER, CLAMPED = "event", "day", "broker", "clamped"


def compile_stamp(specs: Sequence[ValueSpec], build: Build) -> Stamp:
    """Make the function that gives the event's time and its basis: the first readable one, else the log's own.

    A time more than five minutes after the record reached the log is the log's time, and says `clamped`. One that names
    the day only is the beginning of that day, and says `day`.
    """
    readers = [_reader(spec, build) for spec in specs]
    path = next((text for spec in specs if (text := path_text(spec, build))), None)

    def stamp(scope: Scope) -> tuple[int, str]:
        for get, read, basis in readers:
            value = get(scope)
            if value is not None:
                instant = read(value)
                if instant is not None and EARLIEST <= instant < LATEST:
                    return settle(instant, scope.observed, basis)
        if scope.observed is not None:
            return scope.observed, BROKER
        detail = "no readable time here, and the record does not say when it reached the log"
        raise RefusedError(MapRejectReason.BAD_TIME, Stage.MAP, path, detail)

    return stamp


def _reader(spec: ValueSpec, build: Build) -> tuple[Getter, ReadTime, str]:
    name = spec.format or "iso"
    return compile_raw(spec, build), time_reader(name, spec.zone), DAY_ONLY if is_date(name) else EVENT


def settle(instant: int, observed: int | None, basis: str = EVENT) -> tuple[int, str]:
    """Give the time that counts and its basis.

    Units: microseconds since 1970 UTC
    """
    if observed is not None and instant > observed + FUTURE_ALLOWED:
        return observed, CLAMPED
    return instant, basis


def checked_id(value: Any, path: str | None) -> str:
    """Give an id as text.

    Raises: RefusedError when there is none
    """
    text = name_of(value)
    if text is None:
        held = "no id here" if text_of(value) is None else f"'{text_of(value)}' is no id"
        detail = f"{held}, and an event without one cannot be told from its repeat"
        raise RefusedError(MapRejectReason.MISSING_ID, Stage.MAP, path, detail)
    if len(text) > ID_MAX:
        raise RefusedError(MapRejectReason.TOO_LONG, Stage.MAP, path, f"an id of more than {ID_MAX} characters")
    return text
