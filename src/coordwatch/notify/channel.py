"""Channels: where people are told, which alerts they take there, and how many messages a minute they can bear.

What enters: what the settings say of a channel.
What leaves: a Channel; whether it takes the alerts of a rule.
The next room: `pace`, which folds storms. A fuller routing (business hours, escalation) has its place in `takers`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from coordwatch.alerts.card import RuleCard
from coordwatch.events.times import MINUTE, SECOND


class ChannelKind(StrEnum):
    """How a channel is spoken to."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    ALERTMANAGER = "alertmanager"
    WEBHOOK = "webhook"
    EMAIL = "email"
    APPRISE = "apprise"
    CANARY = "canary"


# What can be changed once it was said: told again under the same key, or edited.
CHANGEABLE = frozenset({ChannelKind.SLACK, ChannelKind.PAGERDUTY, ChannelKind.ALERTMANAGER, ChannelKind.WEBHOOK})


@dataclass(frozen=True, slots=True)
class Match:
    """Which alerts a channel takes; an empty set takes all."""

    severity: frozenset[str] = frozenset()
    owner: frozenset[str] = frozenset()
    rule: frozenset[str] = frozenset()
    tag: frozenset[str] = frozenset()

    def takes(self, card: RuleCard) -> bool:
        """Whether every condition holds of a rule; of the tags one is enough."""
        return (
            (not self.severity or card.severity.value in self.severity)
            and (not self.owner or card.owner in self.owner)
            and (not self.rule or card.id in self.rule)
            and (not self.tag or not self.tag.isdisjoint(card.tags))
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How many alerts are told one by one in `per`; what comes beyond is gathered for `gather` and told as one.

    While a storm goes on each gathering lasts twice as long as the one before, at most `gather_most`. Units: microseconds
    """

    singles: int = 10
    per: int = MINUTE
    gather: int = 10 * SECOND
    gather_most: int = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Channel:
    """One place where people are told. `resend` repeats what stands, for receivers that forget. Units: microseconds."""

    name: str
    kind: ChannelKind
    match: Match = field(default_factory=Match)
    pace: Pace = field(default_factory=Pace)
    resend: int | None = None

    @property
    def changes(self) -> bool:
        """Whether what was said is changed when the alert changes."""
        return self.kind in CHANGEABLE


def takers(channels: Iterable[Channel], card: RuleCard) -> list[Channel]:
    """The channels that are told of the alerts of a rule."""
    return [one for one in channels if one.match.takes(card)]
