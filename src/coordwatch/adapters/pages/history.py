"""How a rule was changed: each version beside the one before it, line by line.

What enters: the versions of a rule, newest first.
What leaves: what was added and what was taken away, with the instant.
The next room: the rule's page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from itertools import pairwise

from coordwatch.ports import RuleVersion

_LINES_MOST = 60


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One change: when it was seen, and its lines as (+ - or blank, text). Units: `at` in microseconds since 1970 UTC."""

    at: int
    added: int
    removed: int
    lines: Sequence[tuple[str, str]]
    left: int


def changes_of(versions: Sequence[RuleVersion]) -> list[RuleChange]:
    """The changes between versions, newest first; the first version is no change."""
    return [_change(newer, older) for newer, older in pairwise(versions)]


def _change(newer: RuleVersion, older: RuleVersion) -> RuleChange:
    found = list(unified_diff(older.text.splitlines(), newer.text.splitlines(), lineterm="", n=1))[2:]
    lines = [(line[:1], line[1:]) if line[:2] != "@@" else ("…", "") for line in found]
    return RuleChange(
        at=newer.at,
        added=sum(mark == "+" for mark, _ in lines),
        removed=sum(mark == "-" for mark, _ in lines),
        lines=lines[1:_LINES_MOST],
        left=max(0, len(lines) - _LINES_MOST),
    )
