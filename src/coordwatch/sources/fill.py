"""Filling the data of an event: refs, fields, identifiers and what the catalogue knows, each checked as it is written.

What enters: the parts of an emission and the taxonomy of its type. What leaves: functions that write into `data` and
refuse, with the path, what the type does not allow. The next room: `emit`, which calls them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from coordwatch.events.vocabulary import REFS, Field
from coordwatch.sources.catalogue import SELECTORS, Entry, Find, nothing_known
from coordwatch.sources.changes import Build, Unreadable, name_of, text_of
from coordwatch.sources.code import Code
from coordwatch.sources.kinds import TEXT_MAX, Convert, KindError, converter_of, describe
from coordwatch.sources.lookups import Note
from coordwatch.sources.mapping import IdentifierSpec, ValueSpec
from coordwatch.sources.paths import Getter, Scope
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.values import compile_raw, compile_value, path_text, value_expression

Fill = Callable[[Scope, dict[str, Any]], None]
IDENTIFIERS_MAX = 100
SELECTED_MAX = 100


def joined(path: str | None, inner: str) -> str | None:
    """Give the path of a thing inside a value."""
    return f"{path}.{inner}" if path and inner else path or inner or None


class Slot(NamedTuple):
    """A field of an event type: what it is called, what it wants, whether it must be there."""

    name: str
    field: Field
    required: bool


def field_lines(slot: Slot, spec: ValueSpec, build: Build, code: Code) -> list[str]:
    """Write out the lines that put one field into `data`."""
    name, field, required = slot
    path = path_text(spec, build)
    lines = [
        f"v = {value_expression(spec, build, code)}",
        "if v is not None:",
        f"    v = {_kind(name, field, path, code)}",
    ]
    lines += ["if v is not None:", f"    data[{code.name(name)}] = v"]
    if required:
        missing = _missing(name, compile_raw(spec, build), path)
        lines += ["else:", f"    {code.name(missing)}(scope)"]
    return lines


def _kind(name: str, field: Field, path: str | None, code: Code) -> str:
    """Write out how `v` becomes what the field wants; a text that is right as it is needs no function."""
    convert = converter_of(name, field)

    def converted(value: Any) -> Any:
        return _converted(value, convert, name, path)

    slow = f"{code.name(converted)}(v)"
    if field.kind == "string" and field.values:
        return f"v if type(v) is str and v in {code.name(frozenset(field.values))} else {slow}"
    if name in REFS:
        return f"{code.name(name_of)}(v) if type(v) is str and len(v) <= {TEXT_MAX} else {slow}"
    if field.kind in ("string", "strings"):
        return f"v.strip() or None if type(v) is str and len(v) <= {TEXT_MAX} else {slow}"
    return slow


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


def fill_identifiers(specs: Sequence[IdentifierSpec], build: Build) -> Fill:
    """Make the function that writes the identifiers of one of those affected, or of anything else with a loop around it."""
    code = Code()
    fill = code.function(
        ["def fill(data):", *(f"    {line}" for line in identifier_lines(specs, build, code)), "return fill"]
    )
    return lambda scope, data: fill(scope)(data)


def identifier_lines(specs: Sequence[IdentifierSpec], build: Build, code: Code) -> list[str]:
    """Write out the lines that put the identifiers into `data`; one whose value is missing or empty is left out."""
    lines = ["found = []"]
    for spec in specs:
        kind = value_expression(spec.type, build, code)
        namespace = "None" if spec.namespace is None else value_expression(spec.namespace, build, code)
        path = code.name(path_text(spec.value, build))
        lines += [f"v = {value_expression(spec.value, build, code)}", "if v is not None and v != '':"]
        lines.append(f"    {code.name(_add_identifier)}(found, v, {kind}, {namespace}, {path})")
    return [*lines, "if found:", "    data['identifiers'] = found"]


def _add_identifier(found: list[dict[str, str]], value: Any, kind: Any, namespace: Any, path: str | None) -> None:
    if namespace is None and type(kind) is str and type(value) is str and len(value) <= TEXT_MAX and not found:
        text = value.strip()
        if text:  # by far the most common: the first one, a text of a type that stands in the mapping
            found.append({"type": kind, "value": text})
        return
    type_name, inner = text_of(kind), text_of(namespace)
    if type_name is None:
        return
    named = {"type": type_name} if inner is None else {"type": type_name, "namespace": inner}
    for element in value if type(value) is list else (value,):
        text_or_none = text_of(element)
        if text_or_none is None:
            _see_that_it_is_empty(element, path)
            continue
        if len(text_or_none) > TEXT_MAX:
            raise RefusedError(MapRejectReason.TOO_LONG, Stage.VALIDATE, path, f"longer than {TEXT_MAX} characters")
        one = {**named, "value": text_or_none}
        if one not in found:
            found.append(one)
        if len(found) > IDENTIFIERS_MAX:
            detail = f"more than {IDENTIFIERS_MAX} identifiers in one event"
            raise RefusedError(MapRejectReason.TOO_MANY, Stage.VALIDATE, path, detail)


def _see_that_it_is_empty(element: Any, path: str | None) -> None:
    if element is not None and not (isinstance(element, str) and not element.strip()):
        inner = element.value if isinstance(element, Unreadable) else element
        detail = f"an identifier wants a text or a whole number, holds {describe(inner)}"
        raise RefusedError(MapRejectReason.WRONG_KIND, Stage.VALIDATE, path, detail)


def fill_from_catalogue(specs: Mapping[str, ValueSpec], find: Find, build: Build) -> Fill:
    """Make the function that writes category, purpose, owner and items of a message; what the payload said stays."""
    getters = [compile_value(specs[name], build) if name in specs else None for name in SELECTORS]
    category, purpose = (build.lookups.note(f"{build.source}.{name}") for name in ("category", "purpose"))

    def fill(scope: Scope, data: dict[str, Any]) -> None:
        entry = (
            None
            if find is nothing_known
            else find(tuple(() if get is None else _selected(get(scope)) for get in getters))
        )
        if "category" in data:
            data.setdefault("category_basis", "payload")
        elif entry is not None and entry.category is not None:
            data["category"], data["category_basis"] = entry.category, "catalogue"
        else:
            data["category"], data["category_basis"] = "unknown", "default"
        if entry is not None:
            _add_entry(entry, data)
        category(data["category"] != "unknown")
        purpose("purpose" in data)

    return fill


def _add_entry(entry: Entry, data: dict[str, Any]) -> None:
    if entry.purpose is not None:
        data.setdefault("purpose", entry.purpose)
    if entry.owner_team is not None:
        data.setdefault("owner_team", entry.owner_team)
    if entry.items and "items" not in data:
        data["items"] = [{"sku": item} for item in entry.items]


def _selected(value: Any) -> tuple[str, ...]:
    elements = value if isinstance(value, list) else () if value is None else (value,)
    texts = (text_of(element) for element in elements[:SELECTED_MAX])
    return tuple(text for text in texts if text is not None and len(text) <= TEXT_MAX)


def fill_our_words(build: Build) -> Fill | None:
    """Make the function that says SKUs and places as this site does; None where the catalogue has no words for the tool."""
    tool = build.source
    skus, locations = build.catalogue.skus.get(tool), build.catalogue.locations.get(tool)
    if not skus and not locations:
        return None
    sku = _renamed(skus, build.lookups.note(f"{tool}.skus"))
    location = _renamed(locations, build.lookups.note(f"{tool}.locations"))

    def fill(scope: Scope, data: dict[str, Any]) -> None:
        if "location" in data and locations:
            data["location"] = location(data["location"])
        if "item" in data and skus:
            data["item"] = sku(data["item"])
        if "items" in data and skus:
            data["items"] = [{**one, "sku": sku(one["sku"])} if "sku" in one else one for one in data["items"]]

    return fill


def _renamed(words: Mapping[str, str] | None, note: Note) -> Callable[[Any], Any]:
    known = words or {}

    def rename(value: Any) -> Any:
        if isinstance(value, list):
            return [rename(one) for one in value]
        note(value in known)
        return known.get(value, value)

    return rename
