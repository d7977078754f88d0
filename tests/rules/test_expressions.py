"""Expressions from text to answer: syntax and its places, names, Kleene logic, kinds."""

import pytest

from coordwatch.errors import Place, RuleError
from coordwatch.rules.compile_expression import value_code
from coordwatch.rules.expression import Binary, FieldRef, ListOf, Literal, Path
from coordwatch.rules.expression_parser import TEXT_MAX, parse_expression
from coordwatch.rules.kinds import condition_problems
from coordwatch.rules.references import is_local, references
from coordwatch.rules.spec import SharedSpec
from tests.rules.expressions import PLACE, Ran, problems_of, resolved, scope


def value(text, data=None, **steps):
    return Ran(resolved(text, scope(**steps)), data or {}).value


# ---- syntax


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("category = 'x'", 10, "means nothing here"),
        ("category == ", 13, "ends where a value should follow"),
        ("category == 'x' and has(code)", 17, "should follow"),
        ("(category == 'x'", 17, "')'"),
        ("items[0]", 6, "there is no x[i]"),
        ("1 < score < 3", 11, "do not chain"),
        ("", 1, "empty"),
        ("   ", 4, "empty"),
        ("category == 'x", 13, "means nothing here"),
        ("9223372036854775808 > 1", 1, "64 bits"),
        ("category == '\\q'", 13, "is no escape"),
        ('category == "\\ud800"', 13, "is no character"),
        ("has(1)", 1, "one field"),
        ("items.exists(1, true)", 7, "a name and a condition"),
        ("a ? b : c", 3, "means nothing here"),
        ("'a'.b", 5, "only a field has parts"),
        ("a.in", 3, "a name"),
        ("f(1 2)", 5, "',' or ')'"),
        ("1e999 < 2", 1, "too large"),
    ],
)
def test_a_mistake_has_its_exact_column(text, column, words):
    with pytest.raises(RuleError) as error:
        parse_expression(text, Place("rule.yaml", 7, 1))
    (problem,) = error.value.problems
    assert problem.place == Place("rule.yaml", 7, column)
    assert words in problem.message or words in (problem.hint or "")


def test_the_hint_for_and_is_two_ampersands():
    with pytest.raises(RuleError) as error:
        parse_expression("has(code) and has(kind)", PLACE)
    assert error.value.problems[0].hint == "write &&"


def test_and_binds_tighter_than_or_and_comparison_tighter_than_both():
    tree = parse_expression("a == 1 || b == 2 && !c", PLACE)
    assert isinstance(tree, Binary)
    assert tree.operator == "||"
    assert isinstance(tree.right, Binary)
    assert tree.right.operator == "&&"
    assert isinstance(tree.left, Binary)
    assert tree.left.left == Path(("a",), Place("rule.yaml", 1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "true" + ")" * 5_000,
        "!" * 5_000 + "true",
        "-" * 5_000 + "1",
        "[" * 5_000,
        "size(" * 5_000,
        "1" + " + 1" * 4_000,
        "true && " * 200_000 + "true",
        "a" * 1_000_000,
        "a." * 500_000 + "a",
        "'" + "x" * 1_000_000 + "'",
    ],
    ids=["parens", "nots", "minuses", "lists", "calls", "sum", "ands", "name", "path", "text"],
)
def test_a_hostile_text_is_an_error(text):
    with pytest.raises(RuleError):
        parse_expression(text, PLACE)


def test_a_chain_of_a_thousand_alternatives_is_wide_and_not_deep():
    text = " || ".join(f"turn == {n}" for n in range(600))
    assert len(text) < TEXT_MAX
    ran = Ran(resolved(text, scope("bot.message.sent")), {"turn": 599})
    assert ran.true
    assert not ran.false


def test_numbers_texts_and_raw_texts():
    assert value(r"""'a\'b' + "\u0041\n" + r"\d" """) == "a'bA\n\\d"
    assert value("-9223372036854775808") == -(2**63)
    assert value("1.5e3 + 1") == 1501.0


# ---- names (RULES 20)


def test_statement_20_a_bare_name_is_a_field_then_an_attribute_then_a_step_then_a_list():
    shared = SharedSpec(lists={"vip": ("a", "b"), "category": ("never",)})
    where = scope(shared=shared, case="service.case.opened", promo="service.case.opened")
    tree = resolved("category == 'x' && id == 'y' && promo.topic == 'z' && channel in vip && case == 'own'", where)
    assert references(tree) == {
        (None, ("category",)), (None, ("id",)), ("promo", ("topic",)), (None, ("channel",)), (None, ("case",)),
    }  # fmt: skip
    assert not is_local(tree)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("categry == 'x'", "'categry' is no field of marketing.message.sent", "did you mean 'category'?"),
        ("complaint.kimd == 'x'", "service.case.opened has no field 'kimd'", "did you mean 'kind'?"),
        ("complaint == 'x'", "'complaint' is a step, not a value", "name a field of it: complaint.time"),
        ("items.sku == 'x'", "'items' is a list", 'write items.exists(x, x.sku == "...")'),
        ("items.exists(i, i.skuu == 'x')", "'i' has no field 'skuu'", "did you mean 'sku'?"),
        ("tool.nam == 'x'", "'tool' has no field 'nam'", "did you mean 'name'?"),
        ("category.x == 'x'", "'category' is a text and has no 'x'", None),
        ("category == null", "comparing with null is never known", "write has(x) or !has(x)"),
        ("!null", "comparing with null is never known", "write has(x) or !has(x)"),
        ("null", "comparing with null is never known", "write has(x) or !has(x)"),
        ("startswith(category, 'x')", "there is no function 'startswith'", "did you mean 'startsWith'?"),
        ("size(items, 1) > 1", "size() takes 1 values, and 2 are given", "the receiver of x.f(y) counts as the first"),
        ("duration('3 days') < duration('1d')", "not a duration such as 10m, 72h or 1d12h: '3 days'", None),
        ("time > timestamp('yesterday')", "not a time with a zone such as 2026-01-31T09:30:00Z: 'yesterday'", None),
        ("duration(category) > duration('1d')", "duration() wants its value written out in quotes", None),
        ("category.matches(template)", "matches() wants a pattern written out in quotes", None),
        (
            "addOpen(time, duration('1h'), 'desk') > time",
            "there is no calendar 'desk'",
            "calendars stand in _shared.yaml",
        ),
        ("time in [time, 'x']", "a list cannot mix times or durations with other values", None),
        ("1 in [[1]]", "a list cannot hold a list", None),
        ("[time] == [time]", "a list of times cannot be compared as one", "write x in [...]"),
    ],
)
def test_a_name_that_leads_nowhere_names_the_nearest(text, message, hint):
    problem = problems_of(text, scope(complaint="service.case.opened"))[0]
    assert problem.message.startswith(message)
    assert problem.hint == hint


def test_every_mistake_of_an_expression_is_reported_at_its_own_column():
    problems = problems_of("categry == 'x' && chanel == 'y'")
    assert [(problem.place.column, problem.hint) for problem in problems] == [
        (1, "did you mean 'category'?"),
        (19, "did you mean 'channel'?"),
    ]


def test_a_bad_pattern_is_an_error_at_the_pattern_and_a_regex_of_death_is_none():
    (problem,) = problems_of("category.matches('a(b')")
    assert problem.place.column == 18
    assert "missing )" in problem.message
    ran = Ran(resolved("category.matches('(a+)+$')"), {"category": "a" * 100_000 + "b"})
    assert ran.false
    assert not ran.true


def test_a_variable_hides_a_field_inside_exists_only():
    tree = resolved("items.exists(item, item.sku == 'A') && item == 'B'")
    assert Ran(tree, {"items": [{"sku": "A"}], "item": "B"}).true
    assert Ran(tree, {"items": [{"sku": "A"}], "item": "A"}).false


def test_lists_inside_lists_go_three_levels_deep():
    def nested(levels):
        text = "i == 'a'"
        for _ in range(levels):
            text = f"item.exists(i, {text})"
        return problems_of(text)

    assert nested(3) == []
    assert [problem.message for problem in nested(4)] == ["exists() inside exists() goes 3 levels deep at most"]


def test_nested_variables_of_one_name_are_two():
    tree = resolved("items.exists(i, i.sku == 'A' && identifiers.exists(i, i.value == 'B') && i.quantity == 2)")
    data = {"items": [{"sku": "A", "quantity": 2}], "identifiers": [{"value": "B"}]}
    assert Ran(tree, data).true


# ---- macros and lists


def shared_with(**macros):
    return SharedSpec(
        lists={"words": ("a", "b"), "many": tuple(f"w{n}" for n in range(40))},
        macros={name: parse_expression(text, PLACE) for name, text in macros.items()},
    )


def test_a_macro_means_the_same_wherever_it_stands():
    shared = shared_with(is_promo="category == 'promotional'", loud="is_promo && channel in ['sms', 'voice']")
    tree = resolved("loud", scope(shared=shared))
    assert Ran(tree, {"category": "promotional", "channel": "sms"}).true
    assert Ran(tree, {"category": "promotional", "channel": "email"}).false


def test_a_macro_does_not_see_the_variables_around_it():
    shared = shared_with(odd="i.sku == 'A'")
    (problem,) = problems_of("items.exists(i, odd)", scope(shared=shared))
    assert problem.message.startswith("in the macro 'odd': 'i' is no field")
    assert problem.place.column == 17


def test_a_macro_that_uses_itself_is_an_error():
    (problem,) = problems_of("a1", scope(shared=shared_with(a1="a2", a2="a1")))
    assert "uses itself" in problem.message


def test_macros_that_double_each_other_are_an_error_and_not_slow():
    macros = {f"m{n}": f"m{n - 1} || m{n - 1}" for n in range(1, 40)} | {"m0": "category == 'x'"}
    (problem,) = problems_of("m39", scope(shared=shared_with(**macros)))
    assert "too large" in problem.message


def test_a_list_is_put_in_place():
    tree = resolved("channel in words", scope(shared=shared_with()))
    assert isinstance(tree, Binary)
    assert isinstance(tree.right, ListOf)
    assert [item.value for item in tree.right.items if isinstance(item, Literal)] == ["a", "b"]
    long = resolved("channel in many", scope(shared=shared_with()))
    assert Ran(long, {"channel": "w39"}).true
    assert Ran(long, {"channel": "x"}).false
    assert Ran(long, {"channel": ["w39"]}).false
    none = Ran(long, {})
    assert not none.true
    assert not none.false


# ---- meaning (RULES 21, 22, 23)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("code == 'x'", None),
        ("code != 'x'", None),
        ("!(code == 'x')", None),
        ("false && code == 'x'", False),
        ("code == 'x' && false", False),
        ("true || code == 'x'", True),
        ("code == 'x' || true", True),
        ("true && code == 'x'", None),
        ("code in ['x']", None),
        ("message in ['M1', code]", True),
        ("message in ['M2', code]", None),
        ("message in item", None),
        ("has(code)", False),
        ("has(message)", True),
        ("!has(code)", True),
        ("code.startsWith('x')", None),
        ("size(code) > 1", None),
        ("items.exists(i, i.sku == 'A')", None),
    ],
)
def test_statement_21_what_is_missing_is_unknown(text, answer):
    ran = Ran(resolved(text, scope("marketing.message.failed")), {"message": "M1", "code": None})
    assert (ran.value, ran.true, ran.false) == (answer, answer is True, answer is False)
    assert ran.mismatches == 0


@pytest.mark.parametrize(
    ("skus", "exists", "every"),
    [
        (["A"], True, True),
        (["B"], False, False),
        (["A", None], True, None),
        (["B", None], None, False),
        ([], False, True),
    ],
)
def test_statement_21_exists_is_kleene_or_and_all_is_kleene_and(skus, exists, every):
    data = {"items": [{"sku": sku} for sku in skus]}
    assert value("items.exists(i, i.sku == 'A')", data) is exists
    assert value("items.all(i, i.sku == 'A')", data) is every


@pytest.mark.parametrize(
    ("text", "data", "answer", "mismatches"),
    [
        ("value == 1", {"value": 1.0}, True, 0),
        ("value == 1", {"value": True}, False, 0),
        ("value == 1", {"value": "1"}, False, 0),
        ("value != 1", {"value": "1"}, True, 0),
        ("value == true", {"value": 1}, False, 0),
        ("value != true", {"value": 1}, True, 0),
        ("value == 5", {"value": 5.0}, True, 0),
        ("value in [1, 2]", {"value": True}, False, 0),
        ("value in [1, 2]", {"value": 2.0}, True, 0),
        ("value > 1", {"value": "2"}, None, 1),
        ("value > 1", {"value": True}, None, 1),
        ("value > 1", {"value": 2}, True, 0),
        ("value < 'b'", {"value": "a"}, True, 0),
        ("value.startsWith('a')", {"value": 1}, None, 1),
        ("value.startsWith('a')", {}, None, 0),
        ("value > 1", {}, None, 0),
        ("size(value) == 2", {"value": ["a", "b"]}, True, 0),
        ("size(value) == 2", {"value": 2}, None, 1),
        ("value + 1 == 2", {"value": "1"}, None, 1),
        ("value in about", {"value": "a", "about": "abc"}, None, 1),
        ("value / 0 == 0", {"value": 1}, None, 0),
        ("value % 0 == 0", {"value": 1}, None, 0),
        ("value / 0.0 == 0", {"value": 1}, None, 0),
        ("value + 9223372036854775807 > 0", {"value": 1}, None, 0),
        ("value * 9223372036854775807 > 0", {"value": 2}, None, 0),
        ("value * 1e308 > 0", {"value": 1e308}, None, 0),
        ("value / 2 == 3", {"value": 7}, True, 0),
        ("value / 2 == -3", {"value": -7}, True, 0),
        ("value % 2 == -1", {"value": -7}, True, 0),
        ("value / 2 == 3.5", {"value": 7.0}, True, 0),
        ("value + '1' == '21'", {"value": "2"}, True, 0),
        ("value == duration('5s')", {"value": 5_000_000}, False, 0),
        ("value < time", {"value": 5, "time": "2026-01-01T00:00:00Z"}, None, 1),
        ("time == value", {"value": 0, "time": "1970-01-01T00:00:00Z"}, False, 0),
        ("value in [time]", {"value": 0, "time": "1970-01-01T00:00:00Z"}, False, 0),
    ],
)
def test_statement_22_kinds(text, data, answer, mismatches):
    ran = Ran(resolved(text, scope("service.statement.made")), data)
    assert (ran.value, ran.true, ran.false) == (answer, answer is True, answer is False)
    assert ran.mismatches == mismatches


def test_statement_22_a_field_declared_as_any_number_is_divided_as_one():
    assert value("score / 2 == 2.5", {"score": 5}, own="feedback.received") is True


def test_statement_22_times_and_durations():
    data = {"time": "2026-01-01T00:00:00Z", "due_at": "2026-01-03T00:00:00Z", "@act": {"time": "2026-01-01T12:00:00Z"}}
    where = {"own": "service.commitment.made", "act": "service.case.opened"}
    assert value("due_at - time == duration('2d')", data, **where) is True
    assert value("time + duration('12h') == act.time", data, **where) is True
    assert value("due_at - duration('36h') == act.time", data, **where) is True
    assert value("time in [act.time, due_at - duration('2d')]", data, **where) is True
    assert value("time + duration('4000w') > due_at", data, **where) is True
    assert value("time + duration('500000w') > due_at", data, **where) is None
    assert value("due_at < time", {**data, "due_at": "soon"}, **where) is None


def test_statement_22_what_can_never_be_known_is_told():
    def told(text, own="feedback.received"):
        return [problem.message for problem in condition_problems(resolved(text, scope(own)))]

    assert told("score > 'high'") == ["a number and a text have no order: this is never known"]
    assert told("score == 'high'") == ["a number and a text are never equal"]
    assert told("time > '2026-01-01'") == ["a time and a text have no order: this is never known"]
    assert told("score") == ["a condition must be true or false, and this is a number"]
    assert told("!instrument") == ["! on a text is never known"]
    assert told("score && has(score)") == ["a condition must be true or false, and this is a number"]
    assert told("instrument - 1 == 1") == ["a text and a whole number cannot be joined with -: this is never known"]
    assert told("score.startsWith('a')") == ["startsWith() wants a text, and this is a number"]
    assert told("score in [1, 2.5]") == []
    assert told("score in ['a']") == ["the list holds no number: this is never true"]
    assert told("instrument in score") == ["'in' wants a list on its right, and this is a number"]
    assert told("item == 'A' && time + duration('1h') > time && score + 1 > 2.5") == []


def test_statement_23_a_path_does_not_go_through_a_list_and_matches_searches_anywhere():
    (problem,) = problems_of('items.sku == "A"')
    assert "is a list" in problem.message
    assert value("template.matches('b+')", {"template": "abbc"}) is True
    assert value("template.matches('^b')", {"template": "abbc"}) is False


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("time.getHours('Europe/Paris') == 1", True),
        ("time.getHours() == 23", True),
        ("time.getMinutes('Asia/Kolkata') == 0", True),
        ("time.getDayOfWeek('Europe/Paris') == 0", True),
        ("time.getDayOfWeek('UTC') == 6", True),
        ("time.getHours('-08:00') == 15", True),
        ("time.getHours('Mars/Olympus') == 1", None),
        ("time.getHours('../../etc/passwd') == 1", None),
        ("time.getHours(recipient_tz) == 8", True),
        ("time.getHours(template) == 8", None),
    ],
)
def test_statement_24_the_hour_in_a_zone(text, answer):
    data = {"time": "2026-07-04T23:30:00Z", "recipient_tz": "Asia/Tokyo"}
    assert value(text, data) is answer


def test_an_expression_with_raw_names_is_refused_by_the_compiler():
    with pytest.raises(TypeError, match=r"resolve\(\) first"):
        value_code(parse_expression("category", PLACE), lambda ref: pytest.fail(str(ref)))


@pytest.mark.parametrize("text", ["[]", "[category]", "!['a']", "'a'", "1", "['a'] == ['a'] && 'a'", "1 == 1 || 2"])
def test_what_is_no_condition_is_never_true_and_compiles_without_a_word(text):
    ran = Ran(resolved(text), {"category": "a"})
    assert ran.true == text.startswith("1 ==")
    assert not ran.false


def test_a_field_reference_says_its_kind():
    tree = resolved("due_at > time", scope("service.commitment.made"))
    assert isinstance(tree, Binary)
    assert isinstance(tree.left, FieldRef)
    assert tree.left.kind == "timestamp"
