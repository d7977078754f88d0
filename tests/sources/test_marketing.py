"""What an operator's catalogue decides about messages: their category, by the names each tool has, and what counts as sent."""

from typing import Any

import pytest

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.codec import encode_json
from coordwatch.sources.catalogue import parse_catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapResult, Record
from tests.sources.shipped import SOURCES

MINA = "mina@example.com"
SES_MAIL = {
    "timestamp": "2025-10-09T08:53:20Z", "messageId": "m", "destination": [MINA], "tags": {"ses:configuration-set": ["newsletters"]},
}  # fmt: skip
BRAZE = {
    "event_type": "users.messages.email.Send", "id": "1", "time": 1760000000, "user": {"external_user_id": "C-1"},
    "properties": {"dispatch_id": "d", "campaign_id": "c-1", "campaign_name": "Spring sale"},
}  # fmt: skip
ITERABLE = {
    "eventName": "emailSend", "email": MINA,
    "dataFields": {"messageId": "m", "campaignId": 1, "messageTypeId": 13406, "createdAt": "2025-10-09 08:53:20 +00:00"},
}  # fmt: skip
CUSTOMERIO = {
    "event_id": "1", "object_type": "email", "metric": "sent", "timestamp": 1760000000,
    "data": {"delivery_id": "d", "newsletter_id": 2, "recipient": MINA},
}  # fmt: skip
SENDGRID = {
    "event": "processed", "sg_event_id": "1", "sg_message_id": "m", "email": MINA, "timestamp": 1760000000, "asm_group_id": 14,
}  # fmt: skip
MAILGUN = {"id": "1", "timestamp": 1760000000, "recipient": MINA, "message": {"headers": {"message-id": "m"}}}
POSTMARK = {
    "RecordType": "Delivery", "MessageID": "m", "MessageStream": "receipts", "Recipient": MINA, "DeliveredAt": "2025-10-09T08:53:20Z",
}  # fmt: skip
SEGMENT = {
    "type": "track", "event": "Bestellung abgeschlossen", "messageId": "1", "userId": "C-1", "timestamp": "2025-10-09T08:53:20Z",
    "properties": {"order_id": "1001"},
}  # fmt: skip


def mapped(source: str, payload: Any, catalogue: str) -> MapResult:
    mapper = Mapper(load_mappings(), parse_catalogue(catalogue, "catalogue.yaml"))
    return mapper.map_record(Record(encode_json(payload)), source)


@pytest.mark.parametrize(
    ("source", "payload", "match"),
    [
        ("ses", {"eventType": "Send", "mail": SES_MAIL}, "tag: newsletters"),
        ("braze", BRAZE, "campaign: Spring*"),
        ("braze", BRAZE, "campaign: c-1"),
        ("iterable", ITERABLE, 'tag: "message_type:13406"'),
        ("customerio", CUSTOMERIO, 'campaign: "newsletter:*"'),
        ("sendgrid", [SENDGRID], 'tag: "asm_group:14"'),
        ("mailgun", {**MAILGUN, "event": "delivered", "tags": ["web", "spring"]}, "tag: spring"),
        ("postmark", POSTMARK, 'tag: "stream:receipts"'),
    ],
)
def test_a_message_is_what_the_catalogue_says_by_the_names_that_its_tool_has(
    source: str, payload: Any, match: str
) -> None:
    (event,) = mapped(source, payload, f"campaigns: [{{match: {{{match}}}, category: promotional}}]").events
    assert ("promotional", "catalogue") == (event.data["category"], event.data["category_basis"])


def test_a_stream_of_the_house_and_a_name_of_the_house_go_into_the_tables() -> None:
    tables = "tables: {postmark.streams: {receipts: transactional}, segment.events: {bestellung abgeschlossen: order}}"
    (sent,) = mapped("postmark", POSTMARK, tables).events
    assert ("transactional", "payload") == (sent.data["category"], sent.data["category_basis"])
    (order,) = mapped("segment", SEGMENT, tables).events
    assert ("commerce.order.changed", "placed") == (order.type, order.data["status"])
    assert ("not_watched",) == mapped("segment", SEGMENT, "tables: {}").dropped


def test_an_operator_says_which_of_two_events_is_the_message_sent() -> None:
    both = [{**MAILGUN, "event": "accepted"}, {**MAILGUN, "event": "delivered", "id": "2"}]
    shipped, turned = (
        mapped("mailgun", both, "{}"),
        mapped("mailgun", both, "tables: {mailgun.sent: {accepted: sent, delivered: later}}"),
    )
    assert ["2"] == [event.id for event in shipped.events]
    assert ["1"] == [event.id for event in turned.events]
    assert ("already_reported",) == shipped.dropped == turned.dropped


def test_one_message_is_sent_once_whatever_a_tool_tells_of_it() -> None:
    tables = {mapping.name: mapping.tables.get(f"{mapping.name}.sent", {}) for mapping in load_mappings()}
    assert {"braze", "brevo", "customerio", "mailgun", "mandrill", "resend", "ses", "sparkpost"} <= set(SOURCES)
    for name in ("braze", "customerio", "mailgun", "mandrill", "resend", "sparkpost"):
        assert ["later", "sent"] == sorted({str(role) for role in tables[name].values()}), name
        assert 1 == list(tables[name].values()).count("sent"), name


@pytest.mark.parametrize(
    "topic",
    ["web.sessions", "purchases", "process-events", "orders.resend-queue", "expenses.v1", "addresses", "shop.bresendy"],
)
def test_the_short_names_of_tools_do_not_take_the_topics_of_others(topic: str) -> None:
    result = Mapper(load_mappings()).map_record(Record(b"{}", topic))
    assert ["no_mapping"] == [one.reason for one in result.rejected]
