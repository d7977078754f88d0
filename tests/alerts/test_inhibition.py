"""Inhibition: which alert holds back which, in Alertmanager's meaning."""

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.alerts.inhibition import InhibitRule
from coordwatch.alerts.matchers import parse_matchers

labels = st.fixed_dictionaries(
    {
        "severity": st.sampled_from([("high",), ("low",)]),
        "tool": st.lists(st.sampled_from(["Journeys", "Deskflow"]), max_size=2, unique=True).map(tuple),
        "campaign": st.sampled_from([("",), ("Spring",)]),
    }
)
RULE = InhibitRule(parse_matchers("severity=high"), parse_matchers("severity=low"), ("tool", "campaign"))
BOTH = InhibitRule(parse_matchers("tool=Journeys"), parse_matchers('severity=~"high|low"'))


@given(labels, labels)
def test_one_holds_the_other_back_where_both_sides_hold_and_they_are_equal(source, target):
    alike = source["campaign"] == target["campaign"] and (
        set(source["tool"]) & set(target["tool"]) or (not source["tool"] and not target["tool"])
    )
    wanted = source["severity"] == ("high",) and target["severity"] == ("low",) and bool(alike)
    assert RULE.inhibits(source, target) is wanted


@given(labels, labels)
def test_two_that_are_both_sides_at_once_never_hold_each_other_back(one, other):
    assert not (BOTH.inhibits(one, other) and BOTH.inhibits(other, one))
    assert not BOTH.inhibits(one, one)
