"""Wrappers: what lies around a payload on its way to a topic, peeled from the outside in.

What enters: a decoded body and the headers of its record. What leaves: an Envelope with the payload inside, and what
the wrappers knew (`attributes`, `headers`, `query`). The next room: `split`, which finds the single events in it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from coordwatch.sources.decode import FORM, FORM_FIELDS_MAX, read_form
from coordwatch.sources.envelope import Envelope, Options, Peel, base64_text, broken, header_texts, inner_json
from coordwatch.sources.record import DropReason, Headers, LeftAsideError, MapRejectReason, RefusedError, Stage
from coordwatch.sources.snowplow import read_columns

ROUNDS_MAX = 8
UNION_DEPTH_MAX = 64
_AVRO_KINDS = frozenset(("null", "boolean", "int", "long", "float", "double", "bytes", "string", "array", "map"))
_NESTED = frozenset((dict, list))
_AVRO_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)
_CLOUDEVENT = "application/cloudevents"
_ROWS = frozenset(("before", "after"))
_REQUIRED = ("id", "source", "type", "specversion")


def peel(envelope: Envelope, wrappers: Sequence[tuple[Peel, Options]]) -> None:
    """Peel every wrapper that is there, from the outside in, whatever their order in the mapping.

    Raises: RefusedError when a wrapper is broken or there are too many, LeftAsideError for tombstones and snapshots
    """
    for _ in range(ROUNDS_MAX):
        for step, options in wrappers:
            if step(envelope, options):
                break
        else:
            return
    raise RefusedError(MapRejectReason.TOO_DEEP, Stage.UNWRAP, None, f"more than {ROUNDS_MAX} wrappers in each other")


def _connect(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    if type(body) is not dict or len(body) != 2 or "schema" not in body or "payload" not in body:
        return False
    if body["payload"] is None:
        raise LeftAsideError(DropReason.TOMBSTONE)
    envelope.body = body["payload"]
    return True


def _debezium(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    if type(body) is not dict or "op" not in body or not (_ROWS & body.keys() or _is_log_message(body)):
        return False
    operation = body["op"]
    if operation in ("t", "m"):  # a table emptied, and a message of the database's own log: neither has a row
        raise LeftAsideError(DropReason.DELETION if operation == "t" else DropReason.HOUSEKEEPING)
    if operation == "r" and options.get("snapshots", "drop") == "drop":
        raise LeftAsideError(DropReason.SNAPSHOT)
    row = body.get("before") if operation == "d" else body.get("after")
    if operation == "d" and options.get("deletes", "drop") == "drop":
        raise LeftAsideError(DropReason.DELETION)
    if row is None:
        raise broken("before" if operation == "d" else "after", "a change without its row")
    envelope.attributes |= {"op": operation, "ts_ms": body.get("ts_ms"), "origin": body.get("source")}
    if operation == "r":
        envelope.attributes["backfill"] = True
    envelope.body = row
    return True


def _is_log_message(body: dict[str, Any]) -> bool:
    return body["op"] == "m" and isinstance(body.get("message"), dict)


def _eventbridge(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    if type(body) is not dict or "detail-type" not in body or "detail" not in body:
        return False
    names = ("id", "time", "source", "account", "region")
    envelope.attributes |= {name: body[name] for name in names if body.get(name) is not None}
    envelope.attributes["detail_type"] = body["detail-type"]
    envelope.body = body["detail"]
    return True


def _sns(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    # A function that forwards the records it was called with leaves each notification under `Sns`.
    body = body["Sns"] if type(body) is dict and type(body.get("Sns")) is dict else body
    if type(body) is not dict or "TopicArn" not in body or "Type" not in body:
        return False
    if body["Type"] != "Notification":
        raise LeftAsideError(DropReason.HOUSEKEEPING)
    message = body.get("Message")
    if not isinstance(message, str):
        raise broken("Message", "a notification carries its message as a text")
    envelope.attributes |= {"id": body.get("MessageId"), "time": body.get("Timestamp"), "topic": body["TopicArn"]}
    if options.get("texts") == "keep" and message.lstrip()[:1] not in ("{", "["):
        envelope.body = {"Message": message}
    else:
        envelope.body = inner_json(message, "Message")
    return True


def _pubsub(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    message = body.get("message") if type(body) is dict else None
    if type(message) is not dict or not ("messageId" in message or "message_id" in message):
        return False
    if isinstance(message.get("attributes"), dict):
        envelope.headers |= header_texts(message["attributes"])
    ident, time = message.get("messageId"), message.get("publishTime")
    envelope.attributes |= {"id": ident or message.get("message_id"), "time": time or message.get("publish_time")}
    envelope.body = inner_json(base64_text(message.get("data"), "message.data"), "message.data")
    return True


def _cloudwatch(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    if type(body) is not dict:
        return False
    if "messageType" in body and isinstance(body.get("logEvents"), list):
        if body["messageType"] != "DATA_MESSAGE":
            raise LeftAsideError(DropReason.HOUSEKEEPING)
        envelope.attributes |= {"log_group": body.get("logGroup"), "account": body.get("owner")}
        envelope.body = body["logEvents"]
        return True
    if not {"id", "timestamp", "message"} <= body.keys() <= {"id", "timestamp", "message", "extractedFields"}:
        return False
    envelope.attributes |= {"id": body["id"], "time_ms": body["timestamp"]}
    envelope.body = inner_json(body["message"], "message") if isinstance(body["message"], str) else body["message"]
    return True


def _http_bridge(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    if type(body) is not dict:
        return False
    if "payload" in body and isinstance(body.get("metadata"), dict):
        body = {"body": body["payload"], "headers": body["metadata"]}
    headers = body.get("headers")
    if "body" not in body or not isinstance(headers, dict | list):
        return False
    envelope.headers |= header_texts(_header_pairs(headers))
    for name in ("query", "query_parameters", "queryStringParameters"):
        if isinstance(body.get(name), dict):
            envelope.query |= body[name]
    envelope.body = _http_body(body, envelope.headers)
    return True


def _header_pairs(headers: Any) -> Headers:
    if isinstance(headers, dict):
        return headers
    pairs: list[tuple[str, Any]] = []
    for pair in headers:
        if isinstance(pair, dict) and isinstance(pair.get("name"), str):
            pairs.append((pair["name"], pair.get("value")))
        elif isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str):
            pairs.append((pair[0], pair[1]))
    return pairs


def _http_body(wrapper: dict[str, Any], headers: Mapping[str, str]) -> Any:
    body = wrapper["body"]
    if not isinstance(body, str):
        return body
    if wrapper.get("isBase64Encoded") is True or wrapper.get("is_base64_encoded") is True:
        body = base64_text(body, "body")
    if headers.get("content-type", "").startswith(FORM):
        form = read_form(body)
        if form is None:
            detail = f"a form with more than {FORM_FIELDS_MAX} fields"
            raise RefusedError(MapRejectReason.TOO_MANY, Stage.UNWRAP, "body", detail)
        return form
    return inner_json(body, "body")


def _cloudevents(envelope: Envelope, options: Options) -> bool:
    if "specversion" not in envelope.attributes and _is_binary(envelope.headers):
        names = [name for name in envelope.headers if name.startswith(("ce_", "ce-"))]
        envelope.attributes |= {name[3:]: envelope.headers[name] for name in names}
        return True
    body = envelope.body
    if type(body) is not dict or "specversion" not in body or "type" not in body or "source" not in body:
        return False
    envelope.attributes |= {name: value for name, value in body.items() if name not in ("data", "data_base64")}
    if "data_base64" in body and body.get("data") is None:
        envelope.body = inner_json(base64_text(body["data_base64"], "data_base64"), "data_base64")
    else:
        envelope.body = {} if body.get("data") is None else body["data"]
    return True


def _is_binary(headers: Mapping[str, str]) -> bool:
    if headers.get("content-type", "").startswith(_CLOUDEVENT):
        return False
    return all(f"ce_{name}" in headers or f"ce-{name}" in headers for name in _REQUIRED)


def _json_text(envelope: Envelope, options: Options) -> bool:
    # A text that does not even begin like an object or a list is no wrapper, and later no event.
    if not isinstance(envelope.body, str) or envelope.body.lstrip()[:1] not in ("{", "[", '"'):
        return False
    envelope.body = inner_json(envelope.body, "$")
    return True


def _snowplow_tsv(envelope: Envelope, options: Options) -> bool:
    found = read_columns(envelope.body) if isinstance(envelope.body, str) else None
    if found is None:
        return False
    envelope.body = found
    return True


def _named(envelope: Envelope, options: Options) -> bool:
    body = envelope.body
    if type(body) is not dict or len(body) != 1:
        return False
    name = next(iter(body))
    if not (name in options["names"] or "*" in options["names"]) or not isinstance(body[name], dict | list):
        return False
    envelope.attributes["name"] = name
    envelope.body = body[name]
    return True


def _field(envelope: Envelope, options: Options) -> bool:
    body, name = envelope.body, options["name"]
    if type(body) is not dict or not isinstance(body.get(name), str) or body[name].lstrip()[:1] not in ("{", "["):
        return False
    envelope.body = {**body, name: inner_json(body[name], name)}
    return True


def _avro_unions(envelope: Envelope, options: Options) -> bool:
    if type(envelope.body) is dict or type(envelope.body) is list:
        envelope.body = _without_unions(envelope.body, 0)
    return False


def _without_unions(value: Any, depth: int) -> Any:
    """Give a list or an object without its unions, itself where there are none; what is neither holds none, and is not asked."""
    if depth > UNION_DEPTH_MAX:
        raise RefusedError(MapRejectReason.TOO_DEEP, Stage.UNWRAP, None, f"nested deeper than {UNION_DEPTH_MAX} levels")
    if type(value) is list:
        changed: dict[Any, Any] = {}
        for number, one in enumerate(value):
            if type(one) in _NESTED and (inner := _without_unions(one, depth + 1)) is not one:
                changed[number] = inner
        return [changed.get(number, one) for number, one in enumerate(value)] if changed else value
    if len(value) == 1:
        name, inner = next(iter(value.items()))
        if name in _AVRO_KINDS or _AVRO_NAME.fullmatch(name):
            return _without_unions(inner, depth + 1) if type(inner) in _NESTED else inner
    changed = {}
    for name, one in value.items():
        if type(one) in _NESTED and (inner := _without_unions(one, depth + 1)) is not one:
            changed[name] = inner
    return {**value, **changed} if changed else value


WRAPPERS: Mapping[str, tuple[Peel, Mapping[str, tuple[str, ...]]]] = {
    "connect": (_connect, {}),
    "debezium": (_debezium, {"snapshots": ("drop", "keep"), "deletes": ("drop", "keep")}),
    "eventbridge": (_eventbridge, {}),
    "sns": (_sns, {"texts": ("refuse", "keep")}),
    "pubsub": (_pubsub, {}),
    "cloudwatch": (_cloudwatch, {}),
    "http_bridge": (_http_bridge, {}),
    "cloudevents": (_cloudevents, {}),
    "json_text": (_json_text, {}),
    "json_field": (_field, {"name": ()}),
    "named": (_named, {"names": ()}),
    "avro_unions": (_avro_unions, {}),
    "snowplow_tsv": (_snowplow_tsv, {}),
}
