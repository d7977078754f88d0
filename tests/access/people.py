"""A gate over a database, with a clock that is moved by hand and passwords that are hashed with the least effort.

What enters: a store. What leaves: a gate, what keeps accounts, and everybody's passwords.
The next room: the tests of signing in.
"""

import itertools
from dataclasses import dataclass, field

from argon2 import PasswordHasher

from coordwatch.access.gate import Gate
from coordwatch.access.keeping import Keeping
from coordwatch.access.roles import Role
from coordwatch.adapters.passwords import Argon2Passwords
from coordwatch.adapters.sql.database import Database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.access import AtTheDoor
from coordwatch.app.pace import Pace
from coordwatch.clock import ManualClock
from tests.build import NOW

PASSWORD = "kettle-moss-orbit-seven"
PASSWORDS = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class House:
    """A site whose people sign in."""

    store: SqlStore
    gate: Gate
    keeping: Keeping
    clock: ManualClock
    door: AtTheDoor

    @property
    def now(self) -> int:
        return self.clock.now()

    def later(self, by: int) -> int:
        self.clock.move_to(self.clock.now() + by)
        return self.clock.now()

    def deeds(self) -> list[tuple[str, str, str]]:
        """What was written down, in order."""
        return [(link.actor, link.kind, link.subject) for link in self.store.trail().links()]


@dataclass
class Secrets:
    """Secrets that are no secret, each once."""

    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __call__(self) -> str:
        return f"secret-{next(self.numbers):04d}-that-nobody-guesses"


def a_house(place: Database, calls: int = 1200, *, furnish: bool = True) -> House:
    """A site with one local account of each role: viewer, operator, privacy, admin; or as the database is."""
    store = SqlStore(place, {}, durable=False)
    clock, secret = ManualClock(NOW), Secrets()
    gate = Gate(store.accounts(), PASSWORDS, store.trail(), secret)
    keeping = Keeping(store.accounts(), PASSWORDS, store.trail(), secret, "root (command line)")
    for role in Role if furnish else ():
        keeping.add(role.value, role, PASSWORD, NOW)
    return House(store, gate, keeping, clock, AtTheDoor(gate, clock, Pace(calls)))
