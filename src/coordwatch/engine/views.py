"""Views of a customer: the journal, the states and what is still due, as plain data for pages, the API and commands.

A customer's state enters; data ready to be printed leaves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE, Fact
from coordwatch.engine.state import CustomerState, fact_data, tool_of
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.keys import Bound
from coordwatch.rules.plan import CompiledRule, Plan
from coordwatch.rules.search import View, search_for
from coordwatch.rules.shown import SUBJECT
from coordwatch.rules.states import NEVER

HIDDEN = (SUBJECT, "identifiers", "tool")


@dataclass(frozen=True, slots=True)
class FactView:
    """One event that a customer's journal keeps, with its kept fields. Units: microseconds since 1970 UTC."""

    source: str
    id: str
    type: str
    time: int
    observed_at: int
    tool: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateView:
    """One episode of a rule's state: `key` says of what (`case K-1042`), `opened` is (source, id) of the event that began it.

    `ended_at` None: it is still open. Units: instants in microseconds since 1970 UTC
    """

    rule: str
    step: str
    key: str
    opened: tuple[str, str]
    began_at: int
    ended_at: int | None = None
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingView:
    """An act whose expected event is still due: `verdict` is pending, not_yet_provable or blind, `why` says it in words."""

    rule: str
    act: tuple[str, str]
    act_type: str
    deadline: int
    verdict: str = "pending"
    why: str = ""


@dataclass(frozen=True, slots=True)
class CustomerView:
    """What is known about one customer: the journal's facts in order, the states, and what is still due.

    `truncated` names event types of which older facts were let go, `warming` rules whose facts are not complete yet;
    `confidence` says how sure it is, at the least sure event, that all of this is one person's (high, medium, low), empty
    where identity is not at hand.
    """

    key: str
    facts: Sequence[FactView] = ()
    states: Sequence[StateView] = ()
    waiting: Sequence[WaitingView] = ()
    truncated: Sequence[str] = ()
    warming: Sequence[str] = ()
    aliases: Sequence[str] = ()
    too_late: int = 0
    confidence: str = ""


def choose_act(rule: CompiledRule, view: View, act: tuple[str, str] | None, at: int | None) -> Fact | None:
    """The act of a rule by its identity, or the one nearest to an instant, or the last one."""
    acts = view.of(rule.act.bits)
    if act is not None:
        return next((fact for fact in acts if (fact[SOURCE], fact[ID]) == act), None)
    if at is not None:
        return min(acts, key=lambda fact: abs(fact[TIME] - at), default=None)
    return acts[-1] if acts else None


def fact_view(fact: Fact) -> FactView:
    """A kept fact as a page shows it."""
    data = {name: value for name, value in fact_data(fact).items() if name not in HIDDEN}
    return FactView(fact[SOURCE], fact[ID], fact[TYPE], fact[TIME], fact[OBSERVED], tool_of(fact) or None, data)


def customer_view(
    state: CustomerState, view: View, plan: Plan, waits: Callable[[CompiledRule], tuple[int, str, str]]
) -> CustomerView:
    """Everything known about a customer.

    Takes: `waits`, up to when a rule is proven, and the verdict and words for an act that must wait longer
    """
    rules = {rule.id: rule for rule in plan.rules}
    waiting = []
    for (rule_id, source, event_id), entry in state.entries.items():
        act, rule = state.journal.get(source, event_id), rules.get(rule_id)
        if entry.outcome is Outcome.PENDING and act is not None and rule is not None:
            through, verdict, why = waits(rule)
            if entry.at > through and through < act[TIME]:
                waiting.append(WaitingView(rule_id, (source, event_id), act[TYPE], entry.at, verdict, why))
            else:
                waiting.append(WaitingView(rule_id, (source, event_id), act[TYPE], entry.at))
    return CustomerView(
        state.customer,
        [fact_view(fact) for fact in view.facts],
        list(_states(view, plan)),
        sorted(waiting, key=lambda one: one.deadline),
        sorted(state.journal.truncated),
        too_late=state.journal.too_late,
    )


def _states(view: View, plan: Plan) -> Sequence[StateView]:
    """The episodes of every state whose openings need no act to be told apart."""
    found: dict[tuple[object, tuple[str, str]], StateView] = {}
    nobody: Fact = (0, "", "", 0, "", 0)
    for rule in plan.rules:
        for state in rule.states:
            if not state.static or state.ties:
                continue
            search = search_for(rule, view, nobody, None)
            for episode in view.episodes(state, nobody, search.env, Bound((), (), ())):
                begin = episode.begin
                name = (begin[SOURCE], begin[ID])
                ended = None if episode.end >= NEVER else episode.closed_at
                found.setdefault(
                    (state.signature, name),
                    StateView(rule.id, state.name, _key_words(begin), name, begin[TIME], ended, tool_of(begin) or None),
                )
    return list(found.values())


def _key_words(begin: Fact) -> str:
    data: Mapping[str, Any] = fact_data(begin)
    for name in ("case", "conversation", "order", "subscription", "outage"):
        value = data.get(name)
        if isinstance(value, str):
            return f"{name} {value}"
    return ""
