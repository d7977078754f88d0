"""Handshakes: what some tools ask before they send anything. It is answered or said in the log; nothing is ever fetched.

What enters: a request that is believed. What leaves: the answer that the tool waits for, or None when it is no handshake.
The next room: `routes`.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from coordwatch.adapters.http_api.hooks.proofs import Sent
from coordwatch.codec import NotJson, decode_json

_SMALL = 64 * 1024
_SNS_ADDRESS = re.compile(r"https://sns\.(?!s3)[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?/\?[!-~]{1,2000}")
_SNS_KINDS = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
_log = logging.getLogger("coordwatch.webhooks")


def handshake(hook: str, sent: Sent) -> Mapping[str, str] | None:
    """Answer a handshake; what a person must do is in the log."""
    if len(sent.body) > _SMALL or not (b"challenge" in sent.body or b"Confirmation" in sent.body):
        return None
    try:
        body = decode_json(sent.body)
    except NotJson:
        return None
    if not isinstance(body, dict):
        return None
    if body.get("type") == "url_verification" and isinstance(body.get("challenge"), str):
        return {"challenge": body["challenge"]}
    if body.get("Type") in _SNS_KINDS and isinstance(body.get("TopicArn"), str):
        _say_subscription(hook, body)
        return {"status": "a person must confirm this: the log says how"}
    return None


def _say_subscription(hook: str, body: Mapping[str, Any]) -> None:
    """The address is opened by a person and not by us: whoever can post here must not make us call what they like."""
    topic, address = str(body["TopicArn"])[:300], body.get("SubscribeURL")
    asks = "whether it may post here" if body["Type"] == "SubscriptionConfirmation" else "whether it was meant to stop"
    if isinstance(address, str) and _SNS_ADDRESS.fullmatch(address):
        _log.warning("webhook '%s': the SNS topic %r asks %s; if it may, open %s", hook, topic, asks, address)
    else:
        _log.warning(
            "webhook '%s': %r asks %s, and the address to open is none of SNS: do not confirm it", hook, topic, asks
        )
