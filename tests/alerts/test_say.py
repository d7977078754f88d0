"""The sentences and words that people read."""

from dataclasses import replace

import pytest

from coordwatch.alerts.say import face_of, fold_values, gap_of, incident_key, sentence
from coordwatch.alerts.words import attribution_words, time_words
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND
from coordwatch.events.words import duration_words, number_words
from coordwatch.rules.detection import Attribution, Evidence
from tests.build import CANCEL, LOOP, NOW, PROMO, STOCK, a_cancellation, a_loop, a_promo, a_sold_out, an_event


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 s"),
        (999_999, "less than a second"),
        (45 * SECOND, "45 s"),
        (59 * SECOND + 999_999, "59 s"),
        (90 * SECOND, "1 min 30 s"),
        (5 * MINUTE, "5 min"),
        (12 * MINUTE + 30 * SECOND, "12 min"),
        (HOUR, "1 h"),
        (130 * MINUTE, "2 h 10 min"),
        (-130 * MINUTE, "2 h 10 min"),
        (47 * HOUR + 59 * MINUTE, "47 h 59 min"),
        (2 * DAY, "2 days"),
        (3 * DAY + 4 * HOUR, "3 days 4 h"),
        (20 * DAY + 4 * HOUR, "20 days"),
        (1200 * DAY, "1\u2009200 days"),
    ],
)
def test_durations_are_said_as_people_say_them(length, words):
    assert duration_words(length) == words


def test_numbers_instants_and_attributions():
    assert number_words(1322) == "1\u2009322"
    assert time_words(NOW) == "2 Mar 2026 12:00 UTC"
    assert attribution_words(Attribution.IGNORED, 130 * MINUTE) == "ignored for 2 h 10 min"
    assert attribution_words(Attribution.COULD_NOT_KNOW, None) == "could not know"
    assert attribution_words(Attribution.IN_FLIGHT, 5) == "in flight"
    assert attribution_words(Attribution.NOT_APPLICABLE, None) == ""


def test_the_sentence_names_both_sides_and_the_gap():
    assert sentence(PROMO, a_promo("customer-01", NOW)) == (
        "Journeys sent Spring sale 2 h 10 min after complaint K-1042 was opened; it is still open."
    )


def test_an_absence_names_its_deadline_and_a_late_notice_is_not_what_it_collided_with():
    detection = a_cancellation("customer-01", NOW, late=3 * HOUR)
    assert sentence(CANCEL, detection) == "Shopline cancelled order O-77; no notice was sent by 2 Mar 2026 12:00 UTC."
    assert sentence(replace(CANCEL, say="{late} late"), detection) == "3 h late"
    assert gap_of(CANCEL, detection) == 2 * HOUR
    assert face_of(CANCEL, detection).evidence_tool == ""


def test_a_counting_step_says_how_many_and_its_newest_event_is_the_gap():
    detection = a_loop("customer-01", NOW, times=3)
    assert sentence(LOOP, detection) == "Chatline failed 3 times before this answer in conversation conv-5."
    assert gap_of(LOOP, detection) == MINUTE


@pytest.mark.parametrize(
    ("say", "words"),
    [
        ("{promo.missing_field}", "an unknown missing field"),
        ("{complaint.tool.name} {promo.type}", "Deskflow marketing.message.sent"),
        ("{nobody.knows} {unclosed", "{nobody.knows} {unclosed"),
        ("{customer} {attribution}", "customer-01 ignored for 2 h 9 min"),
        ("{complaint.time}", "2 Mar 2026 09:50 UTC"),
        ("{promo.cancel.reason}", "an unknown reason"),
    ],
)
def test_what_a_placeholder_says(say, words):
    assert sentence(replace(PROMO, say=say), a_promo("customer-01", NOW)) == words


def test_values_are_shown_for_people():
    promise = an_event(
        "promo", "service.commitment.made", NOW, due_at="2026-03-03T08:30:00Z", kind="delivery_date", commitment=["a", "b", "c", "d"]
    )  # fmt: skip
    detection = replace(a_promo("customer-01", NOW), act=promise)
    say = "{promo.due_at}; {promo.kind}; {promo.commitment}"
    assert sentence(replace(PROMO, say=say), detection) == "3 Mar 2026 08:30 UTC; delivery date; a, b, c and 1 more"


def test_a_rule_without_a_sentence_still_says_something():
    silent = replace(PROMO, say=None)
    assert sentence(silent, a_promo("customer-01", NOW)) == (
        "Journeys: promotion sent while a complaint is open (after 2 h 10 min)."
    )
    assert sentence(replace(silent, title=""), replace(a_promo("customer-01", NOW), evidence=())) == "Journeys: ."


def test_rules_29_a_key_is_looked_up_in_the_steps_in_file_order():
    detection = a_promo("customer-01", NOW)
    assert fold_values(PROMO, detection) == ("customer-01", "K-1042")
    both = replace(detection, act=replace(detection.act, data={**detection.act.data, "case": ["K-9", "K-10"]}))
    assert fold_values(PROMO, both) == ("customer-01", "K-10\x1fK-9")
    later = Evidence("later", "/x", "1", "service.case.opened", NOW, NOW, None, {"case": "K-0"})
    shuffled = replace(detection, evidence=(later, *detection.evidence))
    assert fold_values(replace(PROMO, steps=("promo", "complaint", "later")), shuffled) == ("customer-01", "K-1042")
    assert fold_values(replace(PROMO, once_per=("tool", "nothing")), detection) == ("Journeys", "")


def test_incidents_share_the_likely_cause():
    assert incident_key(PROMO, a_promo("customer-01", NOW)) == incident_key(
        PROMO, a_promo("customer-02", NOW, case="K-7")
    )
    assert incident_key(STOCK, a_sold_out("customer-01", NOW)).endswith("|campaign|Boots")
    assert incident_key(LOOP, a_loop("customer-01", NOW)) == "bot-loop|tools|Chatline|Chatline"


def test_the_name_of_a_detail_is_said_with_blanks():
    asked = an_event("promo", "agent.detail.requested", NOW, field="order_id", contact="X_1")
    detection = replace(a_promo("customer-01", NOW), act=asked)
    assert sentence(replace(PROMO, say="{promo.field} in {promo.contact}"), detection) == "order id in X_1"
