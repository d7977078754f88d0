"""Causes: what the alerts of an incident have in common, scored, ranked, and said in plain words.

A cause is likely when it covers the incident and is rare outside of it. What changed or fell silent shortly before is likely
when the trouble began with it. Scores are between 0 and 100 and are for ranking, not for betting.

What enters: counts inside the incident and outside of it, changes of rules and mappings, times at which sources were dark.
What leaves: causes with their evidence, the likeliest first; the title of the incident.
The next room: whoever keeps the incident.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coordwatch.alerts.words import time_words
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.events.words import duration_words, number_words

SHOWN = 5
_LEAST = 20


class CauseKind(StrEnum):
    """What a cause is; in the order in which equal scores are ranked."""

    CAMPAIGN = "campaign"
    JOURNEY = "journey"
    CARRIER = "carrier"
    ITEM = "item"
    RULE_CHANGED = "rule_changed"
    MAPPING_CHANGED = "mapping_changed"
    SOURCE_DARK = "source_dark"
    TOOLS = "tools"
    RULE = "rule"
    TOOL = "tool"
    TIME = "time"


_WORDS = {
    CauseKind.CAMPAIGN: "the campaign {}",
    CauseKind.JOURNEY: "the journey {}",
    CauseKind.CARRIER: "the carrier {}",
    CauseKind.ITEM: "the item {}",
    CauseKind.RULE_CHANGED: "the change of the rule {}",
    CauseKind.MAPPING_CHANGED: "the change of how {} is read",
    CauseKind.SOURCE_DARK: "the silence of {}",
    CauseKind.TOOLS: "{}",
    CauseKind.RULE: "the rule {}",
    CauseKind.TOOL: "the tool {}",
    CauseKind.TIME: "something that happened at {}",
}
# How much each kind explains where it covers everything and nothing else: a campaign is a thing that can be stopped.
_WEIGHT = {
    CauseKind.RULE_CHANGED: 95,
    CauseKind.MAPPING_CHANGED: 95,
    CauseKind.SOURCE_DARK: 95,
    CauseKind.TOOLS: 85,
    CauseKind.RULE: 80,
    CauseKind.TOOL: 75,
    CauseKind.TIME: 60,
}


@dataclass(frozen=True, slots=True)
class Share:
    """One value of one kind: how many alerts have it in the incident and, within the week before its end, outside of it."""

    kind: CauseKind
    value: str
    inside: int
    outside: int


@dataclass(frozen=True, slots=True)
class Change:
    """A rule or a mapping as it is since an instant. Units: microseconds since 1970 UTC."""

    kind: CauseKind
    name: str
    since: int


@dataclass(frozen=True, slots=True)
class Dark:
    """A source that was silent for longer than it may be; `tools` are those whose events it carries.

    Units: microseconds since 1970 UTC; `until` None while it is
    """

    source: str
    tools: frozenset[str]
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When an alert happened, and what it is about; enough of them to see a pattern. Units: microseconds since 1970 UTC."""

    at: int
    rule: str
    tools: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that is known about an incident when its causes are ranked. Times as in Moment."""

    alerts: int
    outside: int
    shares: Sequence[Share]
    moments: Sequence[Moment]
    changes: Sequence[Change] = ()
    dark: Sequence[Dark] = ()
    titles: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """One likely cause with its score and the evidence for it."""

    kind: CauseKind
    value: str
    score: int
    words: str
    evidence: str

    @property
    def name(self) -> str:
        """The cause as a sentence names it."""
        return _WORDS[self.kind].format(self.words)


def ranked(evidence: Evidence) -> tuple[Cause, ...]:
    """The likeliest causes, first the one that explains most. The order of what comes in says nothing."""
    found = [*_common(evidence), *_changed(evidence), *_dark(evidence), *_at_once(evidence)]
    order = list(CauseKind)
    found = [one for one in found if one.score >= _LEAST]
    return tuple(sorted(found, key=lambda one: (-one.score, order.index(one.kind), one.value))[:SHOWN])


def title_of_incident(causes: Sequence[Cause], alerts: int, customers: int, first: int) -> str:
    """What the incident is, in one sentence. Units: `first` in microseconds since 1970 UTC."""
    whom = "1 customer" if customers == 1 else f"{number_words(customers)} customers"
    count = "1 alert" if alerts == 1 else f"{number_words(alerts)} alerts"
    about = f", likely because of {causes[0].name}" if causes else ""
    return f"{count} about {whom} since {time_words(first)}{about}"


def _common(evidence: Evidence) -> Iterable[Cause]:
    for share in evidence.shares:
        if not share.inside or not share.value:
            continue
        covers = share.inside / max(evidence.alerts, 1)
        # One alert more than there was on both sides, so that a handful proves less than a thousand.
        within = share.inside / (evidence.alerts + 1)
        beyond = (share.outside + 1) / (evidence.outside + 2)
        rarity = within / (within + beyond)
        score = round(_WEIGHT.get(share.kind, 100) * covers * rarity)
        yield Cause(share.kind, share.value, score, _named(evidence, share.kind, share.value), _counts(evidence, share))


def _counts(evidence: Evidence, share: Share) -> str:
    inside = (
        f"{number_words(share.inside)} of {number_words(evidence.alerts)} alerts of this incident have it in common"
    )
    if not evidence.outside:
        return f"{inside}; there were no other alerts in the week before"
    return (
        f"{inside}; of {number_words(evidence.outside)} other alerts in the week before, "
        f"{number_words(share.outside) if share.outside else 'none'}"
    )


def _changed(evidence: Evidence) -> Iterable[Cause]:
    """Something was edited, and the trouble began within a day of it."""
    if not evidence.moments:
        return
    first = min(one.at for one in evidence.moments)
    for change in evidence.changes:
        late = first - change.since
        if not 0 <= late <= DAY:
            continue
        mine = [one for one in evidence.moments if _concerns(change, one)]
        if not mine:
            continue
        covers = len(mine) / len(evidence.moments)
        score = round(_WEIGHT[change.kind] * covers * _close(late))
        words = _named(evidence, CauseKind.RULE, change.name) if change.kind is CauseKind.RULE_CHANGED else change.name
        yield Cause(
            change.kind,
            change.name,
            score,
            words,
            f"it was changed on {time_words(change.since)}, {duration_words(late) or 'no time'} before the first alert; "
            f"{_part(len(mine), len(evidence.moments))} come from it",
        )


def _concerns(change: Change, moment: Moment) -> bool:
    return change.name == moment.rule if change.kind is CauseKind.RULE_CHANGED else change.name in moment.tools


def _dark(evidence: Evidence) -> Iterable[Cause]:
    """A source was silent, and what happened meanwhile is about its tools."""
    for dark in evidence.dark:
        mine = [one for one in evidence.moments if _while(dark, one) and dark.tools & one.tools]
        if not mine:
            continue
        score = round(_WEIGHT[CauseKind.SOURCE_DARK] * len(mine) / len(evidence.moments))
        until = "until now" if dark.until is None else f"until {time_words(dark.until)}"
        said = f"it was dark from {time_words(dark.since)} {until}"
        some = f"{_part(len(mine), len(evidence.moments))} happened meanwhile, and are about tools that it carries"
        yield Cause(CauseKind.SOURCE_DARK, dark.source, score, dark.source, f"{said}; {some}")


def _while(dark: Dark, moment: Moment) -> bool:
    return dark.since <= moment.at and (dark.until is None or moment.at <= dark.until + HOUR)


def _at_once(evidence: Evidence) -> Iterable[Cause]:
    """Nearly everything happened within a few minutes, though nobody knows of what it comes."""
    moments = sorted(one.at for one in evidence.moments)
    if len(moments) < 3:
        return
    most = max(1, (len(moments) * 9) // 10)
    start = min(range(len(moments) - most + 1), key=lambda n: (moments[n + most - 1] - moments[n], n))
    length = moments[start + most - 1] - moments[start]
    if length > HOUR:
        return
    score = round(_WEIGHT[CauseKind.TIME] * most / len(moments) * (1 - length / (2 * HOUR)))
    within = duration_words(max(length, MINUTE))
    words = f"{_part(most, len(moments))} fall within {within}, from {time_words(moments[start])} on"
    yield Cause(CauseKind.TIME, str(moments[start]), score, time_words(moments[start]), words)


def _close(late: int) -> float:
    """1 when the trouble began at once, a half after a day."""
    return 1 - late / (2 * DAY)


def _part(some: int, every: int) -> str:
    return f"{number_words(some)} of {number_words(every)} alerts"


def _named(evidence: Evidence, kind: CauseKind, value: str) -> str:
    if kind is CauseKind.RULE:
        title = (evidence.titles or {}).get(value)
        return f"“{title}”" if title else value
    if kind is CauseKind.TOOLS:
        act, _, other = value.partition("|")
        act = act or "an unknown tool"
        return f"{act} against {'itself' if other == act else other}" if other else f"{act} alone"
    return value
