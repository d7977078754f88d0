"""Every topic that Shopify documents is mapped or left aside on purpose; a new one is refused, so that somebody looks.

The names are those of the reference of July 2026, with the older ones that still arrive.
"""

from typing import Any

import pytest

from coordwatch.codec import encode_json
from coordwatch.sources.record import MapResult, Record
from tests.sources.shipped import shipped_mapper

# Groups of topics, and what may happen to each.
LEFT_ASIDE = """
fulfillment_orders cancellation_request_accepted cancellation_request_rejected cancellation_request_submitted cancelled
fulfillment_orders fulfillment_request_accepted fulfillment_request_rejected fulfillment_request_submitted merged moved
fulfillment_orders fulfillment_service_failed_to_complete hold_released line_items_prepared_for_local_delivery split
fulfillment_orders line_items_prepared_for_pickup manually_reported_progress_stopped order_routing_complete rescheduled
fulfillment_orders placed_on_hold progress_reported scheduled_fulfillment_order_ready
orders delete edited link_requested paid risk_assessment_changed shopify_protect_eligibility_changed updated
customers data_request delete disable enable purchasing_summary
inventory_shipments add_items create delete mark_in_transit receive_items remove_items update_item_quantities update_tracking
inventory_transfers add_items cancel complete ready_to_ship remove_items update_item_quantities updated
discounts create delete redeemcode_added redeemcode_removed update
locations activate create deactivate delete update
product_feeds create full_sync full_sync_finish incremental_sync update
themes create delete publish update
companies,company_contacts,company_locations,collections,collection_publications,customer_groups create delete update
draft_orders,inventory_items,markets,metafield_definitions,metaobjects,payment_terms,products create delete update
product_publications,profiles,segments,selling_plan_groups,subscription_billing_cycle_edits create delete update
collection_listings,product_listings,scheduled_product_listings add remove update
domains,locales create destroy update
app_purchases_one_time,customer_account_settings,delivery_promise_settings,markets_backup_region update
subscription_contracts,returns,shop,tax_services update
checkouts,channels,fulfillment_events delete
customer_payment_methods create revoke update
subscription_billing_cycles skip unskip
fulfillment_holds added released
inventory_levels connect disconnect
variants in_stock out_of_stock
company_contact_roles assign revoke
app scopes_update uninstalled
app_subscriptions approaching_capped_amount update
audit_events admin_api_activity
bulk_operations finish
payment_schedules due
reverse_deliveries attach_deliverable
reverse_fulfillment_orders dispose
shop redact
tax_services,tender_transactions create
"""
CUSTOMER = {"id": 8001, "email": "mina@example.com"}
MONEY = {"id": 1, "order_id": 7001, "kind": "sale", "status": "success", "amount": "1.00"}
TAKEN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("orders create cancelled fulfilled partially_fulfilled", {"id": 7001, "customer": CUSTOMER, "line_items": []}),
    ("customers create update", CUSTOMER),
    ("customers merge", {"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/8001"}),
    ("customers redact", {"shop_id": 1, "customer": CUSTOMER, "orders_to_redact": [7001]}),
    ("returns approve cancel close decline reopen request", {"id": 3001, "order": {"id": 7001}}),
    ("subscription_contracts activate cancel create expire fail pause", {"id": 9001, "customer_id": 8001}),
    ("subscription_billing_attempts success failure challenged", {"id": 1, "subscription_contract_id": 9001}),
    ("checkouts,carts create update", {"token": "cart-1"}),
    ("disputes create update", {"id": 1, "order_id": 7001, "status": "needs_response"}),
    ("fulfillment_events create", {"id": 4001, "fulfillment_id": 5001, "status": "in_transit"}),
    ("fulfillments create update", {"id": 5001, "order_id": 7001, "status": "success"}),
    ("inventory_levels update", {"inventory_item_id": 901, "location_id": 31, "available": 0}),
    ("refunds create", {"id": 6001, "order_id": 7001, "transactions": [{**MONEY, "kind": "refund"}]}),
    ("order_transactions create", MONEY),
    (
        "customers_email_marketing_consent update",
        {"customer_id": 8001, "email_marketing_consent": {"state": "subscribed"}},
    ),
    (
        "customers_marketing_consent update",
        {"customer_id": 8001, "sms_marketing_consent": {"state": "unsubscribed"}},
    ),
    (
        "customers_whats_app_marketing_consent update",
        {"customer_id": 8001, "whats_app_marketing_consent": {"state": "SUBSCRIBED"}},
    ),
)


def topics(line: str) -> list[str]:
    groups, *verbs = line.split()
    return [f"{group}/{verb}" for group in groups.split(",") for verb in verbs]


def mapped(topic: str, body: object) -> MapResult:
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Triggered-At": "2025-10-09T10:00:00Z"}
    return shipped_mapper().map_record(Record(encode_json(body), headers=headers), "shopify")


@pytest.mark.parametrize("topic", [topic for line in LEFT_ASIDE.split("\n") if line for topic in topics(line)])
def test_a_topic_that_tells_nothing_of_the_customer_is_left_aside(topic: str) -> None:
    result = mapped(topic, {"id": 1, "customer": {"id": 8001}, "order_id": 7001})
    assert ((), ()) == (result.events, result.rejected)
    assert 1 == len(result.dropped)


@pytest.mark.parametrize(("topic", "body"), [(topic, body) for line, body in TAKEN for topic in topics(line)])
def test_a_topic_that_bears_on_the_customer_is_an_event(topic: str, body: dict[str, Any]) -> None:
    result = mapped(topic, body)
    assert ((), ()) == (result.dropped, result.rejected)
    assert result.events


def test_a_topic_that_shopify_has_not_documented_yet_is_refused() -> None:
    (rejection,) = mapped("moonbases/create", {"id": 1}).rejected
    assert "not_recognised" == rejection.reason
