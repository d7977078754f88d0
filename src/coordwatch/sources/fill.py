"""Filling the data of an event: refs, fields, identifiers and what the catalogue knows, each checked as it is written.

What enters: the parts of an emission and the taxonomy of its type. What leaves: functions that write into `data` and
refuse, with the path, what the type does not allow. The next room: `emit`, which calls them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coordwatch.events.vocabulary import Field
from coordwatch.sources.catalogue import SELECTORS, Entry, Find
from coordwatch.sources.changes import Build, Unreadable, name_of, text_of
from coordwatch.sources.kinds import TEXT_MAX, Convert, KindError, converter_of, describe
from coordwatch.sources.lookups import Note
from coordwatch.sources.mapping import IdentifierSpec, ValueSpec
from coordwatch.sources.paths import Getter, Scope
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.values import compile_raw, compile_value, path_text

Fill = Callable[[Scope, dict[str, Any]], None]
IDENTIFIERS_MAX = 100
SELECTED_MAX = 100


def joined(path: str | None, inner: str) -> str | None:
    """Give the path of a thing inside a value."""
    return f"{path}.{inner}" if path and inner else path or inner or None


def fill_field(name: str, spec: ValueSpec, field: Field, required: bool, build: Build) -> Fill:
    """Make the function that writes one field."""
    get, convert, path = compile_value(spec, build), converter_of(name, field), path_text(spec, build)
    missing = _missing(name, compile_raw(spec, build), path)

    def fill(scope: Scope, data: dict[str, Any]) -> None:
        value = get(scope)
        if value is not None:
            value = _converted(value, convert, name, path)
        if value is not None:
            data[name] = value
        elif required:
            raise missing(scope)

    return fill


def _converted(value: Any, convert: Convert, name: str, path: str | None) -> Any:
    try:
        return convert(value)
    except KindError as error:
        raise RefusedError(error.reason, Stage.VALIDATE, joined(path, error.path), f"'{name}' {error.detail}") from None


def _missing(name: str, raw: Getter, path: str | None) -> Callable[[Scope], RefusedError]:
    def explain(scope: Scope) -> RefusedError:
        value = raw(scope)
        if value is None or value == "" or (isinstance(value, str | int) and name_of(value) is None):
            held = "nothing stands here" if value in (None, "") else f"{describe(value)} stands for nothing"
            detail = f"'{name}' is required, and {held}"
            return RefusedError(MapRejectReason.MISSING_FIELD, Stage.MAP, path, detail)
        detail = f"'{name}' is required, and the mapping has no word for {describe(value)}"
        return RefusedError(MapRejectReason.UNKNOWN_VALUE, Stage.MAP, path, detail)

    return explain


def fill_identifiers(specs: Sequence[IdentifierSpec], build: Build) -> Fill:
    """Make the function that writes the identifiers; one whose value is missing or empty is left out."""
    getters = [
        (
            compile_value(spec.type, build),
            compile_value(spec.value, build),
            None if spec.namespace is None else compile_value(spec.namespace, build),
            path_text(spec.value, build),
        )
        for spec in specs
    ]

    def fill(scope: Scope, data: dict[str, Any]) -> None:
        found: list[dict[str, str]] = []
        for type_of, value_of, namespace_of, path in getters:
            value = value_of(scope)
            if value is None or value == "":
                continue
            type_name = text_of(type_of(scope))
            if type_name is None:
                continue
            namespace = None if namespace_of is None else text_of(namespace_of(scope))
            for text in _texts(value, path):
                one = {"type": type_name, "value": text}
                if namespace:
                    one["namespace"] = namespace
                if one not in found:
                    found.append(one)
                if len(found) > IDENTIFIERS_MAX:
                    detail = f"more than {IDENTIFIERS_MAX} identifiers in one event"
                    raise RefusedError(MapRejectReason.TOO_MANY, Stage.VALIDATE, path, detail)
        if found:
            data["identifiers"] = found

    return fill


def _texts(value: Any, path: str | None) -> list[str]:
    texts: list[str] = []
    for element in value if isinstance(value, list) else (value,):
        text = text_of(element)
        if text is None and element is not None and not (isinstance(element, str) and not element.strip()):
            inner = element.value if isinstance(element, Unreadable) else element
            detail = f"an identifier wants a text or a whole number, holds {describe(inner)}"
            raise RefusedError(MapRejectReason.WRONG_KIND, Stage.VALIDATE, path, detail)
        if text is not None and len(text) > TEXT_MAX:
            raise RefusedError(MapRejectReason.TOO_LONG, Stage.VALIDATE, path, f"longer than {TEXT_MAX} characters")
        if text is not None:
            texts.append(text)
    return texts


def fill_from_catalogue(specs: Mapping[str, ValueSpec], find: Find, build: Build) -> Fill:
    """Make the function that writes category, purpose, owner and items of a message; what the payload said stays."""
    getters = [compile_value(specs[name], build) if name in specs else None for name in SELECTORS]
    category, purpose = (build.lookups.note(f"{build.source}.{name}") for name in ("category", "purpose"))

    def fill(scope: Scope, data: dict[str, Any]) -> None:
        entry = find(tuple(() if get is None else _selected(get(scope)) for get in getters))
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
