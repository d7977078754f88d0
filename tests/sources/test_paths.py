"""Where a path leads, and what is said about one that is no path."""

from typing import Any

import pytest

from coordwatch.sources.paths import compile_path, parse_path
from tests.sources.build import scope

ORDER = {
    "id": 7,
    "lines": [{"sku": "A", "tags": ["x", "y"]}, {"sku": None, "tags": []}, {"sku": "C"}],
    "a.b": {"c d": 1},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("id", 7),
        ("lines[0].sku", "A"),
        ("lines[-1].sku", "C"),
        ("lines[9].sku", None),
        ("lines[*].sku", ["A", "C"]),
        ("lines[*].tags[*]", ["x", "y"]),
        ("lines.sku", None),
        ("id.sku", None),
        ("missing.deeper.still", None),
        ('"a.b"."c d"', 1),
        ("$", ORDER),
        ("$.id", 7),
        ("lines[*]", ORDER["lines"]),
        ("id[0]", None),
        ("id[*]", None),
    ],
)
def test_a_path_leads_where_it_says(path: str, expected: Any) -> None:
    assert expected == compile_path(parse_path(path))(scope(ORDER))


def test_roots_look_beside_the_piece() -> None:
    here = scope(
        {"x": 1}, whole={"has_more": True}, headers={"x-topic": "orders"}, query={"q": ["a"]}, attributes={"id": "e"},
        topic="shop", key="k", partition=3, offset=9, each={"sku": "S"}, let={"kind": "claim"},
    )  # fmt: skip
    paths = {
        "$whole.has_more": True, "$headers.X-Topic": "orders", "$query.q[0]": "a", "$attributes.id": "e",
        "$topic": "shop", "$key": "k", "$partition": 3, "$offset": 9, "$each.sku": "S", "$let.kind": "claim", "$let.no": None,
    }  # fmt: skip
    assert paths == {path: compile_path(parse_path(path))(here) for path in paths}


@pytest.mark.parametrize("item", [None, 1, "text", [], [1], True, {"a": [{"b": 1}]}])
def test_no_shape_of_payload_makes_a_path_fail(item: Any) -> None:
    for path in ("a", "a.b", "a.b.c", "a[*].b", "a[0]", "$"):
        compile_path(parse_path(path))(scope(item))


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("", "1 to 300 characters"),
        ("a..b", "not a path at character 3"),
        ("a.", "does not end with a dot"),
        ("a[x]", "not a path at character 1"),
        ("$nowhere.x", "'\\$nowhere' is no place to begin"),
        ("a b", "not a path"),
        (".".join("a" * 33), "at most 32 steps"),
    ],
)
def test_what_is_no_path_says_why(path: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_path(path)
