"""Kept away: who was forgotten, remembered only well enough to leave aside what still comes about them.

What enters: the names of somebody who is forgotten: digests and customer keys. What leaves: entries from which nothing leads
back to anybody; and, for an event, what of it may come in.
The next room: `processor`, which asks before identity learns anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from coordwatch.events.event import Event
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.policy import SUBJECT, IdentityMode, IdentityPolicy
from coordwatch.identity.reading import Reader


class Admission(NamedTuple):
    """What may come in of an event (None: nothing), and what is kept away from now on because it names it."""

    event: Event | None
    widened: Sequence[str] = ()


class KeptAway:
    """The entries, by name, with when each was made. Units: microseconds since 1970 UTC."""

    def __init__(self, policy: IdentityPolicy, entries: Mapping[str, int] | None = None) -> None:
        self._digester, self._reader = policy.digester, Reader(policy)
        self._trusts = policy.mode is IdentityMode.TRUSTED_ID
        self.entries: dict[str, int] = dict(entries or {})

    def __bool__(self) -> bool:
        return bool(self.entries)

    def holds(self, name: str) -> bool:
        """Say whether a digest or a customer key is of somebody who was forgotten."""
        return bool(self.entries) and any(one in self.entries for one in self._digester.every_kept_away(name))

    def add(self, names: Iterable[str], now: int) -> list[str]:
        """Keep away whoever has one of these names; give the entries that are new."""
        fresh = [one for name in names if (one := self._digester.kept_away(name)) not in self.entries]
        self.entries.update(dict.fromkeys(fresh, now))
        return fresh

    def lift(self, names: Iterable[str]) -> list[str]:
        """Take entries away again, because the person came back; give those that are gone."""
        gone = [one for name in names for one in self._digester.every_kept_away(name) if one in self.entries]
        for one in gone:
            self.entries.pop(one, None)
        return gone

    def expire(self, before: int) -> list[str]:
        """Drop the entries that were made before an instant."""
        gone = [one for one, at in self.entries.items() if at < before]
        for one in gone:
            del self.entries[one]
        return gone

    def names_of(self, event: Event) -> tuple[list[str], list[str]]:
        """Give every name of the persons that an event names, and of the things."""
        persons = [event.subject] if event.subject else []
        things: list[str] = []
        for one in self._reader.read(event).named:
            kind = things if one.kind.rank.id_class is IdClass.REF else persons
            kind += [one.digest.removeprefix(f"{SUBJECT}:"), *self._reader.aliases(one)]
        return [*persons, *(self._reader.trusted(event) if self._trusts else ())], things

    def admit(self, event: Event) -> Admission:
        """Give what may come in of an event.

        Of one that names a person who is kept away, nothing. Of one that names other persons only, all but the things that
        are kept away: who shares an order with somebody forgotten loses the order, not the event. Of one that names
        things alone, nothing if one of them is kept away. Only what names the person widens what is kept away, so that a
        thing which several people share takes nobody else with it.
        """
        if not self.entries:
            return Admission(event)
        persons, things = self.names_of(event)
        if any(map(self.holds, persons)):
            return Admission(None, things)
        if not any(map(self.holds, things)):
            return Admission(event)
        return Admission(self._reader.without(event, self.holds) if persons else None)
