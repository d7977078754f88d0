"""Asking: what is known of one customer, and why a rule fired, from the customer's snapshot as it was last committed.

A snapshot and what it is read with enter; views for pages leave. Nothing of the running stage is touched, so any thread
may ask. The next room: `worker`, which finds the snapshot.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from coordwatch.context.fact import Fact
from coordwatch.context.progress import Progress
from coordwatch.context.reference import Reference
from coordwatch.engine.state import CustomerState
from coordwatch.engine.views import choose_act, customer_view
from coordwatch.ports import CustomerView
from coordwatch.processor.feeding import waited_for, waiting_words
from coordwatch.rules.explain import explain
from coordwatch.rules.explanation import Explanation
from coordwatch.rules.plan import CompiledRule, Plan
from coordwatch.rules.search import View


@dataclass(frozen=True, slots=True)
class Known:
    """A customer's state as it was last committed, and what it is read with.

    `facts` gives the reference facts of a type; `warming` says of new rules until when their facts are not complete.
    """

    state: Callable[[], CustomerState]
    plan: Plan
    progress: Progress
    facts: Callable[[str], list[Fact]]
    warming: Mapping[str, int] = field(default_factory=dict)


def customer_known(known: Known, now: int) -> CustomerView | None:
    """What is known of a customer; None when nothing is.

    Units:  microseconds since 1970 UTC
    Raises: UnknownSnapshot when a newer program wrote the snapshot
    """
    state = known.state()
    if not state.journal.facts and not state.entries:
        return None
    view = View(state.journal.facts, state.customer, Reference())
    return customer_view(state, view, known.plan, lambda rule: waiting_words(known.progress, rule, now))


def explained(rule: CompiledRule, act: tuple[str, str] | None, at: int | None, known: Known, now: int) -> Explanation:
    """Why a rule did or did not fire for an act of a customer.

    Takes: `act` by source and id, or the act nearest to `at`, or the last one
    """
    state = known.state()
    view = View(state.journal.facts, state.customer, Reference(facts_read([rule], known)))
    proven = now if rule.expect is None else min(known.progress.proof(waited_for(rule.spec), now).through, now)
    return explain(rule, view, choose_act(rule, view, act, at), proven)


def facts_read(rules: Iterable[CompiledRule], known: Known) -> list[Fact]:
    """The reference facts of the types that rules read, in an index of their own: the stage's is not ours to change."""
    types = {take.type for rule in rules for given in rule.given for take in given.takes}
    return [fact for name in sorted(types) for fact in known.facts(name)]
