"""What a value is made of, in the order in which things are done to it."""

import textwrap
from typing import Any

import pytest

from coordwatch.documents import Fields, read_documents
from coordwatch.events.times import parse_time
from coordwatch.sources.changes import Build, Unreadable, number_of
from coordwatch.sources.parse_value import parse_value
from coordwatch.sources.reading import Reading
from coordwatch.sources.values import compile_value, path_text
from tests.sources.build import scope

PAYLOAD = {
    "name": "  Mina ", "status": "OPEN", "tags": ["VIP", "Claim", "claim"], "amount": "12.50", "cents": 1999, "id": 77, "when": 1760011200,
    "gid": "gid://shop/Order/7", "comma": "a, b,c", "lines": [{"sku": "A", "n": 1}, {"sku": "B"}, {"other": 1}], "flag": True,
    "amounts": ["1.10", 2, "0.9"], "empty": "", "never": "0001-01-01T00:00:00Z", "phone": "(01) 23-45",
}  # fmt: skip
BUILD = Build({"kinds": {"claim": "complaint", "true": "yes", "77": "seventy-seven"}}, b"key")


def value(text: str, build: Build = BUILD, item: Any = PAYLOAD) -> Any:
    (node,) = read_documents(textwrap.dedent(text), "v.yaml")
    reading = Reading("v.yaml")
    spec = parse_value(node, reading)
    assert [] == reading.problems
    return compile_value(spec, build)(scope(item, time=parse_time("2025-10-09T12:00:00Z")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status", "OPEN"),
        ("[missing, empty, status]", "OPEN"),
        ("{path: [missing, status]}", "OPEN"),
        ("{value: fixed}", "fixed"),
        ("{value: 0}", 0),
        ("{path: name, strip: true, lower: true}", "mina"),
        ("{path: status, lower: true}", "open"),
        ("{path: name, upper: true, strip: true}", "MINA"),
        ("{path: gid, remove_prefix: 'gid://shop/Order/'}", "7"),
        ("{path: phone, remove: ' ()-'}", "012345"),
        ("{path: comma, split: ',', strip: true}", ["a", "b", "c"]),
        ("{path: tags, lower: true, map: kinds, first: true}", "complaint"),
        ("{path: tags, map: {VIP: v}}", ["v"]),
        ("{path: tags, map: {nothing: v}}", None),
        ("{path: tags, map: {nothing: v}, default: d}", "d"),
        ("{path: flag, map: kinds}", "yes"),
        ("{path: id, map: kinds}", "seventy-seven"),
        ("{path: lines, map: kinds}", None),
        ("{path: missing, default: 5}", 5),
        ("{path: empty, default: 5}", 5),
        ("{path: amount, number: true}", 12.5),
        ("{path: cents, scale: 0.01}", 19.99),
        ("{path: amounts, sum: true}", 4.0),
        ("{path: when, format: epoch_s}", "2025-10-09T12:00:00Z"),
        ("{path: never, format: iso}", None),
        ("{template: 'zen:{id}/{status}'}", "zen:77/OPEN"),
        ("{template: 'zen:{missing}'}", None),
        ("{first_of: [{path: status, map: {CLOSED: never}}, {value: other}]}", "other"),
        ("{all_of: [id, missing, tags]}", [77, "VIP", "Claim", "claim"]),
        ("{fields: {a: id, b: missing}}", {"a": 77}),
        ("{fields: {b: missing}}", None),
        ("{each: lines, fields: {sku: $each.sku, n: $each.n}}", [{"sku": "A", "n": 1}, {"sku": "B"}]),
        ("{after_event: {value: 2d}}", "2025-10-11T12:00:00Z"),
        ("{jmes: \"lines[?sku=='B'].sku | [0]\"}", "B"),
        ('{jmes: "sum(lines)"}', None),
        ("{path: status, when: {flag: true}}", "OPEN"),
        ("{path: status, when: {flag: false}}", None),
    ],
)
def test_a_value_is_what_the_mapping_says(text: str, expected: Any) -> None:
    assert expected == value(text)


@pytest.mark.parametrize(
    "text",
    [
        "{path: status, number: true}", "{path: tags, sum: true}", "{path: status, format: epoch_s}",
        "{path: status, scale: 2}", "{after_event: status}",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_marked_and_not_dropped(text: str) -> None:
    assert isinstance(value(text), Unreadable)


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ('{"order": 17}', {"order": 17}), (" [1, 2]", [1, 2]), ({"already": "plain"}, {"already": "plain"}), (["a"], ["a"]),
        ("{order 17}", None), ("a,b", None), ("17", None), (17, None), ("[" * 5000, None), ("", None),
    ],
)  # fmt: skip
def test_a_text_that_holds_json_is_what_it_holds_and_another_tells_nothing(held: Any, found: Any) -> None:
    assert found == value("{path: held, json: true}", item={"held": held})
    assert (found or "else") == value("{first_of: [{path: held, json: true}, {value: else}]}", item={"held": held})


def test_a_list_of_thousands_is_not_walked() -> None:
    found = value("{each: lines, fields: {sku: $each.sku}}", item={"lines": [{"sku": "A"}] * 1001})
    assert isinstance(found, Unreadable)


def test_a_hash_depends_on_the_key_and_on_nothing_else() -> None:
    text = "{path: name, strip: true, lower: true, hash: true}"
    one = value(text)
    assert one == value(text, item={"name": "MINA"})
    assert one != value(text, Build({}, b"another key"))
    assert 32 == len(one)
    assert "mina" not in one


def test_a_digest_names_the_same_thing_alike_and_another_otherwise() -> None:
    text = "{digest: [id, missing, lines]}"
    assert value(text) == value(text, item=dict(reversed(PAYLOAD.items())))
    assert value(text) != value(text, item={**PAYLOAD, "id": "77"})
    assert value("{digest: [missing, deeper.missing]}") is None


def test_what_is_nested_too_deep_is_neither_hashed_nor_named() -> None:
    deep: Any = "core"
    for _ in range(400):
        deep = [deep]
    assert isinstance(value("{path: x, hash: true}", item={"x": deep}), Unreadable)
    assert isinstance(value("{digest: [x]}", item={"x": deep}), Unreadable)


def problems_of(text: str) -> str:
    (node,) = read_documents(text, "v.yaml")
    reading = Reading("v.yaml")
    parse_value(node, reading)
    return "\n".join(map(str, reading.problems))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{pth: status}", "v.yaml:1:2: a value has no 'pth' (did you mean 'path'?)"),
        ("{lower: true}", "a value comes from one place, this one names none"),
        ("{path: a, value: b}", "a value comes from one place, this one names path, value"),
        ("{template: plain}", "a template without a path in braces"),
        ("{path: a, format: epoch}", "'epoch' is no format (did you mean 'epoch_s'?)"),
        ("{path: a, format: local}", "a local time wants its zone"),
        ("{path: a, format: local, zone: Europe/Pariss}", "no time zone is called 'Europe/Pariss'"),
        ("{path: a, zone: Europe/Paris}", "a zone belongs to format: local"),
        ("{each: a}", "each wants `fields`"),
        ("{path: a, lower: maybe}", "lower wants true or false"),
        ("{path: a, scale: much}", "scale wants a number"),
        ("{first_of: []}", "first_of wants a list of values"),
        ("12", "wants a path (a constant is written {value: ...})"),
    ],
)
def test_a_mistake_in_a_value_has_its_place(text: str, complaint: str) -> None:
    assert complaint in problems_of(text)


def test_a_number_may_begin_with_its_point() -> None:
    assert 0.98 == number_of(".98")
    assert None is number_of(".")


@pytest.mark.parametrize(
    ("let", "path", "place"),
    [
        ("{e: [event-data, $]}", "$let.e.message.id", "event-data.message.id"), ("{e: $}", "$let.e.id", "id"),
        ("{e: a.b, f: $let.e.c}", "$let.f.d", "a.b.c.d"), ("{e: $let.e.x}", "$let.e.id", "$let.e.x.id"),
        ("{e: {value: 1}}", "$let.e.id", "$let.e.id"), ("{e: a}", "$let.f.id", "$let.f.id"), ("{e: a.b}", "$let.e", "a.b"),
    ],
)  # fmt: skip
def test_a_path_that_goes_on_from_a_name_is_told_as_one_from_the_payload(let: str, path: str, place: str) -> None:
    (node,) = read_documents(f"let: {let}\nvalue: {path}", "v.yaml")
    assert isinstance(node, Fields)
    assert isinstance(node.items["let"], Fields)
    reading = Reading("v.yaml")
    named = {name: parse_value(one, reading) for name, one in node.items["let"].items.items()}
    assert place == path_text(parse_value(node.items["value"], reading), Build(let=named))


@pytest.mark.parametrize("text", ["", "null", "N/A", "undefined", " "])
def test_a_time_that_stands_for_nothing_is_missing(text: str) -> None:
    value = compile_value(parse_value(read_documents("{path: due, format: iso}", "x")[0], Reading("x")), Build())
    assert None is value(scope({"due": text}))


def test_very_many_choices_and_conditions_are_read_as_a_few_are() -> None:
    many = ", ".join(f"p{number}" for number in range(300))
    assert "x" == value(f"{{first_of: [{many}, last]}}", item={"last": "x"})
    deep = "last"
    for number in range(12):
        deep = f"{{first_of: [q{number}, {deep}]}}"
    assert "x" == value(deep, item={"last": "x"})
    conditions = ", ".join(f"{{p{number}: {{present: false}}}}" for number in range(300))
    assert "x" == value(f"{{path: last, when: {{all: [{conditions}]}}}}", item={"last": "x"})
