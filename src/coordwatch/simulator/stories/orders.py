"""Orders: from the basket to the door, or to a cancellation, a delay or a return.

What enters: a customer. What leaves: what Shopify, EasyPost, the warehouse and SendGrid publish.
"""

from coordwatch.events.times import DAY, HOUR, SECOND
from coordwatch.rules.calendars import add_open
from coordwatch.simulator.hours import SUPPORT_HOURS
from coordwatch.simulator.labels import Which
from coordwatch.simulator.narrator import CANCELLED, DELAYED
from coordwatch.simulator.stage import Stage, minutes
from coordwatch.simulator.stories.cases import complain_in_writing
from coordwatch.simulator.stories.marketing import looks_at
from coordwatch.simulator.stories.notices import notify
from coordwatch.simulator.stories.refunds import promise_refund
from coordwatch.simulator.stories.talking import talk
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.tools.easypost import Tracker
from coordwatch.simulator.tools.meaning import CLOUDEVENTS
from coordwatch.simulator.tools.services import WAREHOUSE
from coordwatch.simulator.truth import Order, SentBack
from coordwatch.simulator.world import NOTICES, Person

_NOTICE_WITHIN = HOUR
_DELAY_NOTICE_WITHIN = 4 * HOUR
_ASKED_WITHIN = 2 * DAY + HOUR
_FATES = [("arrives", 0.6), ("delayed", 0.13), ("dropped", 0.08), ("called_off", 0.05), ("faulty", 0.14)]
_NOTICES = [("none", 0.25), ("soon", 0.5), ("late", 0.09), ("late_record", 0.08), ("unread_tool", 0.08)]


def order(stage: Stage, person: Person, fate: str | None = None, notice: str | None = None) -> Story:
    """Tell one order.

    Takes: `fate` arrives, delayed, dropped (by the shop), called_off (by the customer) or faulty; `notice` none, soon,
           late, late_record or unread_tool, when one is due; drawn when None
    """
    fate = fate or stage.one_of(_FATES)
    notice = notice or stage.one_of(_NOTICES)
    goods = stage.random.sample(stage.world.items, stage.one_of([(1, 0.7), (2, 0.3)]))
    bought = Order(stage.mint.number("order", 5_100_000_001), [item.sku for item in goods], stage.now)
    person.sent_back = [back for back in person.sent_back if back.sku not in bought.skus]
    stage.publish(stage.shop.placed(stage.now, person, bought))
    yield stage.minutes(1, 5)
    notify(stage, person, NOTICES["order_confirmation"], bought)
    yield stage.span(stage.pace.packing)
    if fate == "dropped" and (person.asked_to_cancel is None or stage.now - person.asked_to_cancel > _ASKED_WITHIN):
        yield from _dropped(stage, person, bought, notice)
    elif fate == "called_off":
        yield from _called_off(stage, person, bought)
    else:
        yield from _sent(stage, person, bought, fate, notice)


def _dropped(stage: Stage, person: Person, bought: Order, notice: str) -> Story:
    """The shop cancels; the customer may or may not be told."""
    reason = stage.one_of([("inventory", 0.7), ("fraud", 0.1), ("declined", 0.1), ("other", 0.1)])
    act = stage.publish(stage.shop.cancelled(stage.now, person, bought, reason))
    deadline = act.time + _NOTICE_WITHIN
    match notice:
        case "none" | "late":
            stage.narrator.conflict(CANCELLED, person, act, "nobody told the customer in time", deadline)
        case "late_record":
            stage.narrator.no_conflict(
                CANCELLED, person, act, Which.LATE, "the notice left in time; its record came late"
            )
        case "unread_tool":
            stage.narrator.told_elsewhere(
                CANCELLED, person, act, "a tool that nobody reads told the customer", deadline
            )
    if notice in ("soon", "late_record"):
        yield stage.minutes(2, 50)
        late = stage.minutes(120, 240) if notice == "late_record" else 0
        notify(stage, person, NOTICES["cancellation_notice"], bought, late)
    elif notice == "late":
        yield stage.minutes(90, 600)
        notify(stage, person, NOTICES["cancellation_notice"], bought)
    yield stage.minutes(60, 600)
    if notice in ("none", "late") and stage.chance(0.5):
        stage.begin(talk(stage, person, "complaint", _ending(stage)))
    stage.publish(stage.shop.refunded(stage.now, person, bought))


def _called_off(stage: Stage, person: Person, bought: Order) -> Story:
    """The customer cancels in the shop, or tells the bot, and an agent picks the wrong reason."""
    in_shop = stage.chance(0.5)
    if not in_shop and not person.busy:
        stage.begin(talk(stage, person, "cancel", "answered", bought))
        yield stage.minutes(20, 200)
    told_bot = person.asked_to_cancel is not None and stage.now - person.asked_to_cancel < DAY
    act = stage.publish(stage.shop.cancelled(stage.now, person, bought, "other" if told_bot else "customer"))
    stage.narrator.no_conflict(CANCELLED, person, act, Which.CUSTOMER_CANCELLED, "the customer wanted it so")
    yield stage.minutes(100, 600)
    stage.publish(stage.shop.refunded(stage.now, person, bought))


def _sent(stage: Stage, person: Person, bought: Order, fate: str, notice: str) -> Story:
    """The parcel leaves; it arrives, late or not, and perhaps what is in it does not work."""
    bought.tracking = f"IP{stage.mint.hex(12).upper()}"
    transport = stage.span(stage.pace.transport)
    eta = stage.now + transport
    tracker = Tracker(stage.mint, person, bought.tracking, eta)
    stage.publish(stage.shop.fulfilled(stage.now, person, bought))
    yield stage.minutes(2, 15)
    stage.publish(tracker.moved(stage.now, "pre_transit"))
    notify(stage, person, NOTICES["shipping_notice"], bought)
    yield transport // 3 // SECOND * SECOND
    stage.publish(tracker.moved(stage.now, "in_transit", eta + stage.random.choice((0, 0, 2, -3, 5)) * HOUR))
    yield transport // 3 // SECOND * SECOND
    if fate == "delayed":
        yield from _delayed(stage, person, bought, tracker, notice)
    stage.publish(tracker.moved(stage.now, "out_for_delivery"))
    yield stage.minutes(30, 180)
    stage.publish(tracker.moved(stage.now, "delivered"))
    if fate == "faulty":
        yield from _sent_back(stage, person, bought)


def _delayed(stage: Stage, person: Person, bought: Order, tracker: Tracker, notice: str) -> Story:
    """The carrier moves the date by days; the customer may or may not be told."""
    slip = stage.random.randint(5, 7) * DAY
    act = stage.publish(tracker.moved(stage.now, "in_transit", stage.now + slip))
    deadline = add_open(SUPPORT_HOURS, act.time, _DELAY_NOTICE_WITHIN)
    arrives = stage.now + slip
    match notice:
        case "none" | "late":
            stage.narrator.conflict(DELAYED, person, act, "nobody told the customer in time", deadline)
        case "late_record":
            stage.narrator.no_conflict(
                DELAYED, person, act, Which.LATE, "the notice left in time; its record came late"
            )
        case "unread_tool":
            stage.narrator.told_elsewhere(DELAYED, person, act, "the carrier itself told the customer", deadline)
    if notice in ("soon", "late_record"):
        yield stage.minutes(5, 180)
        late = max(deadline - stage.now, 0) + HOUR if notice == "late_record" else 0
        notify(stage, person, NOTICES["delay_notice"], bought, late)
    elif notice == "late":
        yield (deadline - stage.now) // SECOND * SECOND + stage.minutes(30, 900)
        notify(stage, person, NOTICES["delay_notice"], bought)
    elif stage.chance(0.6):
        stage.begin(talk(stage, person, "complaint", _ending(stage), bought), stage.minutes(120, 2000))
    yield max(arrives - stage.now, minutes(5))


def _sent_back(stage: Stage, person: Person, bought: Order) -> Story:
    """The customer sends an item back; the ads do not know, and the money may be promised."""
    sku = bought.skus[0]
    yield stage.minutes(10, 300)
    number = f"return-{stage.mint.number('return', 7001)}"
    reason = stage.one_of([("defective", 0.6), ("damaged", 0.2), ("wrong_size", 0.2)])
    broken = reason != "wrong_size"
    _report_return(stage, person, bought, (number, reason), "requested")
    if stage.chance(0.7):
        stage.begin(_looks_again(stage, person, sku))
    if broken and stage.chance(0.4):
        stage.begin(
            talk(stage, person, "refund", stage.random.choice(("handoff", "promised")), bought), stage.minutes(5, 90)
        )
    elif stage.chance(0.5):
        stage.begin(promise_refund(stage, person, bought), stage.minutes(5, 90))
    elif broken and stage.chance(0.4):
        stage.begin(complain_in_writing(stage, person), stage.minutes(20, 200))
    yield stage.span(stage.pace.transport)
    _report_return(stage, person, bought, (number, reason), "received")


def _report_return(stage: Stage, person: Person, bought: Order, sent_back: tuple[str, str], status: str) -> None:
    number, reason = sent_back
    stage.publish(
        stage.services.says(
            WAREHOUSE,
            stage.now,
            "fulfilment.return.changed",
            person,
            order=str(bought.number),
            status=status,
            reason=reason,
            items=[{"sku": bought.skus[0]}],
            **{"return": number},
        )
    )
    if reason != "wrong_size":
        person.sent_back.append(SentBack(stage.now + CLOUDEVENTS, bought.skus[0]))


def _looks_again(stage: Stage, person: Person, sku: str) -> Story:
    """Look for a better one of the same kind, soon or in some days."""
    yield stage.span(stage.pace.second_look)
    stage.begin(looks_at(stage, person, sku))


def _ending(stage: Stage) -> str:
    return stage.one_of([("handoff", 0.45), ("left_open", 0.15), ("settled", 0.2), ("loop", 0.2)])
