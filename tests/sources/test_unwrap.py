"""Wrappers come off from the outside in, and a broken one says which it was."""

import base64
import json
from typing import Any

import pytest

from tests.sources.build import AT, mapped, payload, simple

INNER = payload()
ALL = "unwrap: [connect, debezium, eventbridge, sns, pubsub, cloudwatch, http_bridge, cloudevents, json_text, avro_unions]"


def connect(body: Any) -> Any:
    return {"schema": {"type": "struct"}, "payload": body}


def bridge(body: Any, **more: Any) -> Any:
    return {"headers": {"Content-Type": "application/json"}, "query": {}, "body": json.dumps(body), **more}


def sns(body: Any, kind: str = "Notification") -> Any:
    return {"Type": kind, "TopicArn": "arn:example", "MessageId": "n-1", "Timestamp": AT, "Message": json.dumps(body)}


def debezium(body: Any, op: str = "c") -> Any:
    return {"before": None, "after": body, "source": {"db": "x"}, "op": op, "ts_ms": 1}


def eventbridge(body: Any) -> Any:
    return {"detail-type": "Something", "source": "example", "id": "eb-1", "time": AT, "detail": body}


def structured(body: Any) -> Any:
    return {"specversion": "1.0", "id": "ce-1", "source": "example", "type": "t", "data": body}


def pubsub(body: Any) -> Any:
    data = base64.b64encode(json.dumps(body).encode()).decode()
    return {
        "message": {"data": data, "messageId": "1", "publishTime": AT},
        "subscription": "projects/p/subscriptions/s",
    }


def cloudwatch(body: Any) -> Any:
    event = {"id": "1", "timestamp": 1769851800000, "message": json.dumps(body)}
    return {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": [event]}


def unions(body: dict[str, Any]) -> Any:
    return {"com.example.Record": {name: {"string": value} for name, value in body.items()}}


@pytest.mark.parametrize(
    "wrapped",
    [
        INNER,
        connect(INNER),
        bridge(INNER),
        bridge(INNER, headers=[{"name": "Content-Type", "value": "application/json"}]),
        {"headers": {}, "isBase64Encoded": True, "body": base64.b64encode(json.dumps(INNER).encode()).decode()},
        {"headers": {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, "body": f"id=1&at={AT}&email=mina%40example.com"},
        {"payload": INNER, "metadata": {"X-Topic": "t"}},
        sns(INNER),
        debezium(INNER),
        debezium(INNER, "u"),
        eventbridge(INNER),
        pubsub(INNER),
        cloudwatch(INNER),
        structured(INNER),
        {**structured(None), "data_base64": base64.b64encode(json.dumps(INNER).encode()).decode()},
        json.dumps(INNER),
        unions(INNER),
        connect(bridge(sns(eventbridge(structured(json.dumps(INNER)))))),
        json.dumps(json.dumps(sns(connect(debezium(unions(INNER)))))),
        [bridge(INNER)],
        [structured(INNER)],
    ],
)  # fmt: skip
def test_whatever_lies_around_it_the_same_event_comes_out(wrapped: Any) -> None:
    result = mapped(simple(ALL), wrapped)
    assert () == result.rejected
    (event,) = result.events
    assert [{"type": "email", "value": "mina@example.com"}] == event.data["identifiers"]


@pytest.mark.parametrize(
    ("wrapped", "path"),
    [
        (sns(INNER) | {"Message": "not json"}, "Message"),
        (sns(INNER) | {"Message": {"an": "object"}}, "Message"),
        (bridge(INNER) | {"body": "not json"}, "body"),
        (bridge(INNER) | {"body": "%%%", "isBase64Encoded": True}, "body"),
        (debezium(None), "after"),
        (structured(None) | {"data_base64": "%%%"}, "data_base64"),
        ('{"half":', "$"),
        ({"message": {"messageId": "1", "data": "%%%"}}, "message.data"),
        (cloudwatch(INNER)["logEvents"][0] | {"message": "not json"}, "message"),
    ],
)
def test_a_broken_wrapper_is_refused_with_its_place(wrapped: Any, path: str) -> None:
    (rejection,) = mapped(simple(ALL), wrapped).rejected
    assert ("bad_wrapper", "unwrap", path) == (rejection.reason, rejection.stage, rejection.path)


@pytest.mark.parametrize(
    ("wrapped", "reason"),
    [
        (connect(None), "tombstone"),
        (debezium(INNER, "r"), "snapshot"),
        ({"before": INNER, "after": None, "op": "d"}, "deletion"),
        ({"before": None, "after": None, "op": "t"}, "deletion"),
        ({"op": "m", "message": {"prefix": "x", "content": "e30="}}, "housekeeping"),
        (sns(INNER, "SubscriptionConfirmation"), "housekeeping"),
        (cloudwatch(INNER) | {"messageType": "CONTROL_MESSAGE"}, "housekeeping"),
        (sns(INNER, "UnsubscribeConfirmation"), "housekeeping"),
    ],
)
def test_what_is_meant_to_carry_nothing_is_left_aside(wrapped: Any, reason: str) -> None:
    result = mapped(simple(ALL), wrapped)
    assert ((reason,), ()) == (result.dropped, result.rejected)


def test_a_site_may_keep_snapshots_and_deletions() -> None:
    mapper = simple("unwrap: [{debezium: {snapshots: keep, deletes: keep}}]")
    (snapshot,) = mapped(mapper, debezium(INNER, "r")).events
    assert snapshot.data["backfill"] is True
    assert 1 == len(mapped(mapper, {"before": INNER, "after": None, "op": "d"}).events)


def test_wrappers_without_end_are_refused() -> None:
    body: Any = INNER
    for _ in range(20):
        body = connect(body)
    (rejection,) = mapped(simple(ALL), body).rejected
    assert ("too_deep", "unwrap") == (rejection.reason, rejection.stage)


def test_unions_without_end_are_refused() -> None:
    body: Any = INNER
    for _ in range(60):
        body = {"array": [body]}
    (rejection,) = mapped(simple("unwrap: [avro_unions]"), body).rejected
    assert ("too_deep", "unwrap") == (rejection.reason, rejection.stage)


def test_a_form_of_thousands_of_fields_is_refused() -> None:
    body = {"headers": {"content-type": "application/x-www-form-urlencoded"}, "body": "a=1&" * 2000}
    (rejection,) = mapped(simple(ALL), body).rejected
    assert "too_many" == rejection.reason


def test_one_named_wrapper_comes_off_and_its_name_is_known() -> None:
    mapper = simple("unwrap: [{named: [user]}]\nset: {reason: $attributes.name}\n")
    (event,) = mapped(mapper, {"user": INNER}).events
    assert "user" == event.data["reason"]
    assert ("missing_id",) == tuple(one.reason for one in mapped(mapper, {"order": INNER}).rejected)


def test_json_inside_one_field() -> None:
    mapper = simple("unwrap: [{json_field: inner}]\nset: {reason: inner.why}\n")
    (event,) = mapped(mapper, payload(inner='{"why": "because"}')).events
    assert "because" == event.data["reason"]


def test_headers_and_query_of_a_bridge_can_be_read_under_any_spelling() -> None:
    mapper = simple("unwrap: [http_bridge]\nset: {reason: {template: '{$headers.x-topic} {$query.shop}'}}\n")
    (event,) = mapped(mapper, bridge(INNER, headers={"X-Topic": ["orders"]}, query={"shop": "one"})).events
    assert "orders one" == event.data["reason"]


def test_cloudevents_in_binary_mode_read_either_spelling_of_the_headers() -> None:
    mapper = simple("unwrap: [cloudevents]\nset: {reason: $attributes.type}\n")
    for mark in ("_", "-"):
        headers = {
            f"Ce{mark}{name}": text
            for name, text in (("id", "1"), ("source", "s"), ("type", "t"), ("specversion", "1.0"))
        }
        (event,) = mapped(mapper, INNER, headers=headers).events
        assert "t" == event.data["reason"]
    (event,) = mapped(mapper, INNER, headers={"ce_id": "1"}).events
    assert "reason" not in event.data, "one attribute alone is no CloudEvent"


def test_a_notification_under_the_name_that_a_function_gets_it_by_is_one() -> None:
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns(INNER)}
    mapper = simple("unwrap: [sns]\nsplit: Records")
    assert 1 == mapped(mapper, record).applied
    assert 2 == mapped(mapper, {"Records": [record, record]}).applied


def test_a_plain_text_in_a_notification_is_kept_where_the_mapping_wants_to_tell_it() -> None:
    mapper = simple("""
        unwrap: [{sns: {texts: keep}}]
        drop_if: [{when: {Message: {starts_with: Successfully validated}}, reason: housekeeping}]
        """)
    assert ("housekeeping",) == mapped(mapper, sns(INNER) | {"Message": "Successfully validated SNS topic."}).dropped
    (rejection,) = mapped(mapper, sns(INNER) | {"Message": "what else"}).rejected
    assert "missing_id" == rejection.reason
    (rejection,) = mapped(mapper, sns(INNER) | {"Message": '{"half":'}).rejected
    assert ("bad_wrapper", "Message") == (rejection.reason, rejection.path)
    assert 1 == mapped(mapper, sns(INNER)).applied
