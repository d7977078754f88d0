"""Values of a mapping file: nodes in, `ValueSpec` out.

What enters: a path written as a text, or names such as `path`, `jmes`, `map`, `default`. What leaves: a ValueSpec, or
problems with their places. The next room: `values`, which compiles it.
"""

import re
from collections.abc import Mapping

from coordwatch.documents import Fields, Items, Node, Scalar, did_you_mean
from coordwatch.sources.mapping import (
    AfterEvent,
    AllOf,
    Constant,
    DigestOf,
    EachOf,
    FirstOf,
    FromJmes,
    FromPath,
    IdentifierSpec,
    ObjectOf,
    Origin,
    Plain,
    Template,
    ValueSpec,
)
from coordwatch.sources.parse_condition import parse_condition, read_jmes, read_path
from coordwatch.sources.paths import Path
from coordwatch.sources.reading import Reading
from coordwatch.sources.timestamps import FORMAT_NAMES, is_pattern, takes_zone, time_reader, zone

ORIGINS = ("path", "jmes", "value", "template", "first_of", "all_of", "digest", "fields", "each", "after_event")
CHANGES = (
    "when", "json", "split", "strip", "remove_prefix", "remove_suffix", "remove", "after_last", "lower", "upper", "map", "number", "scale", "first", "sum",
    "default", "format", "zone", "hash",
)  # fmt: skip
_BRACES = re.compile(r"\{([^{}]*)\}")


def parse_value(node: Node, reading: Reading) -> ValueSpec:
    """Read a value: a text is a path; a list is the first of several that is there; names say the rest."""
    if isinstance(node, Items):
        return ValueSpec(_first_of(node, reading), node.place)
    if isinstance(node, Scalar):
        if not isinstance(node.value, str) or not node.value:
            reading.problem(node.place, "wants a path", "a constant is written {value: ...}")
            return ValueSpec(FromPath(Path("", None, ())), node.place)
        return ValueSpec(FromPath(read_path(node.value, node, reading)), node.place)
    return _from_names(node, reading)


def _from_names(node: Fields, reading: Reading) -> ValueSpec:
    fields = reading.fields(node, "a value", (*ORIGINS, *CHANGES))
    named = [name for name in ORIGINS if name in fields]
    if "each" in named and "fields" in named:
        named.remove("fields")
    if len(named) != 1:
        message = f"a value comes from one place, this one names {', '.join(named) or 'none'}"
        reading.problem(node.place, message, f"one of: {', '.join(ORIGINS)}")
    origin = _origin(named[0], fields, reading) if named else FromPath(Path("", None, ()))
    return ValueSpec(
        origin,
        node.place,
        when=parse_condition(fields["when"], reading) if "when" in fields else None,
        json=reading.flag(fields.get("json"), "json"),
        split=reading.text(fields.get("split"), "split"),
        strip=reading.flag(fields.get("strip"), "strip"),
        remove_prefix=reading.text(fields.get("remove_prefix"), "remove_prefix"),
        remove_suffix=reading.text(fields.get("remove_suffix"), "remove_suffix"),
        remove=reading.text(fields.get("remove"), "remove"),
        after_last=reading.text(fields.get("after_last"), "after_last"),
        lower=reading.flag(fields.get("lower"), "lower"),
        upper=reading.flag(fields.get("upper"), "upper"),
        table=_table(fields.get("map"), reading),
        number=reading.flag(fields.get("number"), "number"),
        scale=_scale(fields.get("scale"), reading),
        first=reading.flag(fields.get("first"), "first"),
        sum=reading.flag(fields.get("sum"), "sum"),
        default=reading.plain(fields.get("default"), "default"),
        format=_format(fields.get("format"), reading),
        zone=_zone(fields, node, reading),
        hash=reading.flag(fields.get("hash"), "hash"),
    )


def _origin(name: str, fields: dict[str, Node], reading: Reading) -> Origin:
    node = fields[name]
    match name:
        case "path":
            if isinstance(node, Items):
                return _first_of(node, reading)
            return FromPath(read_path(reading.text(node, "path") or "$", node, reading))
        case "jmes":
            return FromJmes(read_jmes(node, reading) or "@")
        case "value":
            value = reading.plain(node, "value")
            return Constant("" if value is None else value)
        case "template":
            return _template(node, reading)
        case "first_of":
            return _first_of(node, reading)
        case "all_of":
            return AllOf(_values(node, "all_of", reading))
        case "digest":
            return DigestOf(_values(node, "digest", reading))
        case "fields":
            return ObjectOf(_named(node, reading))
        case "each":
            path = read_path(reading.text(node, "each") or "$", node, reading)
            if "fields" not in fields:
                reading.problem(node.place, "each wants `fields`, the values of one element", "paths begin with $each.")
            return EachOf(path, _named(fields.get("fields"), reading))
    return AfterEvent(parse_value(node, reading))


def _first_of(node: Node, reading: Reading) -> FirstOf:
    return FirstOf(_values(node, "first_of", reading))


def _values(node: Node, what: str, reading: Reading) -> tuple[ValueSpec, ...]:
    items = reading.items(node, what)
    if not items:
        reading.problem(node.place, f"{what} wants a list of values")
    return tuple(parse_value(item, reading) for item in items)


def _named(node: Node | None, reading: Reading) -> Mapping[str, ValueSpec]:
    return {name: parse_value(value, reading) for name, value in reading.fields(node, "fields").items()}


def _template(node: Node, reading: Reading) -> Template:
    text = reading.text(node, "template") or ""
    pieces = _BRACES.split(text)
    if len(pieces) == 1 and text:
        reading.problem(node.place, "a template without a path in braces", "a constant is written {value: ...}")
    parts = [read_path(piece, node, reading) if number % 2 else piece for number, piece in enumerate(pieces)]
    return Template(tuple(part for part in parts if part != ""))


def _table(node: Node | None, reading: Reading) -> str | Mapping[str, Plain] | None:
    if node is None:
        return None
    if isinstance(node, Scalar):
        return reading.text(node, "map")
    return reading.table(node, "map")


def _scale(node: Node | None, reading: Reading) -> float | None:
    factor = reading.plain(node, "scale")
    if node is None or (isinstance(factor, int | float) and not isinstance(factor, bool)):
        return None if node is None else float(factor or 0)
    reading.problem(node.place, "scale wants a number", "cents to whole units are scale: 0.01")
    return None


def _format(node: Node | None, reading: Reading) -> str | None:
    name = reading.text(node, "format")
    if name is None or node is None or not is_pattern(name):
        return reading.choice(node, "format", FORMAT_NAMES) if name is not None else None
    try:
        time_reader(name, "UTC")
    except ValueError as error:
        reading.problem(node.place, str(error))
        return None
    return name


def _zone(fields: dict[str, Node], node: Node, reading: Reading) -> str | None:
    name = reading.text(fields.get("zone"), "zone")
    written = fields.get("format")
    format_name = written.text if isinstance(written, Scalar) else ""
    wanted = takes_zone(format_name)
    if wanted and name is None and "%z" not in format_name:
        reading.problem(node.place, "a local time wants its zone", "add zone: Europe/Paris, or zone: UTC")
    if name is None:
        return "UTC" if wanted else None
    if not wanted:
        reading.problem(node.place, "a zone belongs to format: local, to format: date, or to a pattern")
    try:
        zone(name)
    except ValueError as error:
        reading.problem(
            fields["zone"].place, str(error), did_you_mean(name, ("UTC", "Europe/Paris", "America/New_York"))
        )
        return "UTC"
    return name


def parse_identifier(node: Node, reading: Reading) -> IdentifierSpec:
    """Read an identifier: `type` is a word (or a value), the rest says where it stands."""
    fields = reading.fields(node, "an identifier", ("type", "namespace", *ORIGINS, *CHANGES))
    kind = fields.get("type")
    if kind is None:
        reading.problem(node.place, "an identifier has a type", "such as type: email")
        type_spec = ValueSpec(Constant(""), node.place)
    elif isinstance(kind, Scalar):
        type_spec = ValueSpec(Constant(reading.text(kind, "type") or ""), kind.place)
    else:
        type_spec = parse_value(kind, reading)
    rest = Fields({name: fields[name] for name in fields if name not in ("type", "namespace")}, {}, node.place)
    namespace = parse_value(fields["namespace"], reading) if "namespace" in fields else None
    return IdentifierSpec(type_spec, _from_names(rest, reading), namespace)
