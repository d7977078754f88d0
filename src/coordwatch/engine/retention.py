"""Retention: how long each event type must be remembered, derived from the compiled rules, and the caps that bound it.

A plan and a journal enter; what can be let go leaves. `engine/batch.py` prunes with it before a state is written.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, TYPE, Fact
from coordwatch.context.journal import Journal
from coordwatch.rules.outline import matches_of
from coordwatch.rules.plan import Plan
from coordwatch.rules.spec import After, Expect, Given, RuleSpec, State, UnlessEvent

DAY = 86_400_000_000
FOREVER = 2**62
UNKNOWN_DEADLINE = 90 * DAY
CALENDAR_STRETCH = 8
UNSELECTED_MAX = 50


@dataclass(frozen=True, slots=True)
class Retention:
    """How long facts of each type are kept, how many at most, and how late an event may come.

    `selecting` holds the bits that rules ask for; `facts` says how far back acts may still read the reference facts of a
    type. Units: `ages`, `facts` and `lateness` in microseconds; a type without an age is kept for `lateness`
    """

    ages: Mapping[str, int] = field(default_factory=dict)
    cap: int = 200
    lateness: int = 7 * DAY
    selecting: int = 0
    facts: Mapping[str, int] = field(default_factory=dict)

    @property
    def limits(self) -> tuple[int, int]:
        """How many facts of a type are kept at most, selected ones (or running acts) and unselected ones."""
        return self.cap, UNSELECTED_MAX

    @property
    def slack(self) -> int:
        """How much longer facts may stay, so that not every customer is looked through for every one. Units: microseconds."""
        return self.lateness // 7

    def age(self, event_type: str) -> int:
        """How long facts of a type are kept. Units: microseconds."""
        return self.ages.get(event_type, self.lateness)

    @property
    def longest(self) -> int:
        """How long any fact is kept. Units: microseconds."""
        return max((self.lateness, *self.ages.values()))

    def kind(self, fact: Fact) -> str:
        """Whether some rule's condition selects a fact, beyond its type."""
        return "selected" if fact[MASK] & self.selecting else "unselected"


def derive(plan: Plan, *, cap: int = 200, lateness: int = 7 * DAY) -> Retention:
    """The retention that the rules need (RULES 35)."""
    ages: dict[str, int] = {}
    for rule in plan.rules:
        for event_type, age in _ages(rule.spec, lateness):
            ages[event_type] = max(ages.get(event_type, 0), min(age, FOREVER))
    selecting = 0
    facts: dict[str, int] = {}
    for rule in plan.rules:
        selecting |= rule.all_bits
        for given in rule.given:
            for take in given.takes:
                facts[take.type] = max(facts.get(take.type, 0), _keep_act(rule.spec, lateness))
    return Retention(ages, cap, lateness, selecting, facts)


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
    keep_act = _keep_act(spec, lateness)
    ages = [(match.event, keep_act) for match in spec.when.matches]
    for step in (*spec.after, *spec.while_, *spec.given, *spec.unless):
        # A re-opening needs its opening, however long ago that was.
        age = FOREVER if isinstance(step, State) and step.reopened else _length(step) + keep_act
        ages += [(match.event, age) for match in matches_of(step)]
    if spec.expect:
        ages += [(match.event, keep_act + spec.expect.early) for match in spec.expect.matches]
    return ages


def _keep_act(spec: RuleSpec, lateness: int) -> int:
    """How long an act may still be judged: as late as it may come, and until its deadline and repair are over."""
    return lateness + (_follow(spec.expect) if spec.expect else 0)


def _follow(expect: Expect) -> int:
    within = UNKNOWN_DEADLINE
    if expect.within is not None and expect.by is None:
        within = expect.within.length * (CALENDAR_STRETCH if expect.within.calendar else 1)
    return within + expect.repair


def refuses(journal: Journal, retention: Retention, fact: Fact, now: int) -> bool:
    """Whether facts as old as this one were let go already, so that it can no longer be judged fairly (RULES 35).

    The journal counts what it refuses; a repeat of what it still holds is none of that.
    """
    time, event_type = fact[TIME], fact[TYPE]
    is_late = time < now - retention.age(event_type) or time <= journal.truncated.get(event_type, time - 1)
    if is_late and journal.get(fact[SOURCE], fact[ID]) is None:
        journal.too_late += 1
        return True
    return False


def prune(
    journal: Journal, retention: Retention, now: int, running: frozenset[tuple[str, str]]
) -> tuple[list[Fact], int]:
    """Let go of facts that are too old to matter, or too many of their type; the newest stay (RULES 35).

    Takes: `running`, identities of acts whose deadline still runs: they stay at any age, and have a cap of their own
    Gives: the facts let go, and how many may come before some are too many; the journal notes of which types some went only
           because there were too many
    """
    gone: list[Fact] = []
    kept: Counter[tuple[str, str]] = Counter()
    selected_max, unselected_max = retention.limits
    for fact in reversed(journal.facts):
        event_type = fact[TYPE]
        kind = "running" if (fact[SOURCE], fact[ID]) in running else retention.kind(fact)
        if kind != "running" and fact[TIME] < now - retention.age(event_type):
            gone.append(fact)
        elif kept[event_type, kind] >= (unselected_max if kind == "unselected" else selected_max):
            gone.append(fact)
            if kind != "unselected":
                journal.truncated[event_type] = max(fact[TIME], journal.truncated.get(event_type, fact[TIME]))
        else:
            kept[event_type, kind] += 1
    journal.remove(gone)
    room = ((unselected_max if kind == "unselected" else selected_max) - count for (_, kind), count in kept.items())
    return gone, min(*retention.limits, *room)
