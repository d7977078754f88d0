"""The desk where people act on alerts, and the read side for pages and the API.

What enters: nothing.
What leaves: Protocols; what a list can be filtered and sorted by.
The next room: the adapters, which implement them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from coordwatch.alerts.alert import Order
from coordwatch.alerts.once import Answers, Once
from coordwatch.alerts.silence import Draft, Silence
from coordwatch.alerts.waking import Condition
from coordwatch.ports.stores import DeadLetter
from coordwatch.ports.views import AlertRow, AlertView, CustomerRow, DecidedRepair, PairCount, RuleCounts, ToolCount

ALERT_FILTERS = (
    "status", "severity", "rule", "tool", "act_tool", "evidence_tool", "attribution", "campaign", "customer", "incident", "since", "q",
)  # fmt: skip
ALERT_SORTS = ("newest", "oldest", "severity", "gap", "count")


class AlertDesk(Answers, Protocol):
    """Where people act on alerts."""

    def act(self, alert_id: str, order: Order, once: Once | None = None) -> AlertRow | None:
        """Do what a person asks, `once`, and give the alert after it; None when there is no such alert.

        Raises: VersionConflict when it moved on, ActionRefused when its status forbids it, KeyReused, TemporaryError
        """
        ...

    def conditions(self, alert_id: str) -> list[Condition]:
        """What the snooze of an alert can wait for, beside a time."""
        ...


class AlertReader(Protocol):
    """Read side for pages and the API."""

    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> tuple[list[AlertRow], str | None]:
        """A page of alerts, newest first, and the cursor of the next page.

        Takes: filters from ALERT_FILTERS, all of which must hold; `status` and `severity` may list several values with
               commas; `tool` is either side; `since` is microseconds since 1970 UTC against `at`; `q` is text anywhere
               in the sentence, the customer or the rule; and `sort`, one of ALERT_SORTS
        """
        ...

    def customers(self, limit: int, after: tuple[int, int, str] | None = None) -> list[CustomerRow]:
        """The customers with the most open alerts, most first, those after one by its (open, last_at, key)."""
        ...

    def alert(self, alert_id: str) -> AlertView | None:
        """One alert, None when there is none."""
        ...

    def alert_totals(self) -> Mapping[str, int]:
        """How many alerts there are by status and by severity."""
        ...

    def customer_alerts(self, customer: str) -> list[AlertRow]:
        """The alerts of one customer, newest first."""
        ...

    def customer_repairs(self, customer: str) -> list[DecidedRepair]:
        """What people decided about one customer in incidents, oldest first."""
        ...

    def rule_counts(self) -> list[RuleCounts]:
        """The ledger by rule."""
        ...

    def pair_counts(self) -> list[PairCount]:
        """The ledger by tool pair."""
        ...

    def tool_counts(self) -> list[ToolCount]:
        """The ledger by rule, tool pair and kind."""
        ...

    def dead_letters(self, limit: int, after: tuple[int, str] | None = None) -> list[DeadLetter]:
        """The newest dead letters, those after one by its (at, id)."""
        ...

    def tallies(self) -> Mapping[str, int]:
        """Named counters that survive restarts (accounting identity, identity stage)."""
        ...


class SilenceDesk(Protocol):
    """Where people make, change and end silences. Units: `now` in microseconds since 1970 UTC."""

    def silences(self, now: int) -> list[Silence]:
        """Every silence that is kept, those that are active first."""
        ...

    def silence(self, silence_id: str) -> Silence | None:
        """One silence, None when there is none."""
        ...

    def create(self, draft: Draft, actor: str, now: int, once: Once | None = None) -> Silence:
        """Make a silence, `once`. Raises: BadSilence, BadMatcher, KeyReused, TemporaryError."""
        ...

    def change(self, silence_id: str, draft: Draft, actor: str, now: int, version: int | None) -> Silence | None:
        """Change a silence; None when there is none.

        Raises: VersionConflict, ActionRefused when it has expired, BadSilence, BadMatcher, TemporaryError
        """
        ...

    def expire(self, silence_id: str, actor: str, now: int, version: int | None) -> Silence | None:
        """End a silence; what it held back is asked about again.

        Raises: VersionConflict, ActionRefused when it has expired, TemporaryError
        """
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A snoozed alert that waits for something, and the customers whose facts may hold it."""

    alert: str
    customers: tuple[str, ...]
    condition: Condition


class Waking(Protocol):
    """Where snoozes end because what they waited for has come."""

    def waiting(self) -> list[Waiting]:
        """Snoozed alerts that wait for something."""
        ...

    def wake(self, alert_id: str, condition: Condition, now: int) -> bool:
        """End the snooze of an alert that still waits for this; whether it did. Raises: TemporaryError."""
        ...
