"""What a simulation is asked for.

What enters: numbers. What leaves: a SimulationConfig. The next room: `run`.
"""

from dataclasses import dataclass

from coordwatch.events.times import DAY, parse_time

# A Monday, eight in the morning in Paris: the shop opens.
START = parse_time("2026-06-01T06:00:00Z")


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """How many customers for how many days, from when, and the seed that decides everything else.

    Units: `start` in microseconds since 1970 UTC
    """

    customers: int = 200
    days: int = 7
    seed: int = 1
    start: int = START

    @property
    def end(self) -> int:
        """The instant after which nothing happens. Units: microseconds since 1970 UTC."""
        return self.start + self.days * DAY
