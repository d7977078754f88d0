"""Filling the data of an event: refs, fields, identifiers and what the catalogue knows, each checked as it is written.

What enters: the parts of an emission and the taxonomy of its type. What leaves: functions that write into `data` and
refuse, with the path, what the type does not allow. The next room: `emit`, which calls them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coordwatch.sources.catalogue import SELECTORS, Entry, Find, nothing_known
from coordwatch.sources.changes import Build, Unreadable, text_of
from coordwatch.sources.code import Code
from coordwatch.sources.kinds import TEXT_MAX, describe
from coordwatch.sources.lookups import Note
from coordwatch.sources.mapping import IdentifierSpec, ValueSpec
from coordwatch.sources.paths import Scope
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage
from coordwatch.sources.values import constant_of, path_text, value_expression

Fill = Callable[[Scope, dict[str, Any]], None]
IDENTIFIERS_MAX = 100
SELECTED_MAX = 100


def fill_identifiers(specs: Sequence[IdentifierSpec], build: Build) -> Fill:
    """Make the function that writes the identifiers of one of those affected, or of anything else with a loop around it."""
    code = Code(item_is_dict=True, let=build.named)
    fill = code.function(
        ["def fill(data):", *(f"    {line}" for line in identifier_lines(specs, build, code)), "return fill"]
    )
    return lambda scope, data: fill(scope)(data)


def identifier_lines(specs: Sequence[IdentifierSpec], build: Build, code: Code) -> list[str]:
    """Write out the lines that put the identifiers into `data`; one whose value is missing or empty is left out."""
    lines, named = ["found = []"], list[Any]()
    for spec in specs:
        lines += [f"v = {value_expression(spec.value, build, code)}", *_one_identifier(spec, named, build, code)]
    return [*lines, "if found:", "    data['identifiers'] = found"]


def _one_identifier(spec: IdentifierSpec, named: list[Any], build: Build, code: Code) -> list[str]:
    """Write out how `v` becomes an identifier; a short text of a type that stands in the mapping needs no function.

    Takes: `named`, the types before it, of which one with the same may have found the same
    """
    kind, namespace = (constant_of(one) if one is not None else None for one in (spec.type, spec.namespace))
    names = ["None" if one is None else value_expression(one, build, code) for one in (spec.type, spec.namespace)]
    add = f"{code.name(_add_identifier)}(found, v, {', '.join(names)}, {code.name(path_text(spec.value, build))})"
    is_plain = text_of(kind) == kind is not None and (
        spec.namespace is None or text_of(namespace) == namespace is not None
    )
    if not is_plain:
        named.append(None)
        return ["if v is not None and v != '':", f"    {add}"]
    space = "" if namespace is None else f"'namespace': {code.name(namespace)}, "
    one = f"{{'type': {code.name(kind)}, {space}'value': t}}"
    again = None in named or (kind, namespace) in named
    lines = [
        f"if type(v) is str and len(v) <= {TEXT_MAX}" + (f" and len(found) < {IDENTIFIERS_MAX}:" if named else ":"),
        f"    if (t := v.strip()){f' and (one := {one}) not in found' if again else ''}:",
        f"        found.append({'one' if again else one})",
        *(
            ("elif type(v) is int and not found:", "    t = str(v)", f"    found.append({one})")
            if not again and not named
            else ()
        ),
        "elif v is not None:",
        f"    {add}",
    ]
    named.append((kind, namespace))
    return lines


def _add_identifier(found: list[dict[str, str]], value: Any, kind: Any, namespace: Any, path: str | None) -> None:
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


def catalogue_lines(specs: Mapping[str, ValueSpec], find: Find, build: Build, code: Code) -> list[str]:
    """Write out the lines that put category, purpose, owner and items of a message into `data`; what the payload said stays."""
    category, purpose = (code.name(build.lookups.counts(f"{build.source}.{name}")) for name in ("category", "purpose"))
    lines = ["if 'category' in data:", "    data.setdefault('category_basis', 'payload')"]
    if find is not nothing_known:
        selected = code.name(_selected)
        values = [value_expression(specs[name], build, code) if name in specs else "None" for name in SELECTORS]
        selection = ", ".join(f"{selected}({value})" for value in values)
        lines = [
            f"entry = {code.name(find)}(({selection}))",
            *lines,
            "elif entry is not None and entry.category is not None:",
            "    data['category'] = entry.category",
            "    data['category_basis'] = 'catalogue'",
        ]
    lines += ["else:", "    data['category'] = 'unknown'", "    data['category_basis'] = 'default'"]
    if find is not nothing_known:
        lines += ["if entry is not None:", f"    {code.name(_add_entry)}(entry, data)"]
    return [*lines, f"{category}[data['category'] != 'unknown'] += 1", f"{purpose}['purpose' in data] += 1"]


def _add_entry(entry: Entry, data: dict[str, Any]) -> None:
    if entry.purpose is not None:
        data.setdefault("purpose", entry.purpose)
    if entry.owner_team is not None:
        data.setdefault("owner_team", entry.owner_team)
    if entry.items and "items" not in data:
        data["items"] = [{"sku": item} for item in entry.items]


def _selected(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    elements = value if isinstance(value, list) else (value,)
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
