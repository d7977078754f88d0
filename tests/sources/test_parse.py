"""A mapping file that cannot work says so, with every place, before any payload arrives."""

import textwrap

import pytest

from coordwatch.errors import DocumentError
from coordwatch.sources.parse import parse_mappings

GOOD = """
source: tool
family: crm
id: id
time: {path: at, format: iso}
identifiers: [{type: email, path: email}]
emit:
  - event: service.case.opened
    refs: {case: ticket}
    constant: {kind: complaint}
"""


def complaints(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_mappings(textwrap.dedent(text), "tool.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_a_good_mapping_is_read() -> None:
    (mapping,) = parse_mappings(GOOD, "tool.yaml")
    assert ("tool", "crm", ("service.case.opened",)) == (mapping.name, mapping.family, mapping.emits)
    assert {"name": "tool", "family": "crm"} == mapping.tool


def test_a_file_may_hold_several_mappings() -> None:
    assert 2 == len(parse_mappings(GOOD + "---" + GOOD, "tool.yaml"))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("family: crm", "familly: crm", "tool.yaml:3:1: a mapping has no 'familly' (did you mean 'family'?)"),
        ("source: tool", "source: Tool Box", "tool.yaml:2:9: 'Tool Box' is no name"),
        ("source: tool", "name: tool", "a mapping has a 'source'"),
        ("id: id\n", "", "tool.yaml:7:5: an event has an id (add id: PATH"),
        ("event: service.case.opened", "event: service.case.open", "no canonical event type is called 'service.case.open' (did you mean 'service.case.opened'?)"),
        ("event: service.case.opened", "canonical: true, event: x", "not valid YAML"),
        ("  - event: service.case.opened\n", "  - name: x\n", "an emission gives one event"),
        ("refs: {case: ticket}", "refs: {cse: ticket}", "tool.yaml:9:17: no ref is called 'cse' (did you mean 'case'?)"),
        ("refs: {case: ticket}", "refs: {}", "service.case.opened requires 'case' (add it under refs)"),
        ("constant: {kind: complaint}", "constant: {kind: complain}", "(did you mean 'complaint'?)"),
        ("constant: {kind: complaint}", "constant: {}", "service.case.opened requires 'kind' (add it under set or constant)"),
        ("constant: {kind: complaint}", "constant: {kind: complaint, colour: red}", "service.case.opened has no field 'colour'"),
        ("constant: {kind: complaint}", "set: {kind: {path: k, map: {a: complant}}}", "none of: bereavement"),
        ("constant: {kind: complaint}", "set: {kind: {path: k, default: compliant}}", "(did you mean 'complaint'?)"),
        ("constant: {kind: complaint}", "set: {kind: {first_of: [k, {value: wrong}]}}", "none of"),
        ("constant: {kind: complaint}", "set: {kind: {path: k, map: kinds}}", "no table is called 'kinds'"),
        ("constant: {kind: complaint}", "set: {kind: k, case: x}", "'case' is a ref (write it under refs)"),
        ("constant: {kind: complaint}", "set: {kind: k, items: {each: l, fields: {skuu: $each.s}}}", "'items' has no 'skuu' (did you mean 'sku'?)"),
        ("constant: {kind: complaint}", "set: {kind: k}\n    catalogue: {campaign: c}", "only messages are looked up in the catalogue"),
        ("constant: {kind: complaint}", "constant: {kind: complaint}\n    fan_out: {path: people}", "fan_out wants the `path` of a list"),
        ("id: id", "id: id\nunwrap: [conect]", "'conect' is no wrapper (did you mean 'connect'?)"),
        ("id: id", "id: id\nunwrap: [named]", "'named' wants to know which"),
        ("id: id", "id: id\nunwrap: [{debezium: {snapshots: maybe}}]", "'maybe' is no snapshots (one of: drop, keep)"),
        ("id: id", "id: id\nunwrap: [{connect: {}, sns: {}}]", "one wrapper an element"),
        ("id: id", "id: id\ndrop_if: [{when: {a: b}, reason: boring}]", "'boring' is no reason to drop"),
        ("id: id", "id: id\ndrop_if: [{when: {a: b}, reason: tombstone}]", "'tombstone' is no reason to drop"),
        ("id: id", "id: id\ndrop_if: [{reason: staff}]", "drop_if wants `when` and `reason`"),
        ("id: id", "id: a..b", "not a path at character 3"),
        ("id: id", "id: id\nlet: {a-b: x}", "'a-b' cannot be named in a path"),
        ("id: id", "id: id\nid: id", "the key 'id' stands here twice"),
        ("id: id", "id: id\nmatch: {topics: x}", "match has no 'topics' (did you mean 'topic'?)"),
        ("id: id", "id: id\ntests: [{name: x}]", "a test has a payload and says what comes of it"),
        ("id: id", "id: id\ntests: [{payload: 1, dropped: [bored]}]", "'bored' is no reason under 'dropped'"),
        ("id: id", "id: id\ntests: [{payload: 1, dropped: [], record: {at: soon}}]", "not a time with a zone"),
        ("identifiers: [{type: email, path: email}]", "identifiers: [{path: email}]", "an identifier has a type"),
        ("identifiers: [{type: email, path: email}]", "identifiers: [{type: email}]", "a value comes from one place"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_the_next_move(old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    assert any(complaint in one for one in complaints(GOOD.replace(old, new, 1))), complaints(GOOD.replace(old, new, 1))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("family: crm", "familly: crm").replace("case: ticket", "cse: ticket").replace("id: id", "id: a..b")
    )
    found = complaints(text)
    assert ["2:1", "3:1", "4:5"] == [one.split(": ")[0].removeprefix("tool.yaml:") for one in found][:3]


@pytest.mark.parametrize("text", ["", "   ", "# nothing"])
def test_an_empty_file_is_no_mapping(text: str) -> None:
    assert ["tool.yaml:1:1: no mapping in this file (begin with source: NAME)"] == complaints(text)


@pytest.mark.parametrize(
    "text", ["[]", "text", "- a", "source: [x]\nfamily: {}\nemit: 5", "emit: [5]", "a: " + "[" * 100]
)
def test_no_shape_of_file_is_more_than_a_complaint(text: str) -> None:
    assert [] != complaints(text)


def test_the_boolean_trap_is_refused() -> None:
    (one,) = complaints(GOOD.replace("{kind: complaint}", "{kind: no}"))
    assert "'no' is a boolean in YAML" in one
