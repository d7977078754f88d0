"""Kept at the door: events of people who were forgotten, and events that say to forget somebody, as ingest meets them.

What enters: an event, and the records that say who is kept away. What leaves: what of it may go further, entries for what
such an event names, and requests to the owners of whoever is to be forgotten. The next room: `ingesting`.
"""

from collections import Counter

from coordwatch.events.event import Event
from coordwatch.identity.hops.routing import Router
from coordwatch.identity.kept_away import KeptAway
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor.forgetting import (
    ERASED,
    FORGOTTEN,
    away_output,
    forget_customer,
    forget_nodes,
    read_away,
)
from coordwatch.processor.mapping import tally
from coordwatch.processor.records import ResultStatus
from coordwatch.processor.stage import Output, Slice
from coordwatch.processor.topics import Topics


class KeptAtTheDoor:
    """Everybody who is kept away, as far as the broadcast says."""

    def __init__(self, topics: Topics, policy: IdentityPolicy, router: Router) -> None:
        self._topics, self._kept, self._router = topics, KeptAway(policy), router

    def hear(self, records: Slice) -> None:
        """Learn who is kept away, and who no longer is."""
        for key, value in zip(records.keys, records.values, strict=True):
            heard = read_away(key, value)
            if heard is None:
                continue
            entry, away = heard
            if away is None:
                self._kept.entries.pop(entry, None)
            else:
                self._kept.entries[entry] = away.at

    def pass_on(self, event: Event, tallies: Counter[str], now: int) -> tuple[Event | None, list[Output]]:
        """What of an event goes further (None: nothing), and what is sent instead."""
        topics, kept = self._topics, self._kept
        if event.type != ERASED and not kept.entries:
            return event, []
        admitted, widened = kept.admit(event)
        if admitted is None:
            tally(tallies, ResultStatus.DROPPED.value, reasons=[FORGOTTEN])
            return None, [away_output(topics, entry, now) for entry in kept.add(widened, now)]
        if event.type != ERASED:
            return admitted, []
        tally(tallies, ResultStatus.APPLIED.value)
        route, (persons, _) = self._router.route(event), kept.names_of(event)
        outputs = [away_output(topics, entry, now) for entry in kept.add(persons, now)]
        if route.customer is not None:
            outputs.append(forget_customer(topics, route.customer))
        return None, outputs + forget_nodes(topics, route.persons)
