"""Telling: each notification to the log and to every open page.

What enters: Notifications.
What leaves: one line of the log each, and a message on the stream.
The next room: whoever watches.
"""

import logging
from collections.abc import Callable, Sequence

from coordwatch.notify.decide import Notification

Tell = Callable[[Notification], None]
_log = logging.getLogger("coordwatch.alerts")


def to_all(listeners: Sequence[Tell]) -> Tell:
    """One function that tells everybody in turn."""

    def tell(notification: Notification) -> None:
        for listener in listeners:
            listener(notification)

    return tell


def to_log(notification: Notification) -> None:
    """Say an alert in one line; the customer is left to the page."""
    _log.info("%s %s %s: %s", notification.reason, notification.severity, notification.rule, notification.sentence)
