"""Expressions as functions: whatever they are asked, they give what the library's own interpreter gives."""

from typing import Any

import jmespath
import jmespath.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.codec import NotJson, decode_json
from coordwatch.sources.check import all_values
from coordwatch.sources.jmes import compile_jmes
from coordwatch.sources.mapping import FromJmes
from coordwatch.sources.record import Record
from tests.sources.shipped import SOURCES, golden_records

HAND = [
    "a", "a.b", "a.b.a", "a[0]", "a[-1]", "a[5]", "a[0].b", "[0]", "@", "a[*]", "a[*].b", "a[*].b[*]", "a.*", "a.*.b", "*", "a[]", "a[][]",
    "a[].b", "[]", "a[?b=='x']", "a[?b=='x'].a", "a[?b=='x'].a | [0]", "a[?b!='x']", "a[?b==`1`]", "a[?b==`0`]", "a[?b==`true`]", "a[?b==`false`]",
    "a[?b>`1`]", "a[?b<=`1`]", "a[?b<'m']", "a[?'x'==b]", "a[?b==a]", "a[?b]", "a[?!b]", "a[?b && a]", "a[?b || a]", "a[?contains(b, 'x')]",
    "a || b", "a && b", "!a", "!(a || b)", "a.b || a || @", "[a, b]", "{x: a, y: b.a}", "a.[b, a]", "a.{x: b}", "a[*].{x: b}", "a[?b].[b, a][]",
    "length(@)", "length(a)", "keys(a)", "values(a)", "contains(a, 'x')", "contains(['x', 'y'], b)", "join(', ', a)", "max(a[].b)", "sort_by(a, &b)",
    "a[0:2]", "a[::-1]", "`1`", "`null`", "a == `[]`", "a == b", "to_string(a)", "not_null(a, b)", "type(a)", "a | b", "a.b | [0]", "\"odd.name\"",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 2, 1.0, 0.0, "x", "y", "", "xy"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "odd.name"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
COMPILED = {text: (compile_jmes(text), jmespath.compile(text).search) for text in HAND}


def said(ask: Any, value: Any) -> Any:
    """An answer, or that there is none; 1, 1.0 and true are three different ones."""
    try:
        return repr(ask(value))
    except (jmespath.exceptions.JMESPathError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError):
        return "none"


def shipped() -> list[str]:
    values = (spec for mapping in load_mappings() for spec in all_values(mapping))
    return sorted({spec.origin.text for spec in values if isinstance(spec.origin, FromJmes)})


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_any_value_is_answered_as_the_library_answers_it(value: Any) -> None:
    for text, (ask, library) in COMPILED.items():
        assert said(ask, value) == said(library, value), text


def test_the_expressions_that_ship_say_the_same_of_every_golden_payload() -> None:
    texts = shipped()
    assert len(texts) >= 20
    bodies = [body_of(one) for source in SOURCES for one in golden_records(source)]
    for text in texts:
        ask, library = compile_jmes(text), jmespath.compile(text).search
        assert [said(ask, one) for one in bodies] == [said(library, one) for one in bodies], text


def body_of(record: Record) -> Any:
    try:
        return decode_json(record.value or b"null")
    except NotJson:
        return None


def test_what_is_no_expression_is_refused_as_before() -> None:
    with pytest.raises(ValueError, match="a\\["):
        compile_jmes("a[")
