"""The stage: everything a story needs to act, to wait and to leave things to chance.

What enters: a world and a seed. What leaves: nothing; stories use it. The next room: `stories`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from coordwatch.events.event import Event
from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.narrator import Narrator
from coordwatch.simulator.post import Draft, Post
from coordwatch.simulator.timeline import Story, Timeline
from coordwatch.simulator.tools.services import Services
from coordwatch.simulator.tools.shopify import Shop
from coordwatch.simulator.tools.zendesk import Desk
from coordwatch.simulator.world import World

T = TypeVar("T")
# How busy an hour of the day is (UTC), against the busiest: calm nights, a peak before noon and one in the evening.
_BUSY = (
    0.15,
    0.12,
    0.12,
    0.15,
    0.25,
    0.4,
    0.6,
    0.75,
    0.9,
    1.0,
    0.95,
    0.8,
    0.7,
    0.7,
    0.75,
    0.8,
    0.9,
    1.0,
    0.95,
    0.85,
    0.7,
    0.5,
    0.35,
    0.2,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast life goes in this shop. Units: spans in minutes, `visits` the mean hours between visits."""

    visits: float
    packing: tuple[int, int]
    transport: tuple[int, int]
    handling: tuple[int, int]
    refund_due: tuple[int, int]
    second_look: tuple[int, int]
    campaign_share: tuple[float, float]


CALM = Pace(60.0, (120, 900), (600, 3600), (240, 3000), (1440, 5760), (30, 2400), (0.1, 0.4))
BRISK = Pace(7.0, (10, 60), (60, 300), (120, 700), (90, 240), (30, 400), (0.15, 0.35))


class Stage:
    """What stories have in common; one thing of everything.

    Units: `now` in microseconds since 1970 UTC, always a whole second
    """

    def __init__(self, world: World, random: Random, start: int, pace: Pace) -> None:
        self.world = world
        self.random = random
        self.pace = pace
        self.timeline = Timeline(start)
        self.post = Post(random)
        self.narrator = Narrator(world)
        self.mint = Mint(random)
        self.desk = Desk(self.mint)
        self.shop = Shop(self.mint, world.items)
        self.services = Services(self.mint)

    @property
    def now(self) -> int:
        """The instant it is."""
        return self.timeline.now

    def begin(self, story: Story, after: int = 0) -> None:
        """Let a story begin beside the one that is telling. Units: `after` in microseconds."""
        self.timeline.begin(story, after)

    def publish(self, draft: Draft, late: int = 0, twice: bool = False) -> Event:
        """Let a tool publish; give the first Event it means. Units: `late` in microseconds."""
        self.post.send(replace(draft, late=late, twice=twice), self.now + SECOND)
        return draft.events[0]

    def minutes(self, low: float, high: float) -> int:
        """Draw a wait, in whole seconds. Takes: minutes. Units: microseconds."""
        return self.random.randint(round(low * 60), round(high * 60)) * SECOND

    def span(self, span: tuple[int, int]) -> int:
        """Draw a wait that is mostly short and sometimes long. Takes: minutes. Units: microseconds."""
        low, high = span
        share = self.random.random() ** 2
        return round((low + share * (high - low)) * 60) * SECOND

    def chance(self, share: float) -> bool:
        """Draw whether something happens that happens in this share of cases."""
        return self.random.random() < share

    def one_of(self, weights: Sequence[tuple[T, float]]) -> T:
        """Draw one of several things by weight."""
        things, shares = zip(*weights, strict=True)
        drawn: T = self.random.choices(things, shares)[0]
        return drawn

    def next_visit(self, weight: float) -> int:
        """Draw how long a customer stays away; nights are calm. Units: microseconds."""
        rate = weight / (self.pace.visits * HOUR)
        moment = self.now
        for _ in range(200):
            moment += math.ceil(self.random.expovariate(rate) / SECOND) * SECOND
            if self.random.random() < _BUSY[moment % DAY // HOUR]:
                break
        return moment - self.now

    def until_next_hour(self) -> int:
        """Give the wait until the next full hour. Units: microseconds."""
        return HOUR - self.now % HOUR


def minutes(count: float) -> int:
    """Give a number of minutes in microseconds, as whole seconds."""
    return round(count * 60) * (MINUTE // 60)
