"""Notices: the mails that other tools ask for, such as an order confirmation.

What enters: a customer, a notice, an order. What leaves: a mail in the post.
"""

from coordwatch.simulator.stage import Stage
from coordwatch.simulator.tools.sendgrid import Mail, processed
from coordwatch.simulator.truth import Order
from coordwatch.simulator.world import Campaign, Person


def notify(stage: Stage, person: Person, notice: Campaign, order: Order, late: int = 0) -> None:
    """Send a notice about an order; its record may come late.

    Units: `late` in microseconds
    """
    stage.publish(processed(stage.mint, stage.now, [Mail(person, notice, order)]), late=late)
