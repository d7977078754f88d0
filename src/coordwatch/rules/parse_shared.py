"""The words that rules share: the text of `_shared.yaml` in, its lists, macros and calendars out.

Macros are parsed here and looked up where a rule uses them, because there the fields are what they are.
"""

import itertools
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from coordwatch.documents import Fields, Items, Node, Scalar, read_documents
from coordwatch.errors import DocumentError, RuleError
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.rules.calendars import zone_named, zone_names
from coordwatch.rules.expression import Expression
from coordwatch.rules.parse_nodes import Reader
from coordwatch.rules.spec import Calendar, SharedSpec

WORDS = ("lists", "macros", "calendars")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_CALENDAR_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


def parse_shared(text: str, path: str) -> SharedSpec:
    """Read one `_shared.yaml`.

    Raises: RuleError with every problem
    """
    try:
        documents = read_documents(text, path)
    except DocumentError as error:
        raise RuleError(error.problems) from None
    reader = Reader(text, path)
    lists: dict[str, tuple[Any, ...]] = {}
    macros: dict[str, Expression] = {}
    calendars: dict[str, Calendar] = {}
    for document in documents:
        fields = _section(reader, document, "_shared.yaml")
        if fields is None:
            continue
        reader.known_words(fields, WORDS, "_shared.yaml")
        lists.update(_lists(reader, fields.items.get("lists")))
        macros.update(_macros(reader, fields.items.get("macros"), lists))
        calendars.update(_calendars(reader, fields.items.get("calendars")))
    if reader.problems:
        raise RuleError(sorted(reader.problems, key=lambda problem: (problem.place.line, problem.place.column)))
    return SharedSpec(lists, macros, calendars)


def _section(reader: Reader, node: Node | None, what: str) -> Fields | None:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return None
    return reader.fields(node, what)


def _lists(reader: Reader, node: Node | None) -> Mapping[str, tuple[Any, ...]]:
    fields = _section(reader, node, "'lists'")
    found: dict[str, tuple[Any, ...]] = {}
    for name, items in fields.items.items() if fields else ():
        reader.name(name, fields.places[name] if fields else items.place, "a list")
        if not isinstance(items, Items):
            reader.problem(items.place, f"the list '{name}' must be a list", f"{name}: [first, second]")
            continue
        values: list[Any] = []
        for item in items.items:
            if isinstance(item, Scalar) and item.value is not None:
                values.append(item.value)
            else:
                reader.problem(item.place, f"the list '{name}' holds texts, numbers, true and false only")
        found[name] = tuple(values)
    return found


def _macros(reader: Reader, node: Node | None, lists: Mapping[str, tuple[Any, ...]]) -> Mapping[str, Expression]:
    fields = _section(reader, node, "'macros'")
    found: dict[str, Expression] = {}
    for name, body in fields.items.items() if fields else ():
        place = fields.places[name] if fields else body.place
        reader.name(name, place, "a macro")
        if name in lists:
            reader.problem(place, f"'{name}' is both a list and a macro")
        expression = reader.expression_of(body, name)
        if expression is not None:
            found[name] = expression
    return found


def _calendars(reader: Reader, node: Node | None) -> Mapping[str, Calendar]:
    fields = _section(reader, node, "'calendars'")
    found: dict[str, Calendar] = {}
    for name, body in fields.items.items() if fields else ():
        if not _CALENDAR_NAME.fullmatch(name) and fields:
            reader.problem(fields.places[name], f"'{name[:40]}' cannot be the name of a calendar", "support-hours")
        calendar = reader.fields(body, f"the calendar '{name}'")
        if calendar is None:
            continue
        reader.known_words(calendar, ("zone", "weekly", "holidays"), "a calendar")
        reader.required(calendar, ("zone", "weekly"), "a calendar")
        zone = reader.text(calendar, "zone")
        if zone and zone_named(zone) is None:
            hint = reader.hint(zone, zone_names()) or "a name such as Europe/Paris, or an offset such as +02:00"
            reader.problem(calendar.items["zone"].place, f"there is no time zone '{zone[:60]}'", hint)
        before = len(reader.problems)
        weekly = _weekly(reader, calendar)
        if len(reader.problems) == before and "weekly" in calendar.items and not any(weekly.values()):
            reader.problem(calendar.items["weekly"].place, f"the calendar '{name}' is never open")
        found[name] = Calendar(name, zone or "UTC", weekly, _holidays(reader, calendar))
    return found


def _weekly(reader: Reader, calendar: Fields) -> Mapping[int, tuple[tuple[int, int], ...]]:
    node = calendar.items.get("weekly")
    fields = reader.fields(node, "'weekly'") if node is not None else None
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    if fields is None:
        return found
    reader.known_words(fields, WEEKDAYS, "'weekly'")
    for word, spans in fields.items.items():
        if word not in WEEKDAYS:
            continue
        read = [_span(reader, span) for span in (spans.items if isinstance(spans, Items) else (spans,))]
        edges = sorted(span for span in read if span is not None)
        if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(edges)):
            reader.problem(spans.place, f"the open hours of {word} overlap")
        found[WEEKDAYS.index(word)] = tuple(edges)
    return found


def _span(reader: Reader, node: Node) -> tuple[int, int] | None:
    text = node.text if isinstance(node, Scalar) else ""
    found = _SPAN.fullmatch(text)
    if found is None:
        reader.problem(node.place, f"'{text[:40]}' is no span of open hours", 'write ["09:00-17:00"], in quotes')
        return None
    hour, minute, end_hour, end_minute = (int(part) for part in found.groups())
    opens, closes = hour * HOUR + minute * MINUTE, end_hour * HOUR + end_minute * MINUTE
    if not opens < closes <= DAY:
        reader.problem(
            node.place, f"'{text}' does not end after it begins", "split hours that pass midnight: 22:00-24:00"
        )
        return None
    return opens, closes


def _holidays(reader: Reader, calendar: Fields) -> frozenset[str]:
    days: list[str] = []
    for text in reader.texts(calendar, "holidays"):
        try:
            days.append(date.fromisoformat(text).isoformat())
        except ValueError:
            reader.problem(calendar.items["holidays"].place, f"'{text[:40]}' is no day", "write 2026-12-25")
    return frozenset(days)
