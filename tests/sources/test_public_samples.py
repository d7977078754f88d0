"""Public payloads of the vendors, where a folder of them lies beside the checkout: each ends as a person would say.

The payloads are not ours and are not part of the project; without the folder there is nothing to try here, and the
golden files hold the same shapes with invented content.
"""

from pathlib import Path

import pytest

from coordwatch.sources.record import Record
from tests.sources.shipped import shipped_mapper

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
FOLDERS = {
    "anymail-sendgrid": "sendgrid",
    "rasa": "rasa",
    "zendesk": "zendesk",
    "shopify-api": "shopify",
    "easypost": "easypost",
}
FILES = [(path, source) for folder, source in FOLDERS.items() for path in sorted((SAMPLES / folder).glob("*.json"))]
# What a person says who looks at the payload: events by type, or why there is none. Everything not named here is mapped.
LEFT_ASIDE = {
    "delivered_event.json": {"already_reported"},
    "bot_event_from_docs.json": {"placeholder_customer"},
    "user.active_changed.json": {"no_news"},
    "draft_order.json": {"not_watched"},
    "events.json": {"not_watched"},
    "inventory_item.json": {"not_watched"},
    "marketing_event.json": {"not_about_a_customer"},
    "transaction.json": {"no_news"},
}
REFUSED = {
    "user_event.json": ("missing_field", "sender_id"),
    "events-list.json": ("missing_field", "result.tracking_code"),
    "events-retrieve.json": ("missing_field", "result.tracking_code"),
}


def test_the_folder_is_looked_for_where_it_would_be() -> None:
    assert set(FOLDERS.values()) <= {mapping.name for mapping in shipped_mapper().mappings}


@pytest.mark.parametrize(("path", "source"), FILES, ids=[f"{source}-{path.stem}" for path, source in FILES])
def test_a_public_payload_ends_as_a_person_would_say(path: Path, source: str) -> None:
    result = shipped_mapper().map_record(Record(path.read_bytes()), source)
    assert result.pieces == result.applied + len(result.dropped) + len(result.rejected)
    if path.name in LEFT_ASIDE:
        assert LEFT_ASIDE[path.name] == set(result.dropped)
        assert () == result.rejected
    elif path.name in REFUSED:
        assert [REFUSED[path.name]] == [(one.reason, one.path) for one in result.rejected]
    else:
        assert ((), ()) == (result.dropped, result.rejected)
        assert result.applied == result.pieces > 0
