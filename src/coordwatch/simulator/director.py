"""The director of a live shop: makes sure that each kind of trouble happens soon, and goes on happening.

What enters: a Stage. What leaves: stories that would have happened sooner or later by themselves.
The next room: `run`.
"""

from collections.abc import Callable

from coordwatch.events.times import HOUR, MINUTE
from coordwatch.simulator.stage import Stage, minutes
from coordwatch.simulator.stories.cases import handle_case, open_case
from coordwatch.simulator.stories.marketing import burst, looks_at, sell_out
from coordwatch.simulator.stories.orders import order
from coordwatch.simulator.stories.records import new_number
from coordwatch.simulator.stories.refunds import promise_refund
from coordwatch.simulator.stories.talking import talk
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.tools.meaning import CLOUDEVENTS
from coordwatch.simulator.tools.services import WAREHOUSE
from coordwatch.simulator.truth import Order, SentBack
from coordwatch.simulator.world import CAMPAIGNS, Person

_NAMED = {campaign.name: campaign for campaign in CAMPAIGNS}


def director(stage: Stage) -> Story:
    """Begin one trouble of each kind in the first hours, the slowest first, then one after the other for ever."""
    yield minutes(8)
    for trouble in _TROUBLES:
        stage.begin(trouble(stage, _somebody(stage)))
        yield minutes(6)
    while True:
        troubles = list(_TROUBLES)
        stage.random.shuffle(troubles)
        for trouble in troubles:
            yield stage.minutes(12, 40)
            stage.begin(trouble(stage, _somebody(stage)))


def _somebody(stage: Stage) -> Person:
    """Somebody who can be told apart by every tool and has nothing else on their mind."""
    calm = [person for person in stage.world.people if not (person.shares_mailbox or person.busy or person.guest)]
    return stage.random.choice(calm or list(stage.world.people))


def _two_numbers(stage: Stage, person: Person) -> Story:
    return new_number(stage, person, "late")


def _late_parcel(stage: Stage, person: Person) -> Story:
    return order(stage, person, "delayed", "none")


def _dropped_order(stage: Stage, person: Person) -> Story:
    return order(stage, person, "dropped", "none")


def _forgotten_refund(stage: Stage, person: Person) -> Story:
    """A refund is promised for an order of this morning, and nobody makes it."""
    bought = Order(stage.mint.number("order", 5_100_000_001), [stage.random.choice(stage.world.items).sku], stage.now)
    stage.publish(stage.shop.placed(stage.now, person, bought))
    yield stage.minutes(20, 60)
    stage.begin(promise_refund(stage, person, bought, "forgotten"))


def _ad_for_broken_item(stage: Stage, person: Person) -> Story:
    """An item comes back as defective, and hours later the customer is put into its audience."""
    sku = stage.random.choice(stage.world.items).sku
    bought = Order(stage.mint.number("order", 5_100_000_001), [sku], stage.now)
    stage.publish(stage.shop.placed(stage.now, person, bought))
    yield stage.minutes(20, 60)
    stage.publish(
        stage.services.says(
            WAREHOUSE,
            stage.now,
            "fulfilment.return.changed",
            person,
            order=str(bought.number),
            status="requested",
            reason="defective",
            items=[{"sku": sku}],
            **{"return": f"return-{stage.mint.number('return', 7001)}"},
        )
    )
    person.sent_back.append(SentBack(stage.now + CLOUDEVENTS, sku))
    yield 2 * HOUR + stage.minutes(5, 30)
    stage.begin(looks_at(stage, person, sku))


def _promotion_in_complaint(stage: Stage, person: Person) -> Story:
    """A complaint waits, and a campaign goes out."""
    case = open_case(stage, person, "complaint")
    stage.begin(handle_case(stage, person, case), stage.minutes(30, 60))
    yield stage.minutes(25, 150)
    yield from burst(stage, _NAMED["spring-sale"], [person])


def _promotion_in_chat(stage: Stage, person: Person) -> Story:
    """A campaign goes out while a customer tells the bot what went wrong."""
    stage.begin(talk(stage, person, "complaint", "loop"))
    yield 5 * MINUTE
    yield from burst(stage, _NAMED["weekend-deals"], [person])


def _promotion_without_stock(stage: Stage, person: Person) -> Story:
    """A store sells the last one, and a campaign for it goes out."""
    item = stage.world.items[0]
    stage.begin(sell_out(stage, item, person.store))
    yield stage.minutes(40, 80)
    yield from burst(stage, _NAMED["local-offers"], [person], item)


def _handed_over(stage: Stage, person: Person) -> Story:
    return talk(stage, person, "refund", "handoff")


def _looping_bot(stage: Stage, person: Person) -> Story:
    return talk(stage, person, "question", "loop")


def _left_open(stage: Stage, person: Person) -> Story:
    return talk(stage, person, "question", "left_open")


_TROUBLES: tuple[Callable[[Stage, Person], Story], ...] = (
    _two_numbers,
    _late_parcel,
    _forgotten_refund,
    _ad_for_broken_item,
    _left_open,
    _dropped_order,
    _looping_bot,
    _promotion_in_complaint,
    _handed_over,
    _promotion_without_stock,
    _promotion_in_chat,
)
