"""The `tests:` of a rule: events at relative times and what they must raise in, examples out.

An event is written `- {at: 2h, service.case.opened: {case: K1}}`, with `id`, `source`, `observed` and `subject` beside
`at` where they matter. A field that holds a time may be written as a duration after the example's start.
"""

from collections.abc import Collection, Mapping
from typing import Any

from coordwatch.documents import Fields, Items, Node, Scalar, plain
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import PREFIX
from coordwatch.rules.parse_nodes import Reader
from coordwatch.rules.spec import Example

TEST = ("name", "events", "expect", "until")
ENVELOPE = ("at", "id", "source", "observed", "subject")
EXPECTED = ("at", "status", "evidence")
STATUSES = ("open", "made_good")


def read_examples(reader: Reader, node: Node, steps: Collection[str]) -> tuple[Example, ...]:
    """Read every example of a rule; `steps` are the names that evidence may have."""
    if not isinstance(node, Items):
        reader.problem(node.place, "'tests' must be a list", "tests: [{name: ..., events: [...], expect: [...]}]")
        return ()
    found: list[Example] = []
    for item in node.items:
        fields = reader.fields(item, "a test")
        if fields is None:
            continue
        reader.known_words(fields, TEST, "a test")
        reader.required(fields, ("name", "events", "expect"), "a test")
        events = _list(reader, fields, "events")
        expected = _list(reader, fields, "expect")
        example = Example(
            name=reader.text(fields, "name"),
            events=tuple(event for each in events if (event := _event(reader, each)) is not None),
            expect=tuple(one for each in expected if (one := _expected(reader, each, steps)) is not None),
            until=reader.duration(fields, "until") if "until" in fields.items else None,
            place=item.place,
        )
        if any(example.name and example.name == other.name for other in found):
            reader.problem(item.place, f"two tests are called '{example.name}'")
        found.append(example)
    return tuple(found)


def _list(reader: Reader, fields: Fields, key: str) -> tuple[Node, ...]:
    node = fields.items.get(key)
    if node is None:
        return ()
    if isinstance(node, Items):
        return node.items
    reader.problem(node.place, f"'{key}' must be a list", f"{key}: []" if key == "expect" else None)
    return ()


def _event(reader: Reader, node: Node) -> Mapping[str, Any] | None:
    fields = reader.fields(node, "an event of a test")
    if fields is None:
        return None
    reader.required(fields, ("at",), "an event of a test")
    types = [key for key in fields.items if key not in ENVELOPE]
    known = [key for key in types if key.removeprefix(PREFIX) in TYPES]
    for key in types:
        if key not in known:
            reader.problem(
                fields.places[key], f"no event type is called '{key}'", reader.hint(key, [*TYPES, *ENVELOPE])
            )
    if len(known) != 1:
        if len(known) > 1 or not types:
            message = f"an event of a test names one event type; here are {len(known)}"
            reader.problem(fields.place, message, "- {at: 2h, service.case.opened: {case: K1}}")
        return None
    event: dict[str, Any] = {
        "at": reader.duration(fields, "at"),
        "type": known[0].removeprefix(PREFIX),
        "data": _data(reader, known[0].removeprefix(PREFIX), fields.items[known[0]]),
    }
    for key in ("id", "source", "subject"):
        if key in fields.items:
            event[key] = reader.text(fields, key)
    if "observed" in fields.items:
        event["observed_at"] = reader.duration(fields, "observed")
    return event


def _data(reader: Reader, event_type: str, node: Node) -> dict[str, Any]:
    if isinstance(node, Scalar) and node.value is None:
        return {}
    fields = reader.fields(node, f"the data of {event_type}")
    if fields is None:
        return {}
    known = TYPES[event_type].fields
    for key, place in fields.places.items():
        if key in ("id", "source", "subject"):
            reader.problem(place, f"'{key}' belongs to the envelope", f"write it beside 'at', not inside {event_type}")
        elif key not in known:
            reader.problem(place, f"{event_type} has no field '{key}'", reader.hint(key, known))
    found = plain(fields)
    return found if isinstance(found, dict) else {}


def _expected(reader: Reader, node: Node, steps: Collection[str]) -> Mapping[str, Any] | None:
    fields = reader.fields(node, "an expected detection")
    if fields is None:
        return None
    reader.known_words(fields, EXPECTED, "an expected detection")
    found: dict[str, Any] = {}
    if "at" in fields.items:
        found["at"] = reader.duration(fields, "at")
    if "status" in fields.items:
        found["status"] = reader.choice(fields, "status", STATUSES, "open")
    if "evidence" in fields.items:
        found["evidence"] = list(reader.texts(fields, "evidence"))
        for name in found["evidence"]:
            if name not in steps:
                place = fields.items["evidence"].place
                reader.problem(place, f"no step that gives evidence is called '{name}'", reader.hint(name, steps))
    return found
