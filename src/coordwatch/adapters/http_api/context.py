"""What the API works with: everything it reads, and the two doors through which it changes something.

What enters: readers and functions that `app` puts together.
What leaves: one frozen ApiContext.
The next room: `application`.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from coordwatch.adapters.http_api.checking import CheckDesk
from coordwatch.adapters.http_api.guard import Door
from coordwatch.adapters.http_api.hooks.routes import HookDoor
from coordwatch.adapters.http_api.slack_actions import SlackDoor
from coordwatch.adapters.http_api.stream import Stream
from coordwatch.audit.trail import Trail
from coordwatch.clock import Clock
from coordwatch.ports import (
    AlertDesk,
    AlertReader,
    CustomerView,
    DeadLetter,
    IncidentDesk,
    Shelf,
    SilenceDesk,
    SourceView,
)
from coordwatch.processor import Input, Result
from coordwatch.rules.explanation import Explanation
from coordwatch.rules.spec import RuleSpec


@dataclass(frozen=True, slots=True)
class Posting:
    """Where posted records go: the input's name, the mapping they take by default, the mappings that may be named."""

    input: str
    source: str
    known: frozenset[str]
    post: Callable[[Sequence[Input]], "Future[list[Result]]"]


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What the API works with; `posting` None when no input takes posts, `replay` when letters go nowhere. `clock` runs on the axis of the alerts."""

    reader: AlertReader
    desk: AlertDesk
    clock: Clock
    rules: Mapping[str, RuleSpec]
    sentences: Mapping[str, str]
    disabled: Callable[[], Mapping[str, str]]
    warming: Callable[[], Mapping[str, int]]
    customer: Callable[[str], CustomerView | None]
    explain: Callable[[str, str, tuple[str, str] | None, int | None], Explanation | None]
    check: CheckDesk
    sources: Callable[[], Sequence[SourceView]]
    metrics: Callable[[], tuple[bytes, str]]
    trouble: Callable[[], str | None]
    stream: Stream
    door: Door
    trail: Trail
    shelf: Shelf
    posting: Posting | None = None
    hooks: HookDoor | None = None
    catalogue: Callable[[], Mapping[str, Any]] = dict
    slack: SlackDoor | None = None
    silences: SilenceDesk | None = None
    incidents: IncidentDesk | None = None
    replay: Callable[[Sequence[DeadLetter], str], str] | None = None
