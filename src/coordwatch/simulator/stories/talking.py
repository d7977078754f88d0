"""Talking: a customer writes to the bot, perhaps meets an agent, and perhaps waits for a case to close.

What enters: a customer and what is on their mind. What leaves: what Rasa, Zendesk and the agents' desktop publish.
"""

from dataclasses import dataclass

from coordwatch.events.event import Event
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.simulator.labels import Which
from coordwatch.simulator.narrator import BOT_LOOP, RESOLVED_OPEN
from coordwatch.simulator.stage import Stage
from coordwatch.simulator.stories.cases import handle_case, move_case, open_case
from coordwatch.simulator.stories.refunds import promise_refund
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.tools.rasa import FALLBACK, FALLBACKS, ORDER_DETAIL, Bot
from coordwatch.simulator.tools.services import DESKTOP
from coordwatch.simulator.truth import Chat, Order, Told
from coordwatch.simulator.world import Person

_INTENT = {"complaint": "complain", "cancel": "cancel_order", "refund": "request_refund", "question": "track_order"}
_SETTLE = 30 * MINUTE
_REMEMBERED = 6 * HOUR
_OTHER_DETAILS = ("serial_number", "postcode", "photo")


@dataclass(slots=True)
class Talk:
    """One conversation: who, about what, and the bot that tells it."""

    stage: Stage
    person: Person
    topic: str
    chat: Chat
    bot: Bot
    order: Order | None

    def heard(self, intent: str) -> None:
        """Let the customer say something."""
        event = self.stage.publish(self.bot.heard(self.stage.now, intent))
        if intent == "complain":
            self.chat.complained = self.chat.complained or event.time
            self.chat.complained_last = event.time

    def said(self, response: str, twice: bool = False) -> Event:
        """Let the bot answer."""
        event = self.stage.publish(self.bot.said(self.stage.now, response), twice=twice)
        self.stage.narrator.answered(self.person, self.chat, event, response, response in FALLBACKS)
        return event

    def learned(self, detail: str, value: str) -> None:
        """Let the bot take down a detail."""
        event = self.stage.publish(self.bot.learned(self.stage.now, detail, value))
        self.person.told.append(Told(event.time, detail))
        self.chat.answers.clear()

    def over(self, event: Event) -> None:
        """Note that the conversation with the bot is over."""
        self.chat.over = event.time
        self.chat.answers.clear()


def talk(stage: Stage, person: Person, topic: str, ending: str, order: Order | None = None) -> Story:
    """Tell one conversation.

    Takes: `topic` complaint, question, cancel or refund; `ending` answered, promised, settled, left_open, handoff,
           loop, nearly_loop, or walked_off
    """
    if person.busy:
        return
    person.busy = True
    chat = Chat(f"chat-{stage.mint.hex(12)}", stage.now)
    person.chats = [*(known for known in person.chats if known.began >= stage.now - _REMEMBERED), chat]
    person.told = [told for told in person.told if told.at >= stage.now - _REMEMBERED]
    conversation = Talk(stage, person, topic, chat, Bot(person, chat), order)
    stage.publish(conversation.bot.started(stage.now))
    yield stage.minutes(0.2, 1)
    conversation.said("utter_greet")
    yield stage.minutes(0.2, 1)
    conversation.heard(_INTENT[topic])
    if topic == "cancel":
        person.asked_to_cancel = stage.now
    yield stage.minutes(0.1, 0.3)
    yield from _ENDINGS[ending](conversation)
    person.busy = False


def _details(one: Talk) -> Story:
    one.said("utter_ask_order_number")
    yield one.stage.minutes(0.3, 1.5)
    one.heard("inform")
    yield one.stage.minutes(0.1, 0.2)
    one.learned(ORDER_DETAIL, str(one.order.number if one.order else one.stage.mint.number("typed order", 900_001)))
    if one.stage.chance(0.5):
        one.said("utter_ask_postcode")
        yield one.stage.minutes(0.3, 1)
        one.learned("postcode", "00000")
    if one.stage.chance(0.3):
        one.said("utter_ask_date_of_birth")
        yield one.stage.minutes(0.3, 1)
        one.learned("date_of_birth", "0000-00-00")
    yield one.stage.minutes(0.2, 1)


def _answered(one: Talk) -> Story:
    yield from _details(one)
    one.said("utter_answer")
    yield one.stage.minutes(1, 4)
    one.over(one.stage.publish(one.bot.resolved(one.stage.now)))


def _promised(one: Talk) -> Story:
    """The bot itself promises the money back."""
    yield from _details(one)
    if one.order is not None:
        one.stage.begin(promise_refund(one.stage, one.person, one.order, bot=one.bot))
    yield one.stage.minutes(1, 3)
    one.over(one.stage.publish(one.bot.resolved(one.stage.now)))


def _settled(one: Talk) -> Story:
    """The bot opens a case and resolves it; the help desk closes the case soon before or after."""
    stage = one.stage
    yield from _details(one)
    mixed_up = stage.chance(0.3)
    case = open_case(
        stage,
        one.person,
        "question" if one.topic == "question" else "complaint",
        one.chat,
        "late" if mixed_up else "told",
    )
    yield stage.minutes(2, 8)
    before = stage.chance(0.4)
    if before:
        move_case(stage, one.person, case, "solved")
        yield stage.minutes(1, 4)
    verdict = stage.publish(one.bot.resolved(stage.now))
    one.over(verdict)
    if not before:
        yield stage.minutes(1, 25)
        move_case(stage, one.person, case, "solved")
    if mixed_up:
        stage.narrator.no_conflict(
            RESOLVED_OPEN, one.person, verdict, Which.OUT_OF_ORDER, "the log took the closing before the opening"
        )


def _left_open(one: Talk) -> Story:
    """The bot opens a case, says that all is well, and the case waits."""
    stage = one.stage
    yield from _details(one)
    case = open_case(stage, one.person, "question" if one.topic == "question" else "complaint", one.chat)
    yield stage.minutes(2, 10)
    verdict = stage.publish(one.bot.resolved(stage.now))
    one.over(verdict)
    stage.narrator.conflict(
        RESOLVED_OPEN, one.person, verdict, "the case stayed open for hours", verdict.time + _SETTLE
    )
    stage.begin(handle_case(stage, one.person, case), stage.minutes(45, 90))


def _loop(one: Talk) -> Story:
    """The bot does not understand, again and again."""
    response = one.stage.random.choice((FALLBACK, "utter_ask_rephrase", "utter_ask_order_number"))
    for _ in range(one.stage.random.randint(3, 5)):
        one.said(response)
        yield one.stage.minutes(0.5, 2.5)
        one.heard("complain" if one.topic == "complaint" else "nlu_fallback")
        yield one.stage.minutes(0.1, 0.3)
    if one.stage.chance(0.5):
        yield from _handed_over(one)


def _nearly_loop(one: Talk) -> Story:
    """The bot does not understand twice, and the second answer reaches the log twice."""
    one.said(FALLBACK)
    yield one.stage.minutes(0.5, 2)
    one.heard("nlu_fallback")
    yield one.stage.minutes(0.1, 0.3)
    event = one.said(FALLBACK, twice=True)
    one.stage.narrator.no_conflict(
        BOT_LOOP, one.person, event, Which.DUPLICATED, "one of the three answers in the log is a copy"
    )
    yield one.stage.minutes(0.5, 2)
    yield from _answered(one)


def _handoff(one: Talk) -> Story:
    yield from _details(one)
    if one.topic == "complaint" and one.stage.chance(0.5):
        one.heard("complain")
        yield one.stage.minutes(0.5, 3)
    yield from _handed_over(one)


def _handed_over(one: Talk) -> Story:
    """An agent takes over, asks some things, and opens a case when something went wrong."""
    stage, person = one.stage, one.person
    stage.publish(one.bot.asked_for_human(stage.now))
    one.chat.answers.clear()
    yield stage.minutes(1, 9)
    contact = f"contact-{stage.mint.hex(10)}"
    one.over(
        stage.publish(
            stage.services.says(
                DESKTOP,
                stage.now,
                "bot.handoff.completed",
                person,
                conversation=one.chat.id,
                contact=contact,
                transcript_attached=stage.chance(0.4),
            )
        )
    )
    yield stage.minutes(0.2, 1)
    for detail in _questions(one):
        event = stage.publish(
            stage.services.says(
                DESKTOP, stage.now, "agent.detail.requested", person, contact=contact, field=detail, via="screen"
            )
        )
        stage.narrator.asked(person, event, detail)
        yield stage.minutes(0.5, 3)
    if one.topic in ("complaint", "refund"):
        case = open_case(stage, person, "complaint", one.chat)
        stage.begin(handle_case(stage, person, case), stage.minutes(5, 60))
    if one.order is not None and one.topic == "refund":
        stage.begin(promise_refund(stage, person, one.order))


def _questions(one: Talk) -> list[str]:
    told = [told.detail for told in one.person.told if one.stage.now - told.at < HOUR]
    asked = [detail for detail in dict.fromkeys(told) if one.stage.chance(0.45)]
    return [*asked, one.stage.random.choice(_OTHER_DETAILS)] if one.stage.chance(0.7) else asked


def _walked_off(one: Talk) -> Story:
    one.said("utter_ask_order_number")
    yield one.stage.minutes(0.5, 2)


_ENDINGS = {
    "answered": _answered,
    "promised": _promised,
    "settled": _settled,
    "left_open": _left_open,
    "handoff": _handoff,
    "loop": _loop,
    "nearly_loop": _nearly_loop,
    "walked_off": _walked_off,
}
