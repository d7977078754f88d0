"""The marketing scheduler and the audience sync: they know addresses and items, and nothing of service.

What enters: the hour of the day. What leaves: bursts of mails, customers in audiences, ads, stock reports of stores.
"""

from collections.abc import Sequence

from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND
from coordwatch.simulator.stage import Stage, minutes
from coordwatch.simulator.stories.cases import complain_in_writing
from coordwatch.simulator.stories.talking import talk
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.tools.meaning import CLOUDEVENTS
from coordwatch.simulator.tools.sendgrid import Mail, opened, processed
from coordwatch.simulator.tools.services import WAREHOUSE
from coordwatch.simulator.world import CAMPAIGNS, STORES, Campaign, Item, Person

_AT_ONCE = 5
_LOCAL_ITEMS = 4


def scheduler(stage: Stage) -> Story:
    """Start campaigns at their hours."""
    while True:
        yield stage.until_next_hour()
        hour = stage.now % DAY // HOUR
        for campaign in CAMPAIGNS:
            if hour in campaign.hours and stage.chance(0.6):
                stage.begin(burst(stage, campaign), stage.minutes(0, 15))


def burst(stage: Stage, campaign: Campaign, surely: Sequence[Person] = (), item: Item | None = None) -> Story:
    """Send one campaign to a part of the customers, in minutes."""
    share = stage.random.uniform(*stage.pace.campaign_share)
    audience = [person for person in stage.world.people if person not in surely and stage.chance(share)]
    audience += surely
    stage.random.shuffle(audience)
    if campaign.has_item and item is None:
        goods = stage.world.items[:_LOCAL_ITEMS] if campaign.has_store else stage.world.items
        item = stage.random.choice(goods)
    if campaign.has_store and item is not None and stage.chance(0.2):
        stage.begin(sell_out(stage, item, stage.random.choice(STORES)), minutes(3))
    if audience and stage.chance(0.6):
        _object(stage, stage.random.choice(audience))
    groups = [audience[first : first + _AT_ONCE] for first in range(0, len(audience), _AT_ONCE)]
    wait = min(stage.minutes(5, 20) // max(len(groups), 1), 2 * MINUTE) // SECOND * SECOND
    for group in groups:
        _send(stage, [Mail(one, campaign, item=item, store=_store(one, campaign)) for one in group])
        yield wait


def _object(stage: Stage, person: Person) -> None:
    """Let a customer come with a trouble of their own, just when the mails leave."""
    if stage.chance(0.5):
        stage.begin(complain_in_writing(stage, person))
    else:
        stage.begin(talk(stage, person, "complaint", stage.random.choice(("handoff", "settled"))))


def _store(person: Person, campaign: Campaign) -> str | None:
    return person.store if campaign.has_store else None


def _send(stage: Stage, mails: list[Mail]) -> None:
    draft = processed(stage.mint, stage.now, mails)
    stage.publish(draft)
    for mail, act in zip(mails, draft.events, strict=True):
        stage.narrator.promoted(mail, act)
        if stage.chance(0.12):
            stage.begin(_opens(stage, mail, str(act.data["message"])), stage.minutes(2, 600))


def _opens(stage: Stage, mail: Mail, message: str) -> Story:
    stage.publish(opened(stage.mint, stage.now, mail, message))
    yield from ()


def looks_at(stage: Stage, person: Person, sku: str) -> Story:
    """Look at an item in the shop; the audience sync then shows ads for it, whatever has happened to the item."""
    yield stage.minutes(10, 70)
    event = stage.publish(
        stage.services.shown(
            stage.now,
            "marketing.audience.changed",
            person,
            audience=f"viewed-{sku.lower()}",
            action="added",
            platform="adnet",
            items=[{"sku": sku}],
        )
    )
    stage.narrator.advertised(person, event, sku)
    for _ in range(stage.random.choice((0, 0, 1, 2))):
        yield stage.minutes(30, 1500)
        event = stage.publish(
            stage.services.shown(stage.now, "marketing.ad.exposed", person, kind="impression", items=[{"sku": sku}])
        )
        stage.narrator.advertised(person, event, sku)
    yield stage.minutes(7 * 1440, 8 * 1440)
    stage.publish(
        stage.services.shown(
            stage.now,
            "marketing.audience.changed",
            person,
            audience=f"viewed-{sku.lower()}",
            action="removed",
            platform="adnet",
            items=[{"sku": sku}],
        )
    )


def stores(stage: Stage) -> Story:
    """Report stock at the start, and now and then sell something out."""
    goods = stage.world.items[:_LOCAL_ITEMS]
    for item in goods:
        for store in STORES:
            _report(stage, item, store, stage.random.randint(5, 60))
    while True:
        yield stage.minutes(120, 600)
        stage.begin(sell_out(stage, stage.random.choice(goods), stage.random.choice(STORES)))


def sell_out(stage: Stage, item: Item, store: str) -> Story:
    """Sell the last one of an item in one store; more comes some hours later."""
    reports = stage.world.stock.get((item.sku, store))
    if reports and reports[-1][1] <= 0:
        return
    _report(stage, item, store, 0)
    yield stage.minutes(180, 1600)
    _report(stage, item, store, stage.random.randint(10, 60))


def _report(stage: Stage, item: Item, store: str, available: int) -> None:
    report = (stage.now + CLOUDEVENTS, available)
    stage.world.stock[item.sku, store] = [*stage.world.stock.get((item.sku, store), ())[-1:], report]
    stage.publish(
        stage.services.says(
            WAREHOUSE, stage.now, "inventory.level.changed", None, item=item.sku, location=store, available=available
        )
    )
