"""Visits: what brings a customer back, again and again; some customers come much more often than others.

What enters: a customer. What leaves: the stories of their orders, chats, complaints and records.
"""

from coordwatch.simulator.stage import Stage
from coordwatch.simulator.stories.cases import complain_in_writing
from coordwatch.simulator.stories.marketing import looks_at
from coordwatch.simulator.stories.orders import order
from coordwatch.simulator.stories.records import new_number
from coordwatch.simulator.stories.talking import talk
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.world import Person

_REASONS = [("order", 0.5), ("ask", 0.18), ("object", 0.06), ("look", 0.18), ("move", 0.04), ("complain", 0.04)]
_QUESTION = [
    ("answered", 0.5),
    ("settled", 0.14),
    ("nearly_loop", 0.1),
    ("loop", 0.05),
    ("handoff", 0.1),
    ("left_open", 0.04),
    ("walked_off", 0.07),
]
_OBJECTION = [("handoff", 0.4), ("loop", 0.25), ("settled", 0.2), ("left_open", 0.15)]


def life(stage: Stage, person: Person) -> Story:
    """Tell the life of a customer with the shop, without an end."""
    if not person.guest:
        yield stage.minutes(0, 5)
        stage.publish(stage.services.linked(stage.now, person))
    while True:
        yield stage.next_visit(person.weight)
        match stage.one_of(_REASONS):
            case "order":
                stage.begin(order(stage, person))
            case "ask":
                stage.begin(talk(stage, person, "question", stage.one_of(_QUESTION)))
            case "object":
                stage.begin(talk(stage, person, "complaint", stage.one_of(_OBJECTION)))
            case "look":
                stage.begin(looks_at(stage, person, stage.random.choice(stage.world.items).sku))
            case "move":
                stage.begin(new_number(stage, person))
            case "complain":
                stage.begin(complain_in_writing(stage, person))
