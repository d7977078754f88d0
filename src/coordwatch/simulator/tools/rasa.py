"""Rasa: the bot's tracker events, one a record, without ids of their own and without the customer in most of them.

What enters: what the customer and the bot say. What leaves: Drafts. The next room: `post`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from coordwatch.codec import encode_json
from coordwatch.events.times import SECOND
from coordwatch.simulator.post import Draft
from coordwatch.simulator.tools.meaning import RASA, meaning
from coordwatch.simulator.truth import Chat, Order
from coordwatch.simulator.world import Person

TOPIC = "rasa.events"
SOURCE = "rasa"
TOOL = {"name": "Rasa"}
FALLBACK = "utter_default"
FALLBACKS = (FALLBACK, "utter_ask_rephrase")
ORDER_DETAIL = "order_id"


class Bot:
    """One conversation as the bot tells it. Units: times in microseconds since 1970 UTC, in whole seconds."""

    def __init__(self, person: Person, chat: Chat) -> None:
        self._person = person
        self._chat = chat

    def started(self, time: int) -> Draft:
        """Say that the conversation began, and with whom."""
        who = {"email": self._person.email} if self._person.guest else {"customer_id": self._person.key}
        return self._draft(
            time, {"event": "session_started", "metadata": who}, "bot.conversation.started", {"channel": "chat"}
        )

    def heard(self, time: int, intent: str, sure: float = 0.93) -> Draft:
        """Say what the customer wrote, by intent."""
        parsed = {"intent": {"name": intent, "confidence": sure}, "entities": [], "text": ""}
        payload = {"event": "user", "text": "", "parse_data": parsed, "input_channel": "rest", "metadata": {}}
        return self._draft(time, payload, "bot.message.received", {"intent": intent, "confidence": sure})

    def said(self, time: int, response: str) -> Draft:
        """Say what the bot answered, by response."""
        payload = {"event": "bot", "text": "", "data": {}, "metadata": {"utter_action": response}}
        data = {"response_id": response, "fallback": True if response in FALLBACKS else None}
        return self._draft(time, payload, "bot.message.sent", data)

    def learned(self, time: int, detail: str, value: str) -> Draft:
        """Say which detail the customer gave."""
        payload = {"event": "slot", "name": "order_number" if detail == ORDER_DETAIL else detail, "value": value}
        order = value if detail == ORDER_DETAIL else None
        return self._draft(time, payload, "bot.detail.captured", {"field": detail, "order": order})

    def asked_for_human(self, time: int) -> Draft:
        """Say that the bot asked for a human."""
        return self._action(time, "action_handoff", "bot.handoff.requested", {})

    def resolved(self, time: int) -> Draft:
        """Say that the bot holds the conversation to be resolved."""
        return self._action(time, "action_conversation_resolved", "bot.conversation.ended", {"outcome": "resolved"})

    def promised_refund(self, time: int, order: Order, due_text: str) -> Draft:
        """Say that the bot promised a refund for an order until a time."""
        details = {"order_id": str(order.number), "due_at": due_text}
        data = {"kind": "refund", "order": details["order_id"], "due_at": due_text, "made_by": "bot"}
        return self._action(time, "action_promise_refund", "service.commitment.made", data, details)

    def _action(
        self, time: int, name: str, event_type: str, data: Mapping[str, Any], details: Mapping[str, str] | None = None
    ) -> Draft:
        payload = {
            "event": "action",
            "name": name,
            "policy": "RulePolicy",
            "confidence": 1.0,
            "metadata": details or {},
        }
        return self._draft(time, payload, event_type, data)

    def _draft(self, time: int, own: Mapping[str, Any], event_type: str, data: Mapping[str, Any]) -> Draft:
        moment = time + RASA
        payload = {"sender_id": self._chat.id, "timestamp": moment / SECOND, **own}
        event = meaning(
            event_type,
            (SOURCE, _id_of(payload)),
            moment,
            self._person.key,
            conversation=self._chat.id,
            tool=TOOL,
            **data,
        )
        return Draft(TOPIC, payload, (event,), {})


def _id_of(payload: Mapping[str, Any]) -> str:
    """Give the id that the shipped mapping makes up, since Rasa names no event."""
    named = [payload.get(name) for name in ("sender_id", "event", "timestamp", "name", "value", "message_id")]
    response = payload.get("metadata", {}).get("utter_action")
    return hashlib.sha256(encode_json([*named, response, payload.get("text")], sort=True)).hexdigest()[:32]
