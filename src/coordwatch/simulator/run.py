"""The simulation as a whole: begins the stories and gives what the log takes, in order.

What enters: a SimulationConfig, or a seed for a shop that never closes. What leaves: SimRecords and Labels.
The next room: `sources`, as if the records came from a company; `score` for the labels.
"""

from collections.abc import Iterator
from random import Random

from coordwatch.simulator.config import START, SimulationConfig
from coordwatch.simulator.director import director
from coordwatch.simulator.labels import Label
from coordwatch.simulator.post import SimRecord
from coordwatch.simulator.stage import BRISK, CALM, Pace, Stage
from coordwatch.simulator.stories.marketing import scheduler, stores
from coordwatch.simulator.stories.visits import life
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.tools.services import WAREHOUSE
from coordwatch.simulator.world import draw_world

LIVE_CUSTOMERS = 60


class Simulation:
    """Records in the order in which the log takes them; once they are all read, `labels` is complete."""

    def __init__(self, config: SimulationConfig, pace: Pace = CALM) -> None:
        self.config = config
        random = Random(config.seed)
        self._stage = Stage(draw_world(config.customers, random), random, config.start, pace)
        self._records = self._until_end()
        _begin(self._stage)
        self._stage.begin(_closing_time(self._stage), config.end - config.start)

    def __iter__(self) -> Iterator[SimRecord]:
        return self._records

    def __next__(self) -> SimRecord:
        return next(self._records)

    @property
    def labels(self) -> list[Label]:
        """The truth about every act until the end of the simulation; deadlines after it are not decided yet."""
        return [label for label in self._stage.narrator.labels if label.at <= self.config.end]

    def _until_end(self) -> Iterator[SimRecord]:
        stage = self._stage
        while (moment := stage.timeline.next_at()) is not None and moment <= self.config.end:
            yield from stage.post.arrived(moment)
            stage.timeline.step()
        yield from stage.post.arrived(None)


def simulate(config: SimulationConfig) -> Simulation:
    """Tell the shop's days: an iterator of records, and the labels when it is read to the end."""
    return Simulation(config)


def live(seed: int, start: int = START, customers: int = LIVE_CUSTOMERS) -> Iterator[SimRecord]:
    """Tell a busy shop that never closes; something goes wrong in each of the ten ways within its first ten hours.

    Units: `start` in microseconds since 1970 UTC
    """
    random = Random(seed)
    stage = Stage(draw_world(customers, random), random, start, BRISK)
    _begin(stage)
    stage.begin(director(stage))
    while (moment := stage.timeline.next_at()) is not None:
        yield from stage.post.arrived(moment)
        stage.timeline.step()
        stage.narrator.labels.clear()


def _begin(stage: Stage) -> None:
    stage.begin(stores(stage))
    stage.begin(scheduler(stage))
    for person in stage.world.people:
        stage.begin(life(stage, person))


def _closing_time(stage: Stage) -> Story:
    """Count the stock of the depot at the very end, so that the last event shows how far the days went."""
    stage.publish(
        stage.services.says(
            WAREHOUSE, stage.now, "inventory.level.changed", None, item="COUNTED", location="depot", available=1
        )
    )
    yield from ()
