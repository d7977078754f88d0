"""What a canonical field takes, what it turns it into, and what it refuses."""

from contextlib import suppress
from typing import Any

import pytest

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import Field
from coordwatch.sources.kinds import KindError, converter

WORD = Field("string", ("a", "b"))
OBJECT = Field("object", fields={"n": Field("integer"), "w": WORD})
CASES = [
    (Field("string"), " x ", "x"), (Field("string"), 7, "7"), (Field("string"), 7.0, "7"), (Field("string"), "", None),
    (WORD, "a", "a"), (WORD, "", None),
    (Field("integer"), 7, 7), (Field("integer"), "7", 7), (Field("integer"), 7.0, 7), (Field("integer"), "", None),
    (Field("number"), 7.5, 7.5), (Field("number"), "7.50", 7.5), (Field("number"), -1, -1),
    (Field("boolean"), True, True), (Field("boolean"), "False", False),
    (Field("timestamp"), "2025-10-09T14:00:00+02:00", "2025-10-09T12:00:00Z"), (Field("timestamp"), "0001-01-01T00:00:00Z", None),
    (Field("strings"), "x", "x"), (Field("strings"), ["x"], "x"), (Field("strings"), ["x", "y", "x", "", None], ["x", "y"]),
    (Field("strings"), [], None), (Field("strings"), [1, 2], ["1", "2"]),
    (OBJECT, {"n": 1, "w": "a", "other": 2}, {"n": 1, "w": "a"}), (OBJECT, {"other": 2}, None),
    (Field("objects", fields=OBJECT.fields), [{"n": 1}, {}], [{"n": 1}]), (Field("objects", fields=OBJECT.fields), {"n": 1}, [{"n": 1}]),
    (Field("any"), "x", "x"), (Field("any"), 1.5, 1.5), (Field("any"), True, True),
]  # fmt: skip
REFUSED = [
    (Field("string"), True, "wrong_kind", ""), (Field("string"), {}, "wrong_kind", ""), (Field("string"), "x" * 513, "too_long", ""),
    (WORD, "c", "unknown_value", ""), (WORD, 1, "wrong_kind", ""),
    (Field("integer"), 7.5, "wrong_kind", ""), (Field("integer"), True, "wrong_kind", ""), (Field("integer"), 1e300, "wrong_kind", ""),
    (Field("integer"), "7e3", "wrong_kind", ""),
    (Field("number"), "much", "wrong_kind", ""), (Field("number"), [1], "wrong_kind", ""),
    (Field("boolean"), 1, "wrong_kind", ""), (Field("timestamp"), 1760011200, "wrong_kind", ""), (Field("timestamp"), "soon", "wrong_kind", ""),
    (Field("strings"), ["x", {}], "wrong_kind", "[1]"), (Field("strings"), ["x"] * 1001, "too_many", ""),
    (OBJECT, {"n": "x"}, "wrong_kind", "n"), (OBJECT, [], "wrong_kind", ""),
    (Field("objects", fields=OBJECT.fields), [{"n": 1}, {"w": "c"}], "unknown_value", "[1].w"),
    (Field("objects", fields=OBJECT.fields), [{}] * 1001, "too_many", ""), (Field("objects", fields=OBJECT.fields), ["x"], "wrong_kind", "[0]"),
    (Field("any"), {}, "wrong_kind", ""), (Field("any"), [1], "wrong_kind", ""),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "expected"), CASES)
def test_a_field_takes_what_can_be_said_without_loss(field: Field, value: Any, expected: Any) -> None:
    found = converter(field)(value)
    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(("field", "value", "reason", "path"), REFUSED)
def test_a_field_refuses_the_rest_and_says_where(field: Field, value: Any, reason: str, path: str) -> None:
    with pytest.raises(KindError) as caught:
        converter(field)(value)
    assert (reason, path) == (caught.value.reason, caught.value.path)


@pytest.mark.parametrize(
    "value", [None, True, 0, -1, 1e308, "", "x", "\0", [], [[]], {}, {"sku": {}}, [{"sku": []}], "9" * 600]
)
def test_no_value_in_any_field_of_the_taxonomy_does_more_than_be_refused(value: Any) -> None:
    for field in {id(field): field for event_type in TYPES.values() for field in event_type.fields.values()}.values():
        with suppress(KindError):
            converter(field)(value)


def test_what_is_printed_of_a_value_is_short() -> None:
    with pytest.raises(KindError) as caught:
        converter(Field("number"))("a secret text that is longer than forty characters")
    assert "wants a number, holds a text of 50 characters" == caught.value.detail
