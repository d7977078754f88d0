"""Retention: how long each event type must be remembered, derived from the compiled rules, and the caps that bound it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Journal
from coordwatch.rules.compile import Plan
from coordwatch.rules.spec import After, Expect, Given, RuleSpec, State, UnlessEvent

DAY = 86_400_000_000
FOREVER = 2**62
UNKNOWN_DEADLINE = 90 * DAY
CALENDAR_STRETCH = 8
UNSELECTED_MAX = 50


@dataclass(frozen=True, slots=True)
class Retention:
    """How long facts of each type are kept, how many at most, and how late an event may come.

    Units: `ages` and `lateness` in microseconds; a type without an age is kept for `lateness`
    """

    ages: Mapping[str, int] = field(default_factory=dict)
    cap: int = 200
    lateness: int = 7 * DAY


def derive(plan: Plan, *, cap: int = 200, lateness: int = 7 * DAY) -> Retention:
    """The retention that the rules need (RULES 35)."""
    ages: dict[str, int] = {}
    for rule in plan.rules:
        for event_type, age in _ages(rule.spec, lateness):
            ages[event_type] = max(ages.get(event_type, 0), min(age, FOREVER))
    return Retention(ages, cap, lateness)


def look_back(spec: RuleSpec) -> int:
    """How far before an act a rule looks: the time a new rule needs to be warm.

    Units: microseconds
    """
    steps = (*spec.after, *spec.while_, *spec.given, *spec.unless)
    return max((_length(step) for step in steps), default=0)


def _length(step: After | State | Given | UnlessEvent) -> int:
    if isinstance(step, State):
        return FOREVER if step.at_most is None else step.at_most + step.linger
    if step.within is None:
        return FOREVER
    return step.within.length * (CALENDAR_STRETCH if step.within.calendar else 1)


def _ages(spec: RuleSpec, lateness: int) -> list[tuple[str, int]]:
    follow = _follow(spec.expect) if spec.expect else 0
    keep_act = lateness + follow
    ages = [(match.event, keep_act) for match in spec.when.matches]
    for step in (*spec.after, *spec.while_, *spec.given, *spec.unless):
        matches = (*step.opened, *step.closed, *step.reopened) if isinstance(step, State) else step.matches
        ages += [(match.event, _length(step) + keep_act) for match in matches]
    if spec.expect:
        ages += [(match.event, keep_act + spec.expect.early) for match in spec.expect.matches]
    return ages


def _follow(expect: Expect) -> int:
    within = UNKNOWN_DEADLINE
    if expect.within is not None and expect.by is None:
        within = expect.within.length * (CALENDAR_STRETCH if expect.within.calendar else 1)
    return within + expect.repair


def prune(journal: Journal, retention: Retention, now: int, keep: frozenset[tuple[str, str]]) -> list[Fact]:
    """Let go of facts that are too old to matter, or too many of their type; the newest stay (RULES 35).

    Takes: `keep`, identities that must stay: acts whose deadline still runs
    Gives: the facts let go; the journal notes of which types some went only because there were too many
    """
    gone: list[Fact] = []
    kept: Counter[tuple[str, bool]] = Counter()
    for fact in reversed(journal.facts):
        event_type = fact[TYPE]
        if (fact[SOURCE], fact[ID]) in keep:
            continue
        if fact[TIME] < now - retention.ages.get(event_type, retention.lateness):
            gone.append(fact)
            continue
        selected = fact[MASK].bit_count() > 1
        if kept[event_type, selected] >= (retention.cap if selected else UNSELECTED_MAX):
            gone.append(fact)
            if selected:
                journal.truncated.add(event_type)
        else:
            kept[event_type, selected] += 1
    journal.remove(gone)
    return gone
