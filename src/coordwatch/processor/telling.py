"""Telling: of each alert that nobody decided on yet, whether somebody is told; the same for every runtime.

A store of alerts and what is proven read enter; told notifications and kept reasons leave. The runtimes are the next room.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.labels import labels_of
from coordwatch.notify.decide import Hold, Notification, NotifyPolicy, decide, notification
from coordwatch.notify.plan import Decided
from coordwatch.notify.route import Route, routed

Proven = Callable[[Iterable[str], int], int]
_AT_ONCE = 1000


class Alerting(Protocol):
    """What becomes of alerts, as a store keeps it."""

    def wake_snoozed(self, now: int) -> list[AlertChange]:
        """Open the alerts whose snooze has ended."""
        ...

    def undecided(self, limit: int) -> list[Alert]:
        """Alerts of which nobody has decided yet whether somebody is told."""
        ...

    def decided(self, reasons: Mapping[str, str]) -> None:
        """Keep what was decided."""
        ...


class Deciding(Protocol):
    """Where decisions are kept together with the messages that follow from them."""

    def keep(self, decisions: Sequence[Decided], now: int) -> None:
        """Keep all of it, or nothing. Units: microseconds since 1970 UTC."""
        ...

    def steps_due(self, now: int) -> Sequence[Decided]:
        """Steps whose time has come: somebody else is told, since nobody has looked, or since their hours have begun."""
        ...

    def take_steps(self, decisions: Sequence[Decided], now: int) -> None:
        """Take these steps, each once, where the alert is still open; what is held back is asked about again later."""
        ...


class Holding(Protocol):
    """What holds alerts back: silences, other alerts, maintenance, an incident that somebody looks at."""

    def prepare(self, now: int) -> None:
        """Have it decided anew where a hold has ended, and every alert placed where it belongs."""
        ...

    def holds(self, about: Sequence[tuple[Alert, RuleCard]], now: int) -> Mapping[str, Hold]:
        """By alert what holds it back."""
        ...


@dataclass(frozen=True, slots=True)
class Telling:
    """Whom a runtime tells of alerts, how long it may wait before, and who notes now and then what time it is.

    With `deciding` the decisions are kept there, with what is to be sent; without, in the store alone. `holding` knows what
    holds alerts back.
    """

    cards: Mapping[str, RuleCard]
    tell: Callable[[Notification], None]
    policy: NotifyPolicy
    note: Callable[[int], None]
    deciding: Deciding | None = None
    holding: Holding | None = None
    routing: Route | None = None

    def chores(self, store: Alerting, proven: Proven, now: int) -> None:
        """What is done now and then: wake what slept long enough, decide who is told, note the time.

        What is told is kept after the telling, so that it happens at least once.

        Takes:  `proven`, up to when the sources of some event types are read
        Units:  microseconds since 1970 UTC
        Raises: TemporaryError when the store refused; whoever was told already is told again then
        """
        store.wake_snoozed(now)
        if self.holding is not None:
            self.holding.prepare(now)
        decisions = self._held(self._decisions(store, proven, now), now)
        for one in decisions:
            if one.reason.tells:
                self.tell(notification(one.alert, one.card, one.reason))
        if self.deciding is None:
            store.decided({one.alert.id: one.reason.value for one in decisions})
        else:
            self.deciding.keep([self._routed(one, now) for one in decisions], now)
            self.deciding.take_steps(self._held(self.deciding.steps_due(now), now), now)
        self.note(now)

    def _decisions(self, store: Alerting, proven: Proven, now: int) -> list[Decided]:
        decisions: list[Decided] = []
        for alert in store.undecided(_AT_ONCE):
            card = self.cards.get(alert.rule) or unknown_card(alert.rule)
            reason = decide(alert, card, proven(card.cancelling, now) if card.cancelling else now, now, self.policy)
            if not reason.waits:
                decisions.append(Decided(alert, card, reason))
        return decisions

    def _held(self, decisions: Sequence[Decided], now: int) -> list[Decided]:
        """The same, where what holds an alert back is the reason that nobody is told."""
        if self.holding is None:
            return list(decisions)
        holds = self.holding.holds([(one.alert, one.card) for one in decisions if one.reason.tells], now)
        return [
            one if (hold := holds.get(one.alert.id)) is None else replace(one, reason=hold.reason, hold=hold)
            for one in decisions
        ]

    def _routed(self, one: Decided, now: int) -> Decided:
        """The same with the channels that it goes to; all of its ways may be shut at this hour."""
        if self.routing is None or not one.reason.tells:
            return one
        found = routed(self.routing, labels_of(one.alert, one.card), now)
        if found.hold is not None:
            return replace(one, reason=found.hold.reason, hold=found.hold)
        return replace(one, to=found.to, steps=found.steps, words=found.words, groups=found.groups)
