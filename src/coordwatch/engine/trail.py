"""The trail: what was raised, amended, made good and retracted on the way, when a history is read in order of arrival.

Events with their customers enter one by one, as a running engine would see them; each change leaves as a row. What
stands at the end is what `replay` finds at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coordwatch.context.reference import Reference
from coordwatch.engine.batch import Batch, Desk
from coordwatch.engine.folders import Folders
from coordwatch.engine.retention import FOREVER, Retention
from coordwatch.engine.state import CustomerState
from coordwatch.engine.step import Engine
from coordwatch.events.event import Event
from coordwatch.events.times import format_time
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.detection import Detection, DetectionChange
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.search import BEGINNING
from coordwatch.rules.spec import RuleSpec


class States(defaultdict[str, CustomerState]):
    """The state of every customer, made when it is first asked for."""

    def __missing__(self, customer: str) -> CustomerState:
        state = self[customer] = CustomerState(customer)
        return state


@dataclass(slots=True)
class Trail:
    """The running engine over a history in memory. Nothing is pruned; everything read is proven read."""

    desk: Desk
    clock: int = BEGINNING

    @classmethod
    def over(cls, specs: Sequence[RuleSpec]) -> "Trail":
        """A trail that has seen nothing yet."""
        plan = compile_rules(specs, display=True)
        return cls(Desk(Engine(plan), Folders(plan, Retention(lateness=FOREVER)), Reference(), States()))

    def take(self, event: Event, customer: str | None) -> list[DetectionChange]:
        """Take one event, let the clock run up to it, and give what changed."""
        changes = self.run_to(event.time)
        batch = self._batch()
        if event.type in self.desk.engine.plan.broadcast:
            _, readers = batch.insert_reference(event)
            for reader in readers:
                batch.review(reader, self.desk.reading_rules(event.type))
        if customer is not None:
            batch.insert(customer, event)
        return changes + batch.changes

    def run_to(self, clock: int) -> list[DetectionChange]:
        """Let the deadlines up to an instant pass."""
        if clock <= self.clock:
            return []
        self.clock = clock
        batch = self._batch()
        for customer, state in list(self.desk.states.items()):
            deadline = state.next_deadline()
            if deadline is not None and deadline <= clock:
                batch.due(customer)
        return batch.changes

    def standing(self) -> set[tuple[str, str, str, str, int]]:
        """What stands: (rule, act source, act id, outcome, at)."""
        return {
            (*name, entry.outcome.value, entry.at)
            for state in self.desk.states.values()
            for name, entry in state.entries.items()
            if entry.outcome in (Outcome.OPEN, Outcome.MADE_GOOD)
        }

    def _batch(self) -> Batch:
        return Batch(self.desk, lambda _: self.clock, self.clock)


def trail_rows(
    specs: Sequence[RuleSpec], events: Iterable[tuple[Event, str | None]], until: int | None
) -> Iterator[dict[str, Any]]:
    """Every change on the way, as rows with `change`, `reason` and the clock at which it was seen.

    Takes: events in order of arrival, each with its customer; `until` in microseconds since 1970 UTC
    """
    trail = Trail.over(specs)
    for event, customer in events:
        if until is None or event.time <= until:
            for change in trail.take(event, customer):
                yield change_row(change, trail.clock)
    if until is not None:
        for change in trail.run_to(until):
            yield change_row(change, trail.clock)


def change_row(change: DetectionChange, clock: int) -> dict[str, Any]:
    """One change as `coordwatch replay --trail` prints it."""
    row = detection_row(change.detection)
    row |= {"change": change.kind, "seen_at": format_time(clock)}
    if change.reason is not None:
        row["reason"] = change.reason.value
    return row


def detection_row(detection: Detection) -> dict[str, Any]:
    """One detection as `coordwatch replay` prints it."""
    act = detection.act
    return {
        "rule": detection.rule,
        "customer": detection.customer,
        "act": {"source": act.source, "id": act.id, "type": act.type, "time": format_time(act.time)},
        "at": format_time(detection.at),
        "evidence": [{"step": one.step, "source": one.source, "id": one.id} for one in detection.evidence],
        "status": detection.status.value,
    }
