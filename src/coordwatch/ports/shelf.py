"""What the pages keep and look up beside alerts: saved views, versions of rules, campaigns, who acted last.

What enters: nothing.
What leaves: a Protocol, and the plain data that it speaks of.
The next room: the stores, which keep it; the pages, which show it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from coordwatch.ports.views import AlertRow, AuditEntry, CampaignRow

VIEWS_MOST = 50


@dataclass(frozen=True, slots=True)
class SavedView:
    """An address of the inbox that somebody keeps under a name. Units: `at` in microseconds since 1970 UTC."""

    name: str
    query: Mapping[str, str]
    actor: str
    at: int


ViewCheck = Callable[[SavedView | None], None]


def anything(_stands: SavedView | None) -> None:
    """Whatever stands there may be replaced."""


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it was written from an instant on. Units: `at` in microseconds since 1970 UTC."""

    rule: str
    at: int
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that happened to an alert, and the alert as it is now.

    `number` grows with everything that happens to any alert. Units: `at` in microseconds since 1970 UTC
    """

    number: int
    row: AlertRow
    action: str
    actor: str
    at: int


class Shelf(Protocol):
    """Where pages keep what is theirs, and look up what is beside the alerts. Raises: TemporaryError everywhere."""

    def views(self) -> list[SavedView]:
        """The saved views by name."""
        ...

    def keep_view(self, view: SavedView, check: ViewCheck = anything) -> bool:
        """Keep a view under its name, in place of one of the same name; False when there are VIEWS_MOST others.

        Takes: `check`, told in the same transaction what stands under the name; what it raises keeps everything as it is
        """
        ...

    def drop_view(self, name: str, by: str, at: int, check: ViewCheck = anything) -> bool:
        """Let a view go; False when there is none of that name. Units: `at` in microseconds since 1970 UTC.

        Takes: `check`, as in `keep_view`
        """
        ...

    def note_rules(self, texts: Mapping[str, str], at: int) -> list[str]:
        """Keep the rules as they are written now, and give those that were written otherwise before. Units: microseconds."""
        ...

    def rule_versions(self, rule: str | None = None) -> list[RuleVersion]:
        """The newest versions first: of one rule with its texts, of all without them."""
        ...

    def campaigns(self, limit: int) -> list[CampaignRow]:
        """The campaigns with alerts, those with the most live ones first."""
        ...

    def last_acts(self, alerts: Sequence[str]) -> dict[str, AuditEntry]:
        """By alert, the last thing that a person did to it."""
        ...

    def moves(self, after: int, limit: int) -> list[Moved]:
        """What happened to alerts after a number, oldest first."""
        ...

    def newest_move(self) -> int:
        """The number of the last thing that happened to any alert."""
        ...
