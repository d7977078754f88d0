"""The one place that knows how the engine is called: rule documents and event dicts enter, plain detections leave.

A change of the engine's signatures is an edit of this file and of no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from coordwatch.rules.parse import parse_rules, parse_shared

from coordwatch.engine.replay import replay_events
from coordwatch.events.event import Event
from coordwatch.events.times import parse_time
from coordwatch.rules.spec import RuleSpec, SharedSpec

Plain = dict[str, Any]


@lru_cache(maxsize=8)
def _shared(text: str) -> SharedSpec:
    return parse_shared(text, "_shared.yaml")


def specs(rules: Sequence[Mapping[str, Any]], shared: Mapping[str, Any] | None = None) -> list[RuleSpec]:
    """Rule documents as the engine reads them: their JSON text is YAML."""
    text = "\n---\n".join(json.dumps(rule, default=str) for rule in rules)
    return list(parse_rules(text, "rules.yaml", _shared(json.dumps(shared, default=str)) if shared else None))


def engine_event(event: Mapping[str, Any]) -> Event:
    """An event dict as the engine's Event."""
    return Event(**event)


def plain(found: Iterable[Mapping[str, Any]]) -> list[Plain]:
    """Printed detections with their times as microseconds, as the reference gives them."""

    def micros(time: Any) -> int:
        return parse_time(time) if isinstance(time, str) else int(time)

    return [
        {**one, "at": micros(one["at"]), "act": {**one["act"], "time": micros(one["act"]["time"])}} for one in found
    ]


def replay(
    rules: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    until: int | None = None,
    shared: Mapping[str, Any] | None = None,
) -> list[Plain]:
    """The bulk engine over a whole history."""
    return plain(replay_events(specs(rules, shared), [engine_event(event) for event in events], until))
