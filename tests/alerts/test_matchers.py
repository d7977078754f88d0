"""Matchers: Alertmanager's grammar, read and written, and what holds of which labels."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.alerts.labels import LABELS, labels_of
from coordwatch.alerts.matchers import (
    BadMatcher,
    Matcher,
    Operator,
    all_hold,
    matcher,
    matchers_text,
    parse_matchers,
    take_everything,
)
from tests.alerts.test_lifecycle import an_alert
from tests.build import PROMO

words = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
names = st.sampled_from(sorted(LABELS))
plain = st.builds(matcher, names, st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]), words)
patterns = st.builds(
    lambda name, operator, value: matcher(name, operator, re.escape(value)),
    names,
    st.sampled_from([Operator.LIKE, Operator.NOT_LIKE]),
    st.text("abc .-|", max_size=6),
)
matchers = plain | patterns
labels = st.dictionaries(names, st.lists(words, max_size=3).map(tuple))


@given(st.lists(matchers, min_size=1, max_size=5))
def test_what_is_written_is_read_again(several):
    assert list(parse_matchers(matchers_text(several))) == several
    assert list(parse_matchers("{" + matchers_text(several) + "}")) == several


@given(matchers, labels)
def test_a_negative_operator_is_the_exact_opposite(one, found):
    opposite = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}[one.operator]
    assert one.holds(found) is not matcher(one.name, Operator(opposite), one.value).holds(found)


@given(st.lists(matchers, min_size=1, max_size=5), labels)
def test_the_order_of_matchers_says_nothing_and_more_of_them_take_less(several, found):
    assert all_hold(several, found) == all_hold(several[::-1], found)
    assert not all_hold(several, found) or all_hold(several[1:], found)


@given(st.text(max_size=40))
def test_any_text_is_matchers_or_is_refused_in_words(text):
    found = None
    with suppress(BadMatcher):
        found = parse_matchers(text)
    assert found is None or all(isinstance(one, Matcher) for one in found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("severity=high", ["severity=high"]),
        (' { severity = "high" , tool!=Journeys } ', ["severity=high", "tool!=Journeys"]),
        ("campaign=Spring sale", ['campaign="Spring sale"']),
        ('campaign=~"Spring.*|Easter{1,2}"', ['campaign=~"Spring.*|Easter{1,2}"']),
        ('rule!~"bot-.*",', ['rule!~"bot-.*"']),
        ("promo-during-open-complaint", ["alertname=promo-during-open-complaint"]),
        ("campaign=", ['campaign=""']),
        ('customer="a\\"b\\\\c\\nd"', ['customer="a\\"b\\\\c\\nd"']),
    ],
)
def test_what_people_write_for_alertmanager_is_read(text, wanted):
    assert [str(one) for one in parse_matchers(text)] == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no matcher at all"),
        ("{severity=high", "a brace stands alone"),
        ("severity>high", "at character 9: stands '>high', where =, !=, =~ or !~ belongs"),
        ("severity=high tool=Journeys", "a comma between two matchers"),
        ('campaign="Spring', "a closing quotation mark"),
        ("sevrity=high", "did you mean 'severity'"),
        ("colour=red", "the labels are: alertname"),
        ('tool=~"("', "the pattern is not valid"),
        ('tool=~"a)|(?:b"', "the pattern is not valid"),
        (",severity=high", "the name of a label"),
        ("severity=high," * 21, "more than 20 matchers"),
    ],
)
def test_what_cannot_be_read_says_where_it_stops(text, words):
    with pytest.raises(BadMatcher, match=re.escape(words)):
        parse_matchers(text)


def test_the_labels_of_an_alert_and_what_holds_of_them():
    card = type(PROMO)(PROMO.id, PROMO.title, PROMO.severity, PROMO.owner, tags=("bank", "retail"))
    found = labels_of(an_alert(), card)
    assert set(found) == set(LABELS)
    for text, holds in [
        ("tool=Journeys", True),
        ("tool=Deskflow", True),
        ("act_tool=Deskflow", False),
        ("tag=bank, tag=retail", True),
        ("tag!=bank", False),
        ("tag=telco", False),
        ('campaign=~"Spring.*"', True),
        ('campaign=~"Spring"', False),
        ("severity!=high", False),
        (f"{PROMO.id}", True),
    ]:
        assert all_hold(parse_matchers(text), found) is holds, text


def test_matchers_that_take_everything_are_known():
    assert take_everything(parse_matchers('tool=~".*"'))
    assert take_everything(parse_matchers("tool!=Journeys"))
    assert not take_everything(parse_matchers("tool!=Journeys, severity=low"))
