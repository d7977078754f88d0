"""Where a dotted path leads in an event type: the taxonomy in, a field or the reason there is none out.

`resolve` asks it for every name in an expression, `parse` for every path of a key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coordwatch.errors import Problem
from coordwatch.events.vocabulary import ANY, ATTRIBUTES, STRING, TIMESTAMP, EventType, Field
from coordwatch.rules.expression import Kind
from coordwatch.rules.hints import hint_for

_KINDS: dict[str, Kind] = {
    "string": "string", "integer": "int", "number": "double", "boolean": "bool", "timestamp": "timestamp",
    "strings": "any", "objects": "list", "object": "object", "any": "any",
}  # fmt: skip
WORDS: dict[str, str] = {
    "string": "a text", "int": "a whole number", "double": "a number", "bool": "true or false",
    "timestamp": "a time", "duration": "a duration", "list": "a list", "object": "an object", "any": "any value",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoField:
    """Why a path leads nowhere, and the next move."""

    message: str
    word: str = ""
    choices: tuple[str, ...] = ()
    advice: str | None = None

    def hint(self, problems: Sequence[Problem]) -> str | None:
        """The next move, given how many problems there are already."""
        return self.advice or (hint_for(self.word, self.choices, problems) if self.choices else None)


def kind_of_field(field: Field) -> Kind:
    """The kind of a field's value in an expression: a field of texts may hold one text or a list, so it is `any`."""
    return _KINDS[field.kind]


def field_at(event_type: EventType, path: Sequence[str], *, through_lists: bool) -> Field | NoField:
    """Follow a path into an event type: a data field first, then an attribute of the envelope."""
    first = event_type.fields.get(path[0])
    if first is None and path[0] in ATTRIBUTES:
        first = TIMESTAMP if ATTRIBUTES[path[0]] == "timestamp" else STRING
    if first is None:
        return NoField(f"{event_type.name} has no field '{path[0]}'", path[0], (*event_type.fields, *ATTRIBUTES))
    return field_inside(first, path, through_lists=through_lists)


def field_inside(field: Field, path: Sequence[str], *, through_lists: bool) -> Field | NoField:
    """Follow the rest of a path; `path[0]` is the name under which the field was found."""
    for depth, name in enumerate(path[1:], start=1):
        sofar = ".".join(path[:depth])
        if field.kind == "any" or (field.kind == "object" and not field.fields):
            return ANY
        if field.kind == "objects" and not through_lists:
            return NoField(f"'{sofar}' is a list", advice=f'write {sofar}.exists(x, x.{name} == "...")')
        if field.kind not in ("object", "objects"):
            return NoField(f"'{sofar}' is {WORDS[kind_of_field(field)]} and has no '{name}'")
        inner = field.fields.get(name)
        if inner is None:
            return NoField(f"'{sofar}' has no field '{name}'", name, tuple(field.fields))
        field = inner
    return field


def field_of_any(types: Iterable[EventType], path: Sequence[str], *, through_lists: bool) -> Field | NoField:
    """Follow a path into several event types: it must lead somewhere in at least one; different kinds make `any`."""
    found = [field_at(event_type, path, through_lists=through_lists) for event_type in types]
    fields = [field for field in found if isinstance(field, Field)]
    if not fields:
        return next((field for field in found if isinstance(field, NoField)), NoField(f"no field '{path[0]}'"))
    first = fields[0]
    if all(field.kind == first.kind for field in fields):
        values = tuple(dict.fromkeys(value for field in fields for value in field.values))
        open_ended = any(not field.values for field in fields)
        return Field(first.kind, () if open_ended else values, first.fields)
    return ANY
