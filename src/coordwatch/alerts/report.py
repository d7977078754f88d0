"""A report: what a stretch of time came to, beside the one before it, for people who read numbers once a week.

What enters: the ledger's amounts and the alerts of two stretches of the same length, and the rules' titles.
What leaves: a Report with rates over their true denominators.
The next room: `coordwatch report`, which prints it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.rules.detection import Attribution

KNOWABLE = (Attribution.IGNORED, Attribution.IN_FLIGHT)
"""What the acting tool could have learned by asking before the act."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is stored of a stretch of time: `amounts` as (rule, act tool, evidence tool, kind, amount) of acts in it.

    `attributions` counts the alerts whose newest detection lies in it, by rule and attribution; `campaigns` gives those of
    them that name a campaign, as (campaign, alerts, customers), most alerts first. Units: microseconds since 1970 UTC
    """

    since: int
    until: int
    amounts: Sequence[tuple[str, str, str, str, int]] = ()
    attributions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    campaigns: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True, slots=True)
class Rated:
    """Acts and the conflicts that stand of them."""

    acts: int = 0
    conflicts: int = 0

    @property
    def rate(self) -> float | None:
        """The conflict rate; None where nothing was judged."""
        return self.conflicts / self.acts if self.acts else None


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule: now and before, and how many alerts by attribution."""

    rule: str
    title: str
    now: Rated
    before: Rated
    made_good: int
    retracted: int
    attributions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair of tools: the conflicts between them. `evidence_tool` is empty where something never came."""

    act_tool: str
    evidence_tool: str
    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Report:
    """What two stretches came to; lines with the most conflicts first."""

    now: Stretch
    before: Stretch
    rules: Sequence[RuleLine]
    pairs: Sequence[PairLine]

    @property
    def total(self) -> Rated:
        """All rules together. An act that three rules judge is judged three times."""
        return _sum(line.now for line in self.rules)

    @property
    def total_before(self) -> Rated:
        """The same of the stretch before."""
        return _sum(line.before for line in self.rules)

    @property
    def attributions(self) -> Counter[str]:
        """Alerts by whether the acting tool could have known."""
        found: Counter[str] = Counter()
        for line in self.rules:
            found.update(line.attributions)
        return found

    @property
    def knowable(self) -> tuple[int, int]:
        """How many alerts a question before the act would have prevented, and of how many the question arises."""
        found = self.attributions
        known = sum(found[each] for each in KNOWABLE)
        return known, known + found[Attribution.COULD_NOT_KNOW]


def report_of(now: Stretch, before: Stretch, titles: Mapping[str, str]) -> Report:
    """Put two stretches side by side; a rule that is no longer there is called by its id."""
    names = {amount[0] for stretch in (now, before) for amount in stretch.amounts} | {
        key[0] for key in now.attributions
    }
    rules = [_rule(name, titles.get(name, name), now, before) for name in names]
    rules.sort(key=lambda line: (-line.now.conflicts, -line.now.acts, line.rule))
    pairs_now, pairs_before = _pairs(now), _pairs(before)
    pairs = [PairLine(*pair, pairs_now[pair], pairs_before[pair]) for pair in {*pairs_now, *pairs_before}]
    pairs.sort(key=lambda line: (-line.now, -line.before, line.act_tool, line.evidence_tool))
    return Report(now, before, rules, pairs)


def _rule(name: str, title: str, now: Stretch, before: Stretch) -> RuleLine:
    kinds, earlier = _kinds(name, now), _kinds(name, before)
    attributions = {one: count for (rule, one), count in now.attributions.items() if rule == name}
    return RuleLine(
        name,
        title,
        Rated(kinds["acts"], kinds["detections"]),
        Rated(earlier["acts"], earlier["detections"]),
        kinds["made_good"],
        kinds["retracted"],
        attributions,
    )


def _kinds(rule: str, stretch: Stretch) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, _, _, kind, amount in stretch.amounts:
        if name == rule:
            found[kind] += amount
    return found


def _pairs(stretch: Stretch) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for _, act_tool, evidence_tool, kind, amount in stretch.amounts:
        if kind == "detections" and amount:
            found[act_tool, evidence_tool] += amount
    return found


def _sum(rates: Iterable[Rated]) -> Rated:
    acts = conflicts = 0
    for one in rates:
        acts, conflicts = acts + one.acts, conflicts + one.conflicts
    return Rated(acts, conflicts)
