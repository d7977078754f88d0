"""Rasa: the bot's tracker events, one a record, without ids of their own and without the customer in most of them.

What enters: what the customer and the bot say. What leaves: Drafts. The next room: `post`.
"""

from typing import Any

from coordwatch.events.event import Event
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
        event = self._meaning("bot.conversation.started", time, channel="chat")
        return self._draft(time, "session_started", event, metadata=who)

    def heard(self, time: int, intent: str, sure: float = 0.93) -> Draft:
        """Say what the customer wrote, by intent."""
        parsed = {"intent": {"name": intent, "confidence": sure}, "entities": [], "text": ""}
        event = self._meaning("bot.message.received", time, intent=intent, confidence=sure)
        return self._draft(time, "user", event, text="", parse_data=parsed, input_channel="rest", metadata={})

    def said(self, time: int, response: str) -> Draft:
        """Say what the bot answered, by response."""
        fallback = response in FALLBACKS
        event = self._meaning("bot.message.sent", time, response_id=response, fallback=fallback)
        return self._draft(time, "bot", event, text="", data={}, metadata={"utter_action": response})

    def learned(self, time: int, detail: str, value: str) -> Draft:
        """Say which detail the customer gave."""
        event = self._meaning("bot.detail.captured", time, field=detail)
        slot = "order_number" if detail == ORDER_DETAIL else detail
        return self._draft(time, "slot", event, name=slot, value=value)

    def asked_for_human(self, time: int) -> Draft:
        """Say that the bot asked for a human."""
        event = self._meaning("bot.handoff.requested", time)
        return self._draft(time, "action", event, name="action_handoff", policy="RulePolicy", confidence=1.0)

    def resolved(self, time: int) -> Draft:
        """Say that the bot holds the conversation to be resolved."""
        event = self._meaning("bot.conversation.ended", time, outcome="resolved")
        return self._draft(
            time, "action", event, name="action_conversation_resolved", policy="RulePolicy", confidence=1.0
        )

    def promised_refund(self, time: int, order: Order, due_text: str) -> Draft:
        """Say that the bot promised a refund for an order until a time."""
        event = self._meaning(
            "service.commitment.made", time, kind="refund", order=str(order.number), due_at=due_text, made_by="bot"
        )
        details = {"order_id": str(order.number), "due_at": due_text}
        return self._draft(time, "action", event, name="action_promise_refund", metadata=details)

    def _meaning(self, event_type: str, time: int, **data: Any) -> Event:
        moment = time + RASA
        identity = (SOURCE, f"{self._chat.id}/{moment}/{event_type}")
        return meaning(event_type, identity, moment, self._person.key, conversation=self._chat.id, tool=TOOL, **data)

    def _draft(self, time: int, kind: str, event: Event, **fields: Any) -> Draft:
        payload = {"sender_id": self._chat.id, "event": kind, "timestamp": (time + RASA) / SECOND, **fields}
        return Draft(TOPIC, payload, (event,), {})
