"""Causes: the likeliest first, with words that say why; the order of what comes in says nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.alerts.causes import (
    CauseKind,
    Change,
    Dark,
    Evidence,
    Moment,
    Share,
    ranked,
    title_of_incident,
)
from coordwatch.events.times import DAY, HOUR, MINUTE
from tests.build import NOW, PROMO

TOOLS = frozenset({"Journeys", "Deskflow"})
MOMENTS = [Moment(NOW + n * 3 * HOUR, PROMO.id, TOOLS) for n in range(20)]
PLAIN = Evidence(
    alerts=20,
    outside=400,
    shares=[
        Share(CauseKind.CAMPAIGN, "Spring sale", 19, 2),
        Share(CauseKind.RULE, PROMO.id, 20, 150),
        Share(CauseKind.TOOL, "Journeys", 20, 300),
        Share(CauseKind.TOOLS, "Journeys|Deskflow", 20, 150),
        Share(CauseKind.CAMPAIGN, "Boots", 1, 30),
    ],
    moments=MOMENTS,
    titles={PROMO.id: PROMO.title},
)


def test_a_campaign_that_is_nowhere_else_explains_more_than_a_rule_that_always_fires():
    causes = ranked(PLAIN)
    assert [one.kind for one in causes] == [CauseKind.CAMPAIGN, CauseKind.TOOLS, CauseKind.RULE, CauseKind.TOOL]
    assert causes[0].value == "Spring sale"
    assert causes[0].evidence == (
        "19 of 20 alerts of this incident have it in common; of 400 other alerts in the week before, 2"
    )
    assert causes[2].name == f"the rule “{PROMO.title}”"
    assert causes[1].name == "Journeys against Deskflow"
    assert all(0 < one.score <= 100 for one in causes)


def test_a_tool_that_collides_with_what_it_did_itself_is_named_once():
    alike = replace(
        PLAIN, shares=[Share(CauseKind.TOOLS, "Botler|Botler", 20, 10), Share(CauseKind.TOOLS, "Shop|", 19, 10)]
    )
    assert [one.name for one in ranked(alike)] == ["Botler against itself", "Shop alone"]


def test_a_rule_that_was_changed_just_before_is_the_likeliest_cause_and_one_changed_long_ago_is_none():
    changed = replace(PLAIN, changes=[Change(CauseKind.RULE_CHANGED, PROMO.id, NOW - 5 * MINUTE)])
    first = ranked(changed)[0]
    assert (first.kind, first.name) == (CauseKind.RULE_CHANGED, f"the change of the rule “{PROMO.title}”")
    assert first.evidence == (
        "it was changed on 2 Mar 2026 11:55 UTC, 5 min before the first alert; 20 of 20 alerts come from it"
    )
    for other in (
        Change(CauseKind.RULE_CHANGED, PROMO.id, NOW - 2 * DAY),
        Change(CauseKind.RULE_CHANGED, PROMO.id, NOW + 1),
        Change(CauseKind.RULE_CHANGED, "another-rule", NOW - MINUTE),
    ):
        assert ranked(replace(PLAIN, changes=[other])) == ranked(PLAIN)


def test_a_mapping_counts_by_its_tool_and_a_source_by_what_happened_while_it_was_dark():
    mapping = ranked(replace(PLAIN, changes=[Change(CauseKind.MAPPING_CHANGED, "Deskflow", NOW - MINUTE)]))[0]
    assert mapping.name == "the change of how Deskflow is read"
    dark = Dark("deskflow", frozenset({"Deskflow"}), NOW - HOUR, NOW + 3 * DAY)
    found = ranked(replace(PLAIN, dark=[dark]))[0]
    assert (found.kind, found.score) == (CauseKind.SOURCE_DARK, 95)
    assert (
        "dark from 2 Mar 2026 11:00 UTC until 5 Mar 2026 12:00 UTC; 20 of 20 alerts happened meanwhile"
        in found.evidence
    )
    assert ranked(replace(PLAIN, dark=[replace(dark, tools=frozenset({"Stockroom"}))])) == ranked(PLAIN)


def test_what_happened_within_minutes_says_so():
    quick = [Moment(NOW + n * 10_000_000, PROMO.id, TOOLS) for n in range(20)]
    cause = next(one for one in ranked(replace(PLAIN, moments=quick)) if one.kind is CauseKind.TIME)
    assert cause.evidence == "18 of 20 alerts fall within 2 min 50 s, from 2 Mar 2026 12:00 UTC on"


@given(st.permutations(PLAIN.shares), st.permutations(MOMENTS))
def test_the_order_of_what_comes_in_says_nothing(shares, moments):
    assert ranked(replace(PLAIN, shares=shares, moments=moments)) == ranked(PLAIN)


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_covering_more_never_scores_less_and_being_common_elsewhere_never_more(inside, outside, extra):
    def score(inside: int, outside: int) -> int:
        share = Share(CauseKind.CAMPAIGN, "x", inside, outside)
        found = ranked(Evidence(2000, 5000, [share], []))
        return found[0].score if found else 0

    assert score(inside + extra, outside) >= score(inside, outside) >= score(inside, outside + extra)


def test_the_title_is_a_sentence_with_and_without_a_cause():
    assert title_of_incident(ranked(PLAIN), 20, 1200, NOW) == (
        "20 alerts about 1\N{THIN SPACE}200 customers since 2 Mar 2026 12:00 UTC, "
        "likely because of the campaign Spring sale"
    )
    assert title_of_incident((), 1, 1, NOW) == "1 alert about 1 customer since 2 Mar 2026 12:00 UTC"
