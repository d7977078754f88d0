"""What the operator knows and no payload carries."""

import pytest

from coordwatch.errors import DocumentError
from coordwatch.sources.catalogue import Catalogue, Known, compile_catalogue, glob_test, laid_together, parse_catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapResult
from tests.sources.build import mapped, payload, with_catalogue

TEXT = """
campaigns:
  - match: {campaign: spring-vip, tag: vip}
    category: service
    purpose: loyalty
  - match: {campaign: "spring-*"}
    category: promotional
    purpose: promo
    owner_team: lifecycle-marketing
    items: [TENT-2, LAMP-1]
  - match: {template: [t-1, t-2]}
    category: transactional
  - match: {journey: "?-days"}
    purpose: onboarding
tables:
  tool.case_kind: {broken: complaint, late: claim}
tools:
  tool: {team: care, instance: eu}
"""
MESSAGES = """
tables: {case_kind: {broken: incident, lost: claim}}
catalogue: {campaign: campaign, tag: tags, template: template, journey: journey}
emit:
  - event: marketing.message.sent
    when: {kind: {present: false}}
    constant: {channel: email}
    refs: {message: id}
    set: {category: given}
  - event: service.case.opened
    refs: {case: id}
    set: {kind: {path: kind, map: case_kind, default: question}}
"""


def mapper(text: str = TEXT) -> Mapper:
    return with_catalogue(MESSAGES, parse_catalogue(text, "campaigns.yaml"))


def facts(result: MapResult) -> dict[str, object]:
    (event,) = result.events
    return {name: event.data.get(name) for name in ("category", "category_basis", "purpose", "owner_team")}


def test_the_first_entry_that_fits_says_what_a_message_is() -> None:
    expected = {
        "category": "promotional",
        "category_basis": "catalogue",
        "purpose": "promo",
        "owner_team": "lifecycle-marketing",
    }
    result = mapped(mapper(), payload(campaign="spring-2026"))
    assert expected == facts(result)
    assert [{"sku": "TENT-2"}, {"sku": "LAMP-1"}] == result.events[0].data["items"]
    assert "loyalty" == facts(mapped(mapper(), payload(campaign="spring-vip", tags=["new", "vip"])))["purpose"]
    assert "promo" == facts(mapped(mapper(), payload(campaign="spring-vip", tags="new")))["purpose"]
    assert "transactional" == facts(mapped(mapper(), payload(template="t-2")))["category"]


def test_unknown_is_a_value_and_is_counted() -> None:
    result = mapped(
        mapper(), [payload(id="1", campaign="autumn"), payload(id="2"), payload(id="3", campaign="spring-x")]
    )
    assert 2 == result.unknown_category
    assert ["default", "default", "catalogue"] == [event.data["category_basis"] for event in result.events]
    half_known = facts(mapped(mapper(), payload(journey="3-days")))
    assert ("unknown", "default", "onboarding") == (
        half_known["category"],
        half_known["category_basis"],
        half_known["purpose"],
    )


def test_what_the_payload_says_itself_stays() -> None:
    found = facts(mapped(mapper(), payload(campaign="spring-2026", given="legal")))
    assert ("legal", "payload", "promo") == (found["category"], found["category_basis"], found["purpose"])


def test_tables_of_the_site_go_over_those_of_the_mapping() -> None:
    def kind(word: str) -> object:
        return mapped(mapper(), payload(kind=word)).events[0].data["kind"]

    assert ["complaint", "claim", "claim", "question"] == [kind(word) for word in ("broken", "lost", "late", "odd")]


def test_a_word_of_the_site_that_is_none_of_ours_is_refused_at_the_event() -> None:
    wrong = mapper("tables: {tool.case_kind: {broken: complain}}")
    (rejection,) = mapped(wrong, payload(kind="broken")).rejected
    assert ("unknown_value", "validate", "kind") == (rejection.reason, rejection.stage, rejection.path)


def test_facts_about_the_tool_go_into_every_event() -> None:
    (event,) = mapped(mapper(), payload()).events
    assert {"name": "tool", "family": "crm", "team": "care", "instance": "eu"} == event.data["tool"]
    assert "tool/eu" == event.source


def test_an_empty_catalogue_knows_nothing() -> None:
    assert Catalogue() == parse_catalogue("", "c.yaml")
    assert compile_catalogue(Catalogue())(((), (), (), ())) is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [("a*c", "abbc", True), ("a*c", "abcd", False), ("a.c", "abc", False), ("a?c", "abc", True), ("*", "any\nthing", True), ("a", "A", False),
     ("(a|b)", "a", False), ("[ab]", "[ab]", True)],
)  # fmt: skip
def test_patterns_know_only_stars_and_question_marks(pattern: str, text: str, fits: bool) -> None:
    assert fits is glob_test([pattern])(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("campains: []", "c.yaml:1:1: the catalogue has no 'campains' (did you mean 'campaigns'?)"),
        ("campaigns: {a: b}", "campaigns wants a list"),
        (
            "campaigns: [{category: promo}]",
            "'promo' is no category (did you mean 'promotional'?)",
        ),
        ("campaigns: [{match: {campaign: x}, purpose: newsleter}]", "did you mean 'newsletter'?"),
        ("campaigns: [{category: legal}]", "a campaign says what it is about"),
        ("campaigns: [{match: {campain: x}}]", "match has no 'campain' (did you mean 'campaign'?)"),
        ("campaigns: [{match: {tag: [[x]]}}]", "wants a text or a list of texts"),
        ("tools: {sendgrid: {teem: x}}", "did you mean 'team'?"),
        ("tables: {a: [1]}", "wants names with values"),
        ("a: 1\n---\nb: 2", "a catalogue is one YAML document"),
        ("campaigns: [{match: {tag: x}, category: &a legal}]", "anchors and aliases are not allowed"),
    ],
)
def test_a_mistake_in_the_catalogue_has_its_place(text: str, complaint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_catalogue(text, "c.yaml")
    assert complaint in str(caught.value)


OUR_WORDS = """
version: 2026-11-26.1
skus: {tool: {"39072856": TENT-2, L1: LAMP-1}}
locations: {tool: {5551: berlin}}
"""
STOCK = """
emit:
  - event: commerce.order.changed
    constant: {status: placed}
    refs: {order: id, location: store}
    set: {items: {each: lines, fields: {sku: $each}}}
"""


def test_skus_and_places_are_said_as_the_site_says_them_and_what_nobody_said_is_counted() -> None:
    own = with_catalogue(STOCK, parse_catalogue(OUR_WORDS, "c.yaml"))
    (event,) = mapped(own, payload(store=5551, lines=["39072856", "L1", "other"])).events
    assert event.data["location"] == "berlin"
    assert event.data["items"] == [{"sku": "TENT-2"}, {"sku": "LAMP-1"}, {"sku": "other"}]
    assert own.lookups.take() == {
        "lookup_known.tool.locations": 1,
        "lookup_known.tool.skus": 2,
        "lookup_unknown.tool.skus": 1,
        "lookup_unknown.tool.owner": 1,
    }
    assert own.lookups.take() == {}


def test_what_is_unknown_of_a_message_or_a_case_is_counted() -> None:
    own = mapper()
    for body in (payload(campaign="spring-1"), payload(campaign="autumn"), payload(kind="broken"), payload(kind="odd")):
        mapped(own, body)
    assert own.lookups.take() == {
        "lookup_known.tool.category": 1,
        "lookup_known.tool.purpose": 1,
        "lookup_unknown.tool.category": 1,
        "lookup_unknown.tool.purpose": 1,
        "lookup_known.tool.case_kind": 1,
        "lookup_unknown.tool.case_kind": 1,
        "lookup_known.tool.owner": 4,
    }


def test_an_edition_has_a_version_and_a_digest_of_what_it_says() -> None:
    one, same = parse_catalogue(TEXT, "a.yaml"), parse_catalogue("# a remark" + TEXT, "b.yaml")
    assert (one.version, parse_catalogue(OUR_WORDS, "c.yaml").version) == ("", "2026-11-26.1")
    assert one.digest == same.digest
    assert one.digest != parse_catalogue(TEXT.replace("complaint", "claim"), "a.yaml").digest


def test_several_parts_are_one_catalogue_and_the_later_word_counts() -> None:
    parts = [
        parse_catalogue(text, "part")
        for text in (TEXT, "version: 2\ntables: {tool.case_kind: {late: dispute, odd: claim}}")
    ]
    whole = laid_together(parts)
    assert whole.tables["tool.case_kind"] == {"broken": "complaint", "late": "dispute", "odd": "claim"}
    assert (len(whole.entries), whole.tools["tool"]["team"], whole.version) == (4, "care", "2")


def test_names_that_no_mapping_knows_are_told_with_their_places() -> None:
    known = Known(frozenset({"zendesk.case_kind"}), frozenset({"zendesk"}))
    with pytest.raises(DocumentError) as found:
        parse_catalogue(
            "tables:\n  zendesk.case_kinds: {a: claim}\ntools: {zendsk: {team: x}}\nskus:\n  shop: {1: A}\n",
            "c.yaml",
            known,
        )
    assert [str(problem).partition(" (")[0] for problem in found.value.problems] == [
        "c.yaml:2:3: no mapping has a table 'zendesk.case_kinds'",
        "c.yaml:3:9: no mapping is called 'zendsk'",
        "c.yaml:5:3: no mapping is called 'shop'",
    ]


def test_a_mapper_goes_on_with_another_catalogue_from_the_next_record_on() -> None:
    own = mapper()
    before = facts(mapped(own, payload(campaign="spring-1")))
    own.use(
        parse_catalogue(
            "campaigns: [{match: {campaign: 'spring-*'}, category: legal}]\ntools: {tool: {team: ops}}", "n"
        )
    )
    (event,) = mapped(own, payload(campaign="spring-1")).events
    assert (before["category"], event.data["category"]) == ("promotional", "legal")
    assert (event.data["tool"]["team"], event.source) == ("ops", "tool")
