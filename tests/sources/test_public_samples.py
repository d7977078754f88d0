"""Public payloads of the vendors, where a folder of them lies beside the checkout: each ends as a person would say.

The payloads are not ours and are not part of the project; without the folder there is nothing to try here, and the
golden files hold the same shapes with invented content.
"""

from pathlib import Path

import pytest

from coordwatch.events.times import parse_time
from coordwatch.sources.record import Record
from tests.sources.shipped import shipped_mapper

# When the log took them; a payload that does not say its own time has this one.
AT = parse_time("2026-01-31T09:30:00Z")
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FOLDERS = {
    "anymail-amazon_ses": "ses",
    "anymail-brevo": "brevo",
    "anymail-mailgun": "mailgun",
    "anymail-mailjet": "mailjet",
    "anymail-postmark": "postmark",
    "anymail-sendgrid": "sendgrid",
    "anymail-sparkpost": "sparkpost",
    "rasa": "rasa",
    "zendesk": "zendesk",
    "shopify-api": "shopify",
    "easypost": "easypost",
}
FILES = [(path, source) for folder, source in FOLDERS.items() for path in sorted((SAMPLES / folder).glob("*.json"))]
# What a person says who looks at the payload: events by type, or why there is none. Everything not named here is mapped.
LEFT_ASIDE = {
    "anymail-sendgrid/delivered_event.json": {"already_reported"},
    # SES's inbound notice without its mail, Postmark's own test message, a bounce that tells itself, a vacation's answer.
    "anymail-amazon_ses/incorrect_received_event.json": {"not_watched"},
    "anymail-postmark/delivered_event.json": {"test_data"},
    "anymail-postmark/subscription_change_bounce.json": {"already_reported"},
    "anymail-sparkpost/bounce_challenge_response.json": {"no_news"},
    "rasa/bot_event_from_docs.json": {"placeholder_customer"},
    "zendesk/user.active_changed.json": {"no_news"},
    "shopify-api/draft_order.json": {"not_watched"},
    "shopify-api/events.json": {"not_watched"},
    "shopify-api/inventory_item.json": {"not_watched"},
    "shopify-api/marketing_event.json": {"not_about_a_customer"},
    "shopify-api/transaction.json": {"no_news"},
}
# What lacks what every real one has: most of these were cut down for a test of something else.
REFUSED = {
    "anymail-mailgun/dropped_timed_out.json": ("missing_field", "event-data.message.headers.message-id"),
    "anymail-mailgun/metadata_key_conflicts.json": ("missing_field", "event-data.message.headers.message-id"),
    "anymail-mailgun/metadata_message_headers.json": ("missing_field", "event-data.message.headers.message-id"),
    "anymail-sparkpost/amp_events.json": ("missing_field", "message_id"),
    "anymail-sparkpost/click_event.json": ("missing_field", "message_id"),
    "anymail-sparkpost/initial_open_event_as_unknown.json": ("missing_field", "message_id"),
    "rasa/user_event.json": ("missing_field", "sender_id"),
    "easypost/events-list.json": ("missing_field", "result.tracking_code"),
    "easypost/events-retrieve.json": ("missing_field", "result.tracking_code"),
}


def test_the_folder_is_looked_for_where_it_would_be() -> None:
    assert set(FOLDERS.values()) <= {mapping.name for mapping in shipped_mapper().mappings}


@pytest.mark.parametrize(("path", "source"), FILES, ids=[f"{source}-{path.stem}" for path, source in FILES])
def test_a_public_payload_ends_as_a_person_would_say(path: Path, source: str) -> None:
    result = shipped_mapper().map_record(Record(path.read_bytes(), timestamp=AT), source)
    name = f"{path.parent.name}/{path.name}"
    assert result.pieces == result.applied + len(result.dropped) + len(result.rejected)
    if name in LEFT_ASIDE:
        assert LEFT_ASIDE[name] == set(result.dropped)
        assert () == result.rejected
    elif name in REFUSED:
        assert result.applied == 0
        assert {REFUSED[name]} == {(one.reason, one.path) for one in result.rejected}
    else:
        assert ((), ()) == (result.dropped, result.rejected)
        assert result.applied == result.pieces > 0
