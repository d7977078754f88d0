"""Fields: one field of an event, written out as the lines that read it, make of it what the taxonomy wants, and put it down.

What enters: a Slot of an event type and the ValueSpec for it. What leaves: lines of code that write into `data` and refuse,
with the path, what the type does not allow. A text or a number that is right as it stands needs no function at all; whatever
else stands there goes to the one function of `kinds` that knows. The next room: `emit`, which puts the lines together.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from coordwatch.events.vocabulary import Field
from coordwatch.sources.changes import Build, is_written_as_ours, name_of
from coordwatch.sources.checks import kind_expression
from coordwatch.sources.code import Code
from coordwatch.sources.kinds import Convert, KindError, converter_of, describe, joined
from coordwatch.sources.mapping import ValueSpec
from coordwatch.sources.objects import objects_expression
from coordwatch.sources.paths import Getter, Scope
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.values import compile_raw, path_text, value_expression


class Slot(NamedTuple):
    """A field of an event type: what it is called, what it wants, whether it must be there."""

    name: str
    field: Field
    required: bool


def field_lines(slot: Slot, spec: ValueSpec, build: Build, code: Code) -> list[str]:
    """Write out the lines that put one field into `data`."""
    name, field, required = slot
    path = path_text(spec, build)
    convert = converter_of(name, field)

    def converted(value: Any) -> Any:
        return _converted(value, convert, name, path)

    objects = objects_expression(field, spec, converted, build, code)
    check = kind_expression(name, field, converted, code)
    if field.kind == "timestamp" and is_written_as_ours(spec):
        check = f"v if type(v) is str else {check}"
    put = "" if objects else f" and (v := {check}) is not None"
    lines = [
        f"v = {objects or value_expression(spec, build, code)}",
        f"if v is not None{put}:",
        f"    data[{code.name(name)}] = v",
    ]
    if required:
        missing = _missing(name, compile_raw(spec, build), path)
        lines += ["else:", f"    {code.name(missing)}(scope)"]
    return lines


def _converted(value: Any, convert: Convert, name: str, path: str | None) -> Any:
    try:
        return convert(value)
    except KindError as error:
        raise RefusedError(error.reason, Stage.VALIDATE, joined(path, error.path), f"'{name}' {error.detail}") from None


def _missing(name: str, raw: Getter, path: str | None) -> Callable[[Scope], None]:
    def refuse(scope: Scope) -> None:
        value = raw(scope)
        if value is None or value == "" or (isinstance(value, str | int) and name_of(value) is None):
            held = "nothing stands here" if value in (None, "") else f"{describe(value)} stands for nothing"
            detail = f"'{name}' is required, and {held}"
            raise RefusedError(MapRejectReason.MISSING_FIELD, Stage.MAP, path, detail)
        detail = f"'{name}' is required, and the mapping has no word for {describe(value)}"
        raise RefusedError(MapRejectReason.UNKNOWN_VALUE, Stage.MAP, path, detail)

    return refuse
