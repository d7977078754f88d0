"""Replay: a whole history of canonical events in, the detections that stand at its end out (RULES 37 to 41).

Because detections are a function of the set of events, a history needs no step by step: facts are gathered per
customer and every act is judged once, with the same `judge` that the running engine uses.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import once_each
from coordwatch.context.reference import Reference
from coordwatch.engine.gather import Gathering
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import format_time
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.evaluate import Outcome, Verdict, cannot_hold, judge
from coordwatch.rules.search import BEGINNING, View
from coordwatch.rules.spec import RuleSpec


@dataclass(slots=True)
class Replay(Gathering):
    """Gathers a history and judges it. Feed lines or events in any order, then `finish`.

    Takes: `counting`, whether each rule's acts are counted too; for a rate, those without any evidence belong to it
    """

    counting: bool = False

    def finish(self, clock: int | None = None) -> list[dict[str, Any]]:
        """Judge every act.

        Gives: the detections that stand, as the rows that `coordwatch replay` prints, in their order
        """
        return [printed for _, printed in self.finish_keyed(self.clock if clock is None else clock)]

    def finish_keyed(self, clock: int) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        """As `finish`, each row with what it is ordered by, so that rows of several replays can be merged."""
        reference = Reference(once_each(self.broadcasts)[0])
        found: list[tuple[str, str, Fact, Verdict]] = []
        for customer, kept in self.journals.items():
            self._judge_customer(customer, kept, reference, clock, found)
        found.sort(key=_print_order)
        for detection in found:
            yield _print_order(detection), row(*detection)

    def _judge_customer(
        self,
        customer: str,
        kept: list[Fact | int],
        reference: Reference,
        clock: int,
        found: list[tuple[str, str, Fact, Verdict]],
    ) -> None:
        facts = [one for one in kept if one.__class__ is not int]
        present = 0
        for fact in facts:
            present |= fact[MASK]  # type: ignore[index]
        rules = self.plan.candidates(present)
        if not rules and not self.counting:
            return
        view = View(self._once_each(kept, facts), customer, reference)  # type: ignore[arg-type]
        if self.counting:
            for rule in self.plan.rules:
                self.counts.acts[rule.id] += len(view.of(rule.act.bits)) if present & rule.act.bits else 0
        for rule in rules:
            for act in view.of(rule.act.bits):
                if cannot_hold(rule, view, act[TIME]):
                    continue
                verdict = judge(rule, view, act, clock)
                if verdict is not None and verdict.outcome in _STANDING:
                    found.append((rule.id, customer, act, verdict))

    def _once_each(self, kept: list[Fact | int], facts: list[Fact]) -> list[Fact]:
        """The facts in order, each identity once; what an event that no rule selects was first to use is refused."""
        if len(facts) < len(kept):
            unselected = {one for one in kept if one.__class__ is int}
            if any(hash(fact[SOURCE]) ^ hash(fact[ID]) in unselected for fact in facts):
                facts = self._not_refused(kept)
        if len({fact[ID] for fact in facts}) == len(facts):
            facts.sort()
            return facts
        facts, duplicates, conflicts = once_each(facts)
        self.counts.duplicates += duplicates
        self.counts.conflicting_duplicates += conflicts
        return facts

    def _not_refused(self, kept: list[Fact | int]) -> list[Fact]:
        unselected: set[int] = set()
        facts: list[Fact] = []
        for one in kept:
            if isinstance(one, int):
                unselected.add(one)
            elif hash(one[SOURCE]) ^ hash(one[ID]) in unselected:
                self.counts.conflicting_duplicates += 1
            else:
                facts.append(one)
        return facts


_STANDING = (Outcome.OPEN, Outcome.MADE_GOOD)


def _print_order(detection: tuple[str, str, Fact, Verdict]) -> tuple[Any, ...]:
    rule, customer, act, verdict = detection
    return verdict.at, rule, act[TIME], act[SOURCE], act[ID], customer


def row(rule: str, customer: str, act: Fact, verdict: Verdict) -> dict[str, Any]:
    """One detection as `coordwatch replay` prints it."""
    return {
        "rule": rule,
        "customer": customer,
        "act": {"source": act[SOURCE], "id": act[ID], "type": act[TYPE], "time": format_time(act[TIME])},
        "at": format_time(verdict.at),
        "evidence": [{"step": step, "source": fact[SOURCE], "id": fact[ID]} for step, fact in verdict.evidence],
        "status": verdict.outcome.value,
    }


def replay_events(specs: Sequence[RuleSpec], events: Iterable[Event], until: int | None = None) -> list[dict[str, Any]]:
    """The detections that stand at the end of a history of events that name their customers.

    Units: `until` in microseconds since 1970 UTC; without it the clock is the largest event time
    """
    replay = Replay(compile_rules(specs), until)
    for event in events:
        if event.subject is None and not TYPES[event.type].broadcast:
            replay.counts.no_customer += 1
            replay.latest = max(replay.latest, event.time if until is None else BEGINNING)
            continue
        replay.add(event)
    return replay.finish()
