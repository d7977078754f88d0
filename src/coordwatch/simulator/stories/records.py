"""Records: a customer gets a new telephone number, and the shop and the help desk learn of it, both or only one.

What enters: a customer. What leaves: what Shopify and Zendesk publish about their records.
"""

from coordwatch.events.event import Event
from coordwatch.events.times import HOUR
from coordwatch.simulator.narrator import RECORDS
from coordwatch.simulator.stage import Stage
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.truth import ProfileRecord
from coordwatch.simulator.world import Person, phone_number

_SYNC_WITHIN = 8 * HOUR


def new_number(stage: Stage, person: Person, outcome: str | None = None) -> Story:
    """Change the telephone number in one system, and in the other soon, late or after days.

    Takes: `outcome` soon, late or days; drawn when None
    """
    if person.moving:
        return
    person.moving = True
    if not person.records:
        for system in ("shopify", "zendesk"):
            _write(stage, person, system, person.phone)
            yield stage.minutes(2, 12)
    outcome = outcome or stage.one_of([("soon", 0.5), ("late", 0.25), ("days", 0.25)])
    phone = phone_number(person.number, stage.mint.number(f"phone of {person.number}") % 100)
    first, second = ("shopify", "zendesk") if stage.chance(0.6) else ("zendesk", "shopify")
    act = _write(stage, person, first, phone)
    if outcome != "soon":
        stage.narrator.conflict(RECORDS, person, act, f"{second} kept the old number", act.time + _SYNC_WITHIN)
    waits = {"soon": (5, 400), "late": (520, 1300), "days": (2000, 5000)}
    yield stage.minutes(*waits[outcome])
    _write(stage, person, second, phone)
    yield stage.minutes(5, 10)
    person.moving = False


def _write(stage: Stage, person: Person, system: str, phone: str) -> Event:
    before = person.records.get(system)
    person.records[system] = ProfileRecord(stage.now, phone)
    if system == "shopify":
        return stage.publish(stage.shop.telephone_changed(stage.now, person, phone))
    if not person.known_to_desk:
        person.known_to_desk = True
        stage.publish(stage.desk.met(stage.now, person))
    return stage.publish(stage.desk.telephone_changed(stage.now, person, phone, before.phone if before else None))
