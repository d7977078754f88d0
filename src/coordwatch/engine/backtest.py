"""Backtest: what would stand if rules were otherwise; two sets of rules judge one history, and their answers are compared.

Rules of two versions enter as one set, and their rows come out of `replay`; differences leave, rule by rule. Nothing is read
twice, since rules do not know of each other. The next room: the command that prints them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from coordwatch.codec import decode_json
from coordwatch.rules.spec import RuleSpec, RuleStatus

_AS_IT_WAS = "was:"
"""No rule's id holds a colon."""

Row = dict[str, Any]
Name = tuple[str, str]


class Change(StrEnum):
    """What becomes of a detection."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One detection that is not as it was: the row that stands, and the row that stood."""

    change: Change
    now: Row | None
    was: Row | None

    @property
    def row(self) -> Row:
        """The row that says what it is about."""
        row = self.now or self.was
        assert row is not None
        return row


@dataclass(slots=True)
class Compared:
    """One rule: how many acts it judged and what stood, in both versions. A version without the rule judged nothing."""

    rule: str
    acts_was: int = 0
    acts_now: int = 0
    was: int = 0
    now: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def counts(self) -> Counter[Change]:
        """How many detections changed in each way."""
        return Counter(one.change for one in self.differences)

    @property
    def customers(self) -> frozenset[str]:
        """Whom a difference concerns."""
        return frozenset(str(one.row["customer"]) for one in self.differences)


def both_versions(now: Sequence[RuleSpec], was: Sequence[RuleSpec]) -> list[RuleSpec]:
    """One set of rules out of two: those of `now`, and the rules of the same ids as they were. Retired ones judge nothing."""
    named = {spec.id for spec in now}
    before = [replace(spec, id=_AS_IT_WAS + spec.id) for spec in was if spec.id in named]
    return [spec for spec in [*now, *before] if spec.status is not RuleStatus.RETIRED]


def compare(specs: Sequence[RuleSpec], rows: Iterable[bytes], acts: Counter[str]) -> list[Compared]:
    """Compare what the two versions came to.

    Takes: the rules of the new version, and the rows and counts of `both_versions`; `acts` is read after the rows
    """
    stand: dict[str, dict[Name, Row]] = {}
    for row in map(decode_json, rows):
        stand.setdefault(row["rule"], {})[row["act"]["source"], row["act"]["id"]] = row
    found = []
    for rule in sorted(spec.id for spec in specs):
        now, was = stand.get(rule, {}), stand.get(_AS_IT_WAS + rule, {})
        one = Compared(rule, acts[_AS_IT_WAS + rule], acts[rule], len(was), len(now))
        one.differences += sorted(
            _differences(rule, now, was), key=lambda each: (each.row["at"], each.row["act"]["id"])
        )
        found.append(one)
    return found


def _differences(rule: str, now: dict[Name, Row], was: dict[Name, Row]) -> Iterator[Difference]:
    for name, row in now.items():
        before = was.get(name)
        if before is None:
            yield Difference(Change.ADDED, row, None)
        elif {**before, "rule": rule} != row:
            yield Difference(Change.CHANGED, row, {**before, "rule": rule})
    for name, row in was.items():
        if name not in now:
            yield Difference(Change.REMOVED, None, {**row, "rule": rule})
