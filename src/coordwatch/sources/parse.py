"""Mapping files: YAML text in, SourceMappings out, or every problem with its place.

What enters: the text of a mapping file; one YAML document is one mapping. What leaves: frozen SourceMappings that are
sure to compile. The next room: `mapper`, which compiles them.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from coordwatch.documents import Fields, Items, Node, Scalar, plain, read_documents
from coordwatch.errors import DocumentError, Place
from coordwatch.events.times import parse_time
from coordwatch.sources.check import check_mapping
from coordwatch.sources.mapping import (
    Condition,
    Drop,
    Emission,
    Example,
    FanOut,
    ForEach,
    Junction,
    Match,
    Parts,
    SourceMapping,
    Unwrap,
)
from coordwatch.sources.parse_condition import parse_condition, read_path
from coordwatch.sources.parse_value import parse_identifier, parse_value
from coordwatch.sources.paths import Path
from coordwatch.sources.reading import Reading
from coordwatch.sources.record import CHOSEN_BY_MAPPINGS, DropReason, MapRejectReason
from coordwatch.sources.unwrap import WRAPPERS

_PARTS = ("id", "time", "identifiers", "refs", "constant", "set", "catalogue")
_TOP = (
    "source", "family", "summary", "tool", "match", "unwrap", "split", "tables", "let", "drop_if", *_PARTS, "emit",
    "also", "tests",
)  # fmt: skip
_EMISSION = ("event", "canonical", "name", "when", *_PARTS, "fan_out", "for_each")
_SLUG = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_RECORD = ("topic", "headers", "key", "at")


def parse_mappings(text: str, path: str) -> list[SourceMapping]:
    """Read every mapping of a file.

    Raises: DocumentError with every problem and its place
    """
    reading = Reading(path)
    mappings = [_mapping(node, reading) for node in read_documents(text, path)]
    if not mappings:
        reading.problem(Place(path), "no mapping in this file", "begin with source: NAME")
    for mapping in mappings if not reading.problems else ():
        check_mapping(mapping, reading)
    if reading.problems:
        raise DocumentError(sorted(reading.problems, key=lambda problem: (problem.place.line, problem.place.column)))
    return mappings


def _mapping(node: Node, reading: Reading) -> SourceMapping:
    fields = reading.fields(node, "a mapping", _TOP)
    for name in ("source", "family", "emit"):
        if name not in fields:
            reading.problem(node.place, f"a mapping has a '{name}'", f"add {name}: ...")
    name = _slug(fields.get("source"), "source", reading)
    family = _slug(fields.get("family"), "family", reading)
    also = reading.fields(fields.get("also"), "also")
    tables = reading.fields(fields.get("tables"), "tables")
    return SourceMapping(
        name=name,
        family=family,
        summary=reading.text(fields.get("summary"), "summary") or "",
        tool={
            "name": name,
            "family": family,
            **reading.words(fields.get("tool"), "tool", ("name", "family", "instance", "team")),
        },
        match=_match(fields.get("match"), reading),
        unwrap=tuple(_unwrap(item, reading) for item in reading.items(fields.get("unwrap"), "unwrap")),
        split=_paths(fields.get("split"), reading),
        tables={f"{name}.{table}": reading.table(rows, f"the table '{table}'") for table, rows in tables.items()},
        let={word: parse_value(value, reading) for word, value in reading.fields(fields.get("let"), "let").items()},
        drop_if=tuple(_drop(item, reading) for item in reading.items(fields.get("drop_if"), "drop_if")),
        shared=_parts(fields, reading),
        emit=tuple(_emission(item, None, reading) for item in reading.items(fields.get("emit"), "emit")),
        also=tuple(_emission(item, _slug_text(word, item, reading), reading) for word, item in also.items()),
        examples=tuple(_example(item, reading) for item in reading.items(fields.get("tests"), "tests")),
        place=node.place,
    )


def _slug(node: Node | None, what: str, reading: Reading) -> str:
    text = reading.text(node, what)
    return "" if text is None or node is None else _slug_text(text, node, reading)


def _slug_text(text: str, node: Node, reading: Reading) -> str:
    if not _SLUG.fullmatch(text):
        reading.problem(node.place, f"'{text[:64]}' is no name", "lower-case letters, digits, '-', '_' and '.'")
    return text


def _match(node: Node | None, reading: Reading) -> Match:
    fields = reading.fields(node, "match", ("topic", "header", "field"))
    conditions: list[Condition] = []
    if "header" in fields:
        rows = reading.fields(fields["header"], "header")
        named = {f'$headers."{name}"': value for name, value in rows.items()}
        conditions.append(parse_condition(Fields(named, {}, fields["header"].place), reading))
    if "field" in fields:
        conditions.append(parse_condition(fields["field"], reading))
    topic = fields.get("topic")
    topics = topic.items if isinstance(topic, Items) else () if topic is None else (topic,)
    texts = tuple(text for item in topics if (text := reading.text(item, "topic")) is not None)
    return Match(texts, Junction("all", tuple(conditions)) if conditions else None)


def _unwrap(node: Node, reading: Reading) -> Unwrap:
    if isinstance(node, Scalar):
        name = reading.choice(node, "wrapper", WRAPPERS) or "connect"
        if name in ("named", "json_field"):
            reading.problem(node.place, f"'{name}' wants to know which", f"write {name}: ...")
        return Unwrap(name)
    rows = reading.fields(node, "a wrapper", WRAPPERS)
    if len(rows) != 1:
        reading.problem(node.place, "one wrapper an element", "begin each with '- '")
        return Unwrap("connect")
    name, options = next(iter(rows.items()))
    if name == "named":
        texts = [reading.text(item, "named") for item in reading.items(options, "named")]
        return Unwrap(name, {"names": frozenset(text for text in texts if text)})
    if name == "json_field":
        return Unwrap(name, {"name": reading.text(options, "json_field") or ""})
    known = WRAPPERS[name][1]
    chosen = reading.fields(options, f"the wrapper '{name}'", known)
    return Unwrap(name, {word: reading.choice(value, word, known[word]) for word, value in chosen.items()})


def _paths(node: Node | None, reading: Reading) -> tuple[Path, ...]:
    items = node.items if isinstance(node, Items) else () if node is None else (node,)
    return tuple(read_path(reading.text(item, "split") or "$", item, reading) for item in items)


def _drop(node: Node, reading: Reading) -> Drop:
    fields = reading.fields(node, "drop_if", ("when", "reason"))
    reason = reading.choice(fields.get("reason"), "reason to drop", CHOSEN_BY_MAPPINGS)
    if "when" not in fields or reason is None:
        reading.problem(node.place, "drop_if wants `when` and `reason`", f"reasons: {', '.join(CHOSEN_BY_MAPPINGS)}")
        return Drop(Junction("any", ()), DropReason.NO_NEWS)
    return Drop(parse_condition(fields["when"], reading), DropReason(reason))


def _parts(fields: Mapping[str, Node], reading: Reading) -> Parts:
    time = fields.get("time")
    times = time.items if isinstance(time, Items) else () if time is None else (time,)
    identifiers = fields.get("identifiers")
    constant = reading.fields(fields.get("constant"), "constant")
    return Parts(
        id=parse_value(fields["id"], reading) if "id" in fields else None,
        time=tuple(parse_value(item, reading) for item in times),
        identifiers=None
        if identifiers is None
        else tuple(parse_identifier(item, reading) for item in reading.items(identifiers, "identifiers")),
        refs={name: parse_value(node, reading) for name, node in reading.fields(fields.get("refs"), "refs").items()},
        constant={
            name: (value, node.place)
            for name, node in constant.items()
            if (value := reading.plain(node, f"the constant '{name}'")) is not None
        },
        set={name: parse_value(node, reading) for name, node in reading.fields(fields.get("set"), "set").items()},
        catalogue={
            name: parse_value(node, reading)
            for name, node in reading.fields(fields.get("catalogue"), "catalogue").items()
        },
    )


def _emission(node: Node, name: str | None, reading: Reading) -> Emission:
    fields = reading.fields(node, "an emission", _EMISSION)
    canonical = reading.flag(fields.get("canonical"), "canonical")
    event = reading.text(fields.get("event"), "event")
    if canonical == (event is not None):
        reading.problem(node.place, "an emission gives one event", "write event: TYPE, or canonical: true")
    own_name = _slug(fields["name"], "name", reading) if "name" in fields else None
    return Emission(
        name=name or own_name or event or "canonical",
        type=None if canonical else event or "",
        when=parse_condition(fields["when"], reading) if "when" in fields else None,
        parts=_parts(fields, reading),
        fan_out=_fan_out(fields["fan_out"], reading) if "fan_out" in fields else None,
        for_each=_for_each(fields["for_each"], reading) if "for_each" in fields else None,
        place=node.place,
    )


def _fan_out(node: Node, reading: Reading) -> FanOut:
    fields = reading.fields(node, "fan_out", ("path", "identifiers"))
    identifiers = reading.items(fields.get("identifiers"), "identifiers")
    if "path" not in fields or not identifiers:
        reading.problem(node.place, "fan_out wants the `path` of a list, and `identifiers` that look at $each")
    path = fields.get("path", node)
    text = reading.text(path, "path") if "path" in fields else None
    return FanOut(read_path(text or "$", path, reading), tuple(parse_identifier(item, reading) for item in identifiers))


def _for_each(node: Node, reading: Reading) -> ForEach:
    if isinstance(node, Scalar):
        return ForEach(read_path(reading.text(node, "for_each") or "$", node, reading))
    fields = reading.fields(node, "for_each", ("path", "when"))
    if "path" not in fields:
        reading.problem(node.place, "for_each wants the `path` of a list or an object, and perhaps `when`")
    path = fields.get("path", node)
    text = reading.text(path, "path") if "path" in fields else None
    when = parse_condition(fields["when"], reading) if "when" in fields else None
    return ForEach(read_path(text or "$", path, reading), when)


def _example(node: Node, reading: Reading) -> Example:
    fields = reading.fields(node, "a test", ("name", "payload", "record", "events", "dropped", "rejected"))
    if "payload" not in fields or not {"events", "dropped", "rejected"} & fields.keys():
        reading.problem(node.place, "a test has a payload and says what comes of it", "add events, dropped or rejected")
    record = {name: plain(value) for name, value in reading.fields(fields.get("record"), "record", _RECORD).items()}
    _see_time(record, node, reading)
    events = reading.items(fields.get("events"), "events")
    return Example(
        name=reading.text(fields.get("name"), "name") or f"line {node.place.line}",
        payload=plain(fields["payload"]) if "payload" in fields else None,
        record=record,
        events=tuple(
            {name: plain(value) for name, value in reading.fields(item, "an event").items()} for item in events
        ),
        dropped=_reasons(fields.get("dropped"), "dropped", [reason.value for reason in DropReason], reading),
        rejected=_reasons(fields.get("rejected"), "rejected", [reason.value for reason in MapRejectReason], reading),
        place=node.place,
    )


def _see_time(record: dict[str, Any], node: Node, reading: Reading) -> None:
    if "at" not in record:
        return
    try:
        record["at"] = parse_time(str(record["at"]))
    except ValueError as error:
        reading.problem(node.place, str(error))


def _reasons(node: Node | None, what: str, known: list[str], reading: Reading) -> tuple[str, ...]:
    items = reading.items(node, what)
    return tuple(word for item in items if (word := reading.choice(item, f"reason under '{what}'", known)) is not None)


def with_tool(mapping: SourceMapping, facts: Mapping[str, str]) -> SourceMapping:
    """Give the mapping as one site has the tool: another name, an instance, the team that owns it."""
    return replace(mapping, tool={**mapping.tool, **facts})
