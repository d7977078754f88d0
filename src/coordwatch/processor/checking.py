"""Checking: may this be done now, from a customer's state and from how far the tools are read that could know better.

An act enters, with the customer it is about; a Checked leaves, for the API. Nothing is kept of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from coordwatch.context.progress import BEGINNING, Progress
from coordwatch.context.reference import Reference
from coordwatch.engine.check import Answer, check
from coordwatch.events.event import Event
from coordwatch.processor.asking import Known, facts_read
from coordwatch.processor.feeding import evidence_types
from coordwatch.rules.plan import Plan
from coordwatch.rules.search import View


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer, and what it rests on.

    `customer` None when nobody is known by what the act names: only facts that concern all can stand against it then.
    `dark` are the tools that have fallen silent of those whose events could stand against it.

    Units: `read_through`, up to when all of those are read, in microseconds since 1970 UTC, None when that is not known
    """

    answer: Answer
    customer: str | None
    read_through: int | None = None
    dark: tuple[str, ...] = ()


def checked(known: Known, customer: str, act: Event, now: int) -> Checked:
    """Check an act against a customer's state as it was last committed.

    Units:  microseconds since 1970 UTC
    Raises: UnknownSnapshot when a newer program wrote the snapshot
    """
    rules = (rule for rule in known.plan.rules if any(take.type == act.type for take in rule.act.takes))
    view = View(known.state().journal, customer, Reference(facts_read(rules, known)))
    answer = check(known.plan, view, act)
    return resting_on(known.progress, known.plan, answer, customer, now)


def resting_on(progress: Progress, plan: Plan, answer: Answer, customer: str | None, now: int) -> Checked:
    """An answer with how far the sources are read whose events could stand against the act."""
    proof = progress.proof(_evidence_of(plan, answer.asked), now)
    through = None if proof.through == BEGINNING else min(proof.through, now)
    return Checked(answer, customer, through, proof.dark)


def _evidence_of(plan: Plan, asked: Iterable[str]) -> set[str]:
    rules = frozenset(asked)
    return {name for rule in plan.rules if rule.id in rules for name in evidence_types(rule.spec)}
