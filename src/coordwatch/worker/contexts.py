"""Contexts: what is known of a customer, wherever it is kept: in this process, or in a row on the brokers.

What enters: questions of pages and the API, from any thread.
What leaves: views, or a plain sentence that says where the answer is.
The next room: `app`, which hands these to both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.adapters.paging import BadQuery
from coordwatch.clock import Clock
from coordwatch.context.progress import Progress, SourceProgress
from coordwatch.engine.folders import Folders
from coordwatch.engine.retention import derive
from coordwatch.engine.state import CustomerState, event_of
from coordwatch.errors import CoordwatchError, Elsewhere
from coordwatch.events.event import Event, event_with
from coordwatch.ports import CustomerView, ExplainStep
from coordwatch.processor.asking import Known, customer_known, explained
from coordwatch.processor.checking import Checked, checked
from coordwatch.processor.detecting.rows import BOOK, customer_key, state_of
from coordwatch.processor.topics import Topics
from coordwatch.rules.explanation import Explanation
from coordwatch.rules.plan import CompiledRule, Plan
from coordwatch.worker.sureness import Sureness


class States(Protocol):
    """The stage `detect` of this process."""

    @property
    def plan(self) -> Plan:
        """The rules that judge here."""
        ...

    @property
    def warming(self) -> Mapping[str, int]:
        """The rules whose facts are not complete yet, and until when."""
        ...

    def known(self, partition: int, customer: str) -> Known | None:
        """A customer as last committed, None when the partition is not held here."""
        ...


class Rows(Protocol):
    """Rows of the state on the brokers."""

    def rows(self, partition: int, wanted: Callable[[bytes], bool]) -> Mapping[bytes, bytes]:
        """The rows as they stand now whose keys are wanted. Blocks. Raises: Elsewhere when it takes too long."""
        ...


class Names(Protocol):
    """Who an old customer key is now."""

    def customer_now(self, key: str) -> str:
        """The key under which a customer is kept now."""
        ...

    def former_keys(self, customer: str) -> Sequence[str]:
        """The keys that a customer had before."""
        ...


@dataclass(frozen=True, slots=True)
class Away:
    """What is used where the partition is not held here: rows on the brokers, and how far the ledger says inputs are read."""

    rows: Rows
    plan: Plan
    sources: Callable[[], Sequence[SourceProgress]]


@dataclass(frozen=True, slots=True)
class Contexts:
    """Answers from the stage of this process where it holds the partition, else from the brokers."""

    topics: Topics
    clock: Clock
    names: Names
    here: States | None
    away: Away
    sure: Sureness | None = None

    def customer(self, key: str) -> CustomerView | None:
        """What is known of a customer, under the key that it has now; None when nothing is. Raises: Elsewhere."""
        view = self._view(self._known(key))
        now = self.names.customer_now(key)
        if view is None and now != key:
            key = now
            view = self._view(self._known(key))
        return None if view is None else replace(view, aliases=tuple(self.names.former_keys(key)))

    def at_hand(self, key: str) -> CustomerView | None:
        """The same if it is kept in this process, else None: an alert's page does without rather than wait."""
        known = self._here(key)
        return None if known is None else self._view(known)

    def explain(self, rule: str, customer: str, act: tuple[str, str] | None, at: int | None) -> Explanation | None:
        """Why a rule did or did not fire; None when there is no such rule. Raises: Elsewhere."""
        compiled = self._rule(rule)
        if compiled is None:
            return None
        known = self._here(customer)
        if known is None:
            if compiled.given:
                raise Elsewhere(
                    f"the rule '{rule}' reads facts that are kept by the worker which judges this customer "
                    f"({self._where(customer)}); ask a worker that has the role detect and holds it",
                )
            known = self._away(customer)
        return explained(compiled, act, at, known, self.clock.now())

    def check(self, act: Event) -> Checked:
        """Whether an act may be done to the customer that it names by key.

        Raises: Elsewhere, at once, when another worker keeps the customer; BadQuery when the act names no key
        """
        if not act.subject:
            raise BadQuery(
                "subject", "beside Kafka a customer is named by the key that alerts show: send it as 'subject'"
            )
        customer = self.names.customer_now(act.subject)
        known = self._here(customer)
        if known is None:
            raise Elsewhere(
                f"this customer is kept by the worker that holds {self._where(customer)}: ask that one, it has the role detect"
            )
        data = {name: value for name, value in act.data.items() if name != "identifiers"}
        return checked(known, customer, event_with(act, subject=customer, data=data), self.clock.now())

    def steps(self, rule: str, customer: str, act: tuple[str, str]) -> Sequence[ExplainStep]:
        """The steps for a page, which explains from the detection when there are none at hand."""
        compiled, known = self._rule(rule), self._here(customer)
        if compiled is None or known is None:
            return ()
        try:
            return explained(compiled, act, None, known, self.clock.now()).steps
        except CoordwatchError:
            return ()

    @property
    def warming(self) -> Mapping[str, int]:
        """The rules whose facts are not complete yet in this process, and until when."""
        return {} if self.here is None else self.here.warming

    def _view(self, known: Known) -> CustomerView | None:
        view = customer_known(known, self.clock.now())
        if view is None or self.sure is None:
            return view
        return replace(view, confidence=self.sure.of(map(event_of, known.state().journal.facts)))

    def _rule(self, name: str) -> CompiledRule | None:
        return next((rule for rule in self.away.plan.rules if rule.id == name), None)

    def _known(self, customer: str) -> Known:
        return self._here(customer) or self._away(customer)

    def _here(self, customer: str) -> Known | None:
        return None if self.here is None else self.here.known(self._partition(customer), customer)

    def _away(self, customer: str) -> Known:
        away, mine = self.away, customer_key(customer)
        found = away.rows.rows(self._partition(customer), lambda key: key == mine or key.startswith(BOOK))

        def state() -> CustomerState:
            return state_of(customer, found, lambda books: Folders(away.plan, derive(away.plan), books))

        return Known(state, away.plan, Progress(away.sources()), lambda _: [])

    def _partition(self, customer: str) -> int:
        return partition_of(customer.encode(), self.topics.partitions)

    def _where(self, customer: str) -> str:
        return f"partition {self._partition(customer)} of {self.topics.events}"
