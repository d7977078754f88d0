"""The time and the id of an event: read from the payload, or made from what is stable about it.

What enters: the `time` and `id` of a mapping. What leaves: lines of code for an instant with its basis, and for an id.
The next room: `emit`, which writes both into the event.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from coordwatch.events.times import MINUTE
from coordwatch.sources.changes import NOTHING_BEGINS, Build, name_of, text_of
from coordwatch.sources.code import Code
from coordwatch.sources.mapping import ValueSpec
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.timestamps import EARLIEST, LATEST, UNITS, is_date, time_reader
from coordwatch.sources.values import path_text, raw_expression, value_expression

FUTURE_ALLOWED = 5 * MINUTE
ID_MAX = 512
EVENT, DAY_ONLY, BROKER, CLAMPED = "event", "day", "broker", "clamped"


def stamp_lines(specs: Sequence[ValueSpec], build: Build, code: Code) -> list[str]:
    """Write out the lines that find the event's `time` and its `basis`: the first readable one, else the log's own.

    A time more than five minutes after the record reached the log is the log's time, and says `clamped`. One that names
    the day only is the beginning of that day, and says `day`.
    """
    path = next((text for spec in specs if (text := path_text(spec, build))), None)
    lines = ["observed = scope.observed", "while True:"]
    for spec in specs:
        name = spec.format or "iso"
        lines += [
            f"    v = {raw_expression(spec, build, code)}",
            "    if v is not None:",
            f"        time = {_reading(name, spec.zone, code)}",
            f"        if time is not None and {EARLIEST} <= time < {LATEST}:",
            f"            basis = '{DAY_ONLY if is_date(name) else EVENT}'",
            "            break",
        ]
    return [
        *lines,
        f"    time = observed if observed is not None else {code.name(_no_time(path))}()",
        f"    basis = '{BROKER}'",
        "    break",
        f"if observed is not None and time > observed + {FUTURE_ALLOWED}:",
        "    time = observed",
        f"    basis = '{CLAMPED}'",
    ]


def _reading(name: str, zone: str | None, code: Code) -> str:
    """Write out how `v` is read; a whole number in a known unit needs no function."""
    read = f"{code.name(time_reader(name, zone))}(v)"
    return f"v * {UNITS[name]} if type(v) is int else {read}" if name in UNITS else read


def _no_time(path: str | None) -> Callable[[], NoReturn]:
    def refuse() -> NoReturn:
        detail = "no readable time here, and the record does not say when it reached the log"
        raise RefusedError(MapRejectReason.BAD_TIME, Stage.MAP, path, detail)

    return refuse


def settle(instant: int, observed: int | None, basis: str = EVENT) -> tuple[int, str]:
    """Give the time that counts and its basis.

    Units: microseconds since 1970 UTC
    """
    if observed is not None and instant > observed + FUTURE_ALLOWED:
        return observed, CLAMPED
    return instant, basis


def id_lines(spec: ValueSpec, suffix: str, build: Build, code: Code) -> list[str]:
    """Write out the lines that find the `event_id`."""
    plain = f"(event_id := v.strip()) and event_id[0] not in {code.name(NOTHING_BEGINS)} and len(event_id) <= {ID_MAX}"
    lines = [
        f"v = {value_expression(spec, build, code)}",
        f"if not (type(v) is str and {plain}):",
        f"    event_id = {code.name(checked_id)}(v, {code.name(path_text(spec, build))})",
    ]
    return [*lines, f"event_id = event_id + {code.name(suffix)}"] if suffix else lines


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
