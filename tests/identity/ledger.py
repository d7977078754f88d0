"""A caller of the stage, as small as one can be: it files each event under its customer and follows every change."""

from coordwatch.events.event import Event
from coordwatch.identity.cross_reference import Change
from coordwatch.identity.identity import Identity
from coordwatch.identity.observation import Outcome

Name = tuple[str, str]


class Ledger:
    """Journals by customer; whatever has no customer waits in the parking of the stage, or is `lost`."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.journals: dict[str, dict[Name, Event]] = {}
        self.ids: dict[Name, tuple[str, ...]] = {}
        self.lost: dict[Name, Event] = {}

    def observe(self, event: Event) -> None:
        seen = self.identity.observe(event)
        self._follow(seen.change)
        if seen.customer is not None:
            self._file(event, seen.ids, seen.customer)
        elif seen.outcome is not Outcome.PARKED:
            self.lost[event.source, event.id] = event
        for released in seen.released:
            self._file(released.event, released.ids, released.customer)

    def exclude(self, one: str, other: str) -> None:
        done = self.identity.exclude(one, other)
        self._follow(done.change)
        for released in done.released:
            self._file(released.event, released.ids, released.customer)

    def customers(self) -> dict[Name, str]:
        """Give the customer of each event that has one."""
        filed = [(name, customer) for customer, journal in self.journals.items() for name in journal]
        assert len(filed) == len(dict(filed)), "one event in two journals"
        return dict(filed)

    def _file(self, event: Event, ids: tuple[str, ...], customer: str) -> None:
        self.journals.setdefault(customer, {})[event.source, event.id] = event
        self.ids[event.source, event.id] = ids

    def _follow(self, change: Change) -> None:
        for old, new in change.aliases:
            self.journals.setdefault(new, {}).update(self.journals.pop(old, {}))
        assert not {alias.old for alias in change.aliases} & {*change.divided, *(alias.new for alias in change.aliases)}
        for customer in change.divided:
            for name, event in list(self.journals.get(customer, {}).items()):
                now = self.identity.customer_of_ids(self.ids[name])
                if now != customer:
                    del self.journals[customer][name]
                    if now is None:
                        self.identity.park(event)
                    else:
                        self._file(event, self.ids[name], now)
