"""Compiled conditions mean what the naive walk over the tree says, for random expressions and random data."""

import os
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from coordwatch.errors import RuleError
from coordwatch.rules.expression_parser import parse_expression
from coordwatch.rules.kinds import kind_of
from coordwatch.rules.resolve import resolve
from coordwatch.rules.spec import SharedSpec
from tests.rules.expressions import PLACE, UNKNOWN, Ran, meaning, scope

EXAMPLES = int(os.environ.get("COORDWATCH_EXAMPLES", "1500"))
STEPS = {"own": "service.commitment.made", "act": "service.statement.made", "order": "commerce.order.changed"}
SHARED = SharedSpec(
    lists={"short": ("a", "b"), "long": tuple("abcdefghijkl"), "mixed": (1, "1", True, 2.0)},
    macros={"is_refund": parse_expression("kind == 'refund'", PLACE)},
)
TEXTS = ("a", "b", "refund", "1", "")
NUMBERS = (0, 1, 2, -1, 1.0, 2.5, 2**63 - 1, 10**18)
VALUES: tuple[Any, ...] = (None, True, False, *NUMBERS, *TEXTS, [], ["a", "b"], ["a", None], [1, True], {"a": 1})
TIMES = (None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "soon", 5, "0001-01-01T00:00:00Z")

plain = st.sampled_from(
    [
        "kind", "amount", "currency", "commitment", "item", "act.value", "act.about", "act.order", "order", "items",
        "tool.name", "'a'", "'refund'", "'1'", "1", "0", "2.0", "-1", "true", "false", "9223372036854775807",
        "1000000000000000000",
    ]
)  # fmt: skip
timed = st.sampled_from(["time", "due_at", "act.time", "timestamp('2026-01-01T00:00:00Z')"])
lengths = st.sampled_from(["duration('1d')", "duration('0s')", "duration('9000w')", "(due_at - time)"])
lists = st.sampled_from(
    ["['a', 'b']", "short", "long", "mixed", "item", "[kind, 'a', act.value]", "[1, 2.0]", "items", "[]"]
)


def times_from(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, inner, st.sampled_from("+-"), lengths)


def numbers_from(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner),
        st.builds("size({})".format, inner),
        st.builds("(-{})".format, inner),
    )


values = st.recursive(plain, numbers_from, max_leaves=4)
moments = st.one_of(timed, times_from(timed))
comparing = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
atoms = st.one_of(
    st.builds("{} {} {}".format, values, comparing, values),
    st.builds("{} {} {}".format, moments, comparing, moments),
    st.builds("{} {} {}".format, st.one_of(values, moments, lengths), comparing, st.one_of(values, moments, lengths)),
    st.builds("{} in {}".format, st.one_of(values, moments), lists),
    st.builds("{} in [{}, {}]".format, moments, timed, timed),
    st.builds("has({})".format, st.sampled_from(["kind", "due_at", "act.value", "tool.name", "item"])),
    st.builds("{}.{}({})".format, plain, st.sampled_from(["startsWith", "endsWith", "contains"]), plain),
    st.builds("{}.{}(i, {})".format, st.sampled_from(["items", "item", "short", "[kind, act.value]"]),
              st.sampled_from(["exists", "all"]),
              st.sampled_from(["i == 'a'", "i.sku == 'a'", "i.quantity > 1", "has(i.sku)", "i in short", "i == kind",
                               "item.exists(j, j == i)", "i.price / 2 == 1"])),
    plain,
    st.just("is_refund"),
)  # fmt: skip


def conditions_from(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
        st.builds("!({})".format, inner),
        st.builds("(({}) == ({}))".format, inner, inner),
    )


conditions = st.recursive(atoms, conditions_from, max_leaves=6)
elements = st.fixed_dictionaries(
    {}, optional={"sku": st.sampled_from(["a", "b", None, 1]), "quantity": st.sampled_from([1, 2.5, "2", None]),
                  "price": st.sampled_from([2, 2.0, 3, None])}
)  # fmt: skip


def data_of(*fields: str) -> st.SearchStrategy[dict[str, Any]]:
    likely = st.sampled_from([*TEXTS, *NUMBERS, *TEXTS, ["a", "b"], True, False])
    return st.fixed_dictionaries(
        {
            "time": st.sampled_from(TIMES[1:3]),
            "due_at": st.sampled_from((*TIMES[1:3], *TIMES)),
            **{field: st.one_of(likely, likely, st.sampled_from(VALUES)) for field in fields},
        },
        optional={
            "items": st.one_of(st.sampled_from(VALUES), st.lists(elements, max_size=2)),
            "tool": st.sampled_from([{"name": "a"}, {"name": None}, {}, "a", None]),
        },
    )


events = st.builds(
    lambda own, act: {**own, "@act": act},
    data_of("kind", "amount", "currency", "commitment", "item", "order"),
    data_of("value", "about", "order"),
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(conditions, events)
def test_statements_21_and_22_compiled_code_means_what_the_tree_says(text: str, data: dict[str, Any]) -> None:
    where = scope(STEPS["own"], SHARED, act=STEPS["act"])
    tree = resolve(parse_expression(text, PLACE), where)
    if where.problems:
        event("refused")
        return
    expected = meaning(tree, data)
    ran = Ran(tree, data, SHARED)
    if kind_of(tree) == "bool":
        event(str(expected) if expected is not UNKNOWN else "unknown")
    assert ran.true is (expected is True)
    assert ran.false is (expected is False)
    if expected is UNKNOWN:
        assert ran.value is None
    else:
        assert ran.value == expected or list(ran.value) == expected
        assert isinstance(ran.value, bool) == isinstance(expected, bool)


@settings(max_examples=EXAMPLES)
@given(st.text(alphabet="abi.()[]!&|=<>+-*/%'\"\\, 0159xin", max_size=60))
def test_any_text_is_an_expression_or_an_error_with_a_place_inside_it(text: str) -> None:
    where = scope(STEPS["own"], SHARED)
    tree = None
    try:
        tree = resolve(parse_expression(text, PLACE), where)
        problems = tuple(where.problems)
    except RuleError as error:
        problems = error.problems
    assert (tree is None) <= bool(problems)
    assert all(1 <= problem.place.column <= len(text) + 1 for problem in problems)
    if tree is not None and not problems:
        Ran(tree, {})
