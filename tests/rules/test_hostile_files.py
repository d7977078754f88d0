"""Rule files that somebody broke: whatever the text, rules or problems with places come out, and nothing else."""

import contextlib
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordwatch.adapters.files import shipped
from coordwatch.errors import RuleError
from coordwatch.rules.lint import lint
from coordwatch.rules.parse import parse_rules, parse_shared
from coordwatch.rules.rule_schema import rule_schema
from coordwatch.rules.sentence import sentence
from tests.rules.test_parse import FULL, SHARED

SHARED_TEXT = (shipped("rules") / "_shared.yaml").read_text("utf-8")
WORDS = sorted(rule_schema()["properties"])
PIECES = st.sampled_from(
    [
        *WORDS, "event", "where", "same", "any", "opened", "closed", "within", "since", "{", "}", "[", "]", ": ", ", ", "- ",
        "\n", "\n  ", "'", '"', "!", "&a ", "*a", "null", "true", "no", "0", "1e999", "-1", "forever", "has(", ")", "&&",
        "---\n", "\t", "\0", "\u2028", "\ud800", "é", "2026-01-01", "~", "|", ">", "%", "@", "`", "<<: ", "? ",
    ]
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, text: str) -> str:
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.sampled_from([0, 0, 1, 2, 8, 40]))
        text = text[:start] + draw(st.one_of(st.just(""), PIECES)) + text[start + length :]
    return text


def read(text: str) -> list[Any]:
    specs: list[Any] = []
    problems: tuple[Any, ...] | None = None
    try:
        specs = parse_rules(text, "rule.yaml", SHARED)
    except RuleError as error:
        problems = error.problems
    assert problems is None or problems
    last = len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text)) + 1
    for problem in problems or ():
        assert problem.message
        assert 1 <= problem.place.line <= last
        assert problem.place.column >= 1
    return specs


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(broken(FULL))
def test_a_broken_rule_file_is_rules_or_problems(text: str) -> None:
    specs = read(text)
    lint(specs)
    for spec in specs:
        assert sentence(spec).endswith(".")


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(broken(SHARED_TEXT))
def test_a_broken_shared_file_is_words_or_problems(text: str) -> None:
    with contextlib.suppress(RuleError):
        assert parse_shared(text, "_shared.yaml") is not None


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_rules_or_problems(text: str) -> None:
    read(text)


plain = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 5),
        st.sampled_from(["x", "1h", "case", "feedback.received", "kind == 1"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [*WORDS, "event", "where", "same", "any", "opened", "closed", "within", "name", "events", "at"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(WORDS), plain, max_size=6))
def test_any_shape_of_data_under_any_word_is_a_rule_or_problems(document: dict[str, Any]) -> None:
    read(str(document).replace("None", "null").replace("True", "true").replace("False", "false"))


@pytest.mark.parametrize("size", [1_000, 20_000])
def test_a_long_list_of_steps_or_tests_is_read_in_proportion(size):
    steps = "".join(f"  s{n}: {{event: feedback.received, within: 1h}}\n" for n in range(size // 20))
    tests = "".join(f"  - {{name: t{n}, events: [], expect: []}}\n" for n in range(size // 20))
    head = FULL.split("when:")[0]
    (spec,) = parse_rules(
        f"{head}when: {{act: {{event: feedback.received}}}}\nafter:\n{steps}tests:\n{tests}", "rule.yaml", SHARED
    )
    assert (len(spec.after), len(spec.tests)) == (size // 20, size // 20)
