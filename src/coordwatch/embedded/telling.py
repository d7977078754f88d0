"""Telling: each notification to the log and to every open page, each decision into the outbox.

What enters: Notifications, decisions.
What leaves: one line of the log each, a message on the stream, rows in the outbox.
The next room: whoever watches; `adapters/channels`, which send what lies in the outbox.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from coordwatch.access.masking import mask_text
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.clock import Clock
from coordwatch.events.times import MINUTE
from coordwatch.notify.decide import Notification, NotifyReason
from coordwatch.notify.message import canary
from coordwatch.notify.outbox import Outbox
from coordwatch.notify.plan import Decided

_AT_ONCE = 1000
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
    sentence = mask_text(notification.sentence)
    _log.info("%s %s %s: %s", notification.reason, notification.severity, notification.rule, sentence)


class ToOutbox:
    """Keeps decisions with what is to be sent, hears what became of alerts since, and sends a canary every minute.

    Takes: `wall`, the clock of the channels, which is not that of the alerts in a demo; `canaries`, the channels of canaries
    """

    def __init__(self, outbox: Outbox, cards: Mapping[str, RuleCard], wall: Clock, canaries: Sequence[str]) -> None:
        self._outbox, self._cards, self._wall, self._canaries = outbox, cards, wall, tuple(canaries)
        self._minute = -1

    def keep(self, decisions: Sequence[Decided], now: int) -> None:
        """Keep all of it, or nothing. Units: microseconds since 1970 UTC. Raises: TemporaryError."""
        wall = self._wall.now()
        known = {one.alert.id for one in decisions}
        changed = [alert for alert in self._outbox.pending(_AT_ONCE) if alert.id not in known]
        since = [
            Decided(alert, self._cards.get(alert.rule) or unknown_card(alert.rule), NotifyReason(alert.status.value))
            for alert in changed
            if alert.status is not AlertStatus.OPEN
        ]
        self._outbox.decide([*decisions, *since], now, wall)
        if wall // MINUTE != self._minute:
            self._outbox.canary([canary(name, wall) for name in self._canaries], wall)
            self._minute = wall // MINUTE

    def steps_due(self, now: int) -> Sequence[Decided]:
        """Steps whose time has come. Units: microseconds since 1970 UTC."""
        return [
            Decided(
                alert,
                self._cards.get(alert.rule) or unknown_card(alert.rule),
                step.reason,
                to=frozenset(step.to),
                step=step.name,
                words=step.words,
            )
            for alert, step in self._outbox.steps_due(now, _AT_ONCE)
        ]

    def take_steps(self, decisions: Sequence[Decided], now: int) -> None:
        """Take these steps, each once. Units: microseconds since 1970 UTC. Raises: TemporaryError."""
        self._outbox.take_steps(decisions, now, self._wall.now())
