"""Refunds: somebody promises the money back until a date, and then it comes, or comes late, or does not come.

What enters: a customer and an order. What leaves: what the bot or the agents' desktop, Shopify and SendGrid publish.
"""

from coordwatch.events.event import Event
from coordwatch.events.times import HOUR, SECOND, format_time
from coordwatch.simulator.labels import Which
from coordwatch.simulator.narrator import REFUND
from coordwatch.simulator.stage import Stage
from coordwatch.simulator.stories.notices import notify
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.tools.rasa import Bot
from coordwatch.simulator.tools.services import DESKTOP
from coordwatch.simulator.truth import Order
from coordwatch.simulator.world import NOTICES, Person

_OUTCOMES = [("kept", 0.45), ("forgotten", 0.25), ("late", 0.12), ("late_record", 0.1), ("withdrawn", 0.08)]


def promise_refund(
    stage: Stage, person: Person, order: Order, outcome: str | None = None, bot: Bot | None = None
) -> Story:
    """Promise a refund until a time, and make it, make it late, forget it, or take the promise back.

    Takes: `outcome` kept, forgotten, late, late_record or withdrawn, drawn when None; `bot` when it is the bot that
           promises, and not an agent
    """
    outcome = outcome or stage.one_of(_OUTCOMES)
    if outcome == "withdrawn" and bot is not None:
        outcome = "forgotten"  # nobody looks after what a bot promised
    wait = stage.span(stage.pace.refund_due)
    due = stage.now + wait
    commitment = f"promise-{stage.mint.hex(10)}"
    event = _promise(stage, person, order, (commitment, due), bot)
    if outcome in ("forgotten", "late"):
        stage.narrator.conflict(REFUND, person, event, "the date passed without the money", due)
    if outcome == "forgotten":
        return
    if outcome == "withdrawn":
        yield wait // 2 // SECOND * SECOND
        closed = {"commitment": commitment, "order": str(order.number), "outcome": "withdrawn"}
        stage.publish(stage.services.says(DESKTOP, stage.now, "service.commitment.closed", person, **closed))
        stage.narrator.no_conflict(REFUND, person, event, Which.WITHDRAWN, "the promise was taken back in time")
        return
    part = wait * stage.random.randint(1, 9) // 10 // SECOND * SECOND
    yield wait + stage.minutes(300, 2000) if outcome == "late" else part
    late = wait + HOUR if outcome == "late_record" else 0
    stage.publish(stage.shop.refunded(stage.now, person, order), late=late)
    if outcome == "late_record":
        stage.narrator.no_conflict(
            REFUND, person, event, Which.LATE, "the refund was made in time; its record came late"
        )
    yield stage.minutes(1, 10)
    notify(stage, person, NOTICES["refund_notice"], order)


def _promise(stage: Stage, person: Person, order: Order, terms: tuple[str, int], bot: Bot | None) -> Event:
    commitment, due = terms
    if bot is not None:
        return stage.publish(bot.promised_refund(stage.now, order, format_time(due)))
    return stage.publish(
        stage.services.says(
            DESKTOP,
            stage.now,
            "service.commitment.made",
            person,
            commitment=commitment,
            kind="refund",
            order=str(order.number),
            due_at=format_time(due),
            made_by="agent",
        )
    )
