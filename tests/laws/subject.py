"""The one place that knows how the engine is called: rule documents and event dicts enter, plain detections leave.

A change of the engine's signatures is an edit of this file and of no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.card import RuleCard, cards_of
from coordwatch.context.progress import SourceProgress
from coordwatch.engine.replay import Replay, replay_events
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, parse_time
from coordwatch.events.wire import encode_event
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings, Result
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.parse import parse_rules, parse_shared
from coordwatch.rules.spec import RuleSpec, SharedSpec
from coordwatch.sources.record import Record

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


def replay_lines(
    rules: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    until: int | None = None,
    shared: Mapping[str, Any] | None = None,
) -> list[Plain]:
    """The bulk engine over the lines of a file: the quick way that the command takes when every event has a customer."""
    clock = max((event["time"] for event in events), default=0) if until is None else until
    lines = [
        encode_event(engine_event(event)) for event in events if event["subject"] or TYPES[event["type"]].broadcast
    ]
    reading = Replay(compile_rules(specs(rules, shared)), clock)
    half = len(lines) // 2
    for piece in (lines[:half], lines[half:]):
        reading.feed(b"".join(line + b"\n" for line in piece))
    return plain(reading.finish())


EVERYTHING = (SourceProgress(CANONICAL, frozenset(TYPES), publishing_delay=0),)


class Running:
    """The running engine: one processor over a store in memory, with one source that carries every type.

    Nothing is forgotten for a thousand days, so that what it ends with can be compared with a whole history.
    """

    def __init__(
        self,
        rules: Sequence[Mapping[str, Any]],
        shared: Mapping[str, Any] | None = None,
        sources: Sequence[SourceProgress] = EVERYTHING,
        **settings: Any,
    ) -> None:
        self.sources = sources
        settings = {"lateness": 1000 * DAY, **settings}
        self.settings = ProcessorSettings(IdentityPolicy(mode=IdentityMode.TRUSTED_ID), **settings)
        self.cards: dict[str, RuleCard] = {}
        self.store = MemoryStore(self.cards)
        self.restart(rules, shared)

    def restart(
        self, rules: Sequence[Mapping[str, Any]] | None = None, shared: Mapping[str, Any] | None = None
    ) -> None:
        """A new process, which knows only what the store holds; perhaps with other rules."""
        if rules is not None:
            self.specs = specs(rules, shared)
            self.cards.clear()
            self.cards.update(cards_of(self.specs))
        self.processor = Processor(self.specs, self.store, self.settings, sources=self.sources)

    def feed(self, events: Iterable[Mapping[str, Any]], now: int, source: str = CANONICAL) -> list[Result]:
        """Handle one batch."""
        lines = (encode_event(engine_event(event)) for event in events)
        return self.processor.handle([Input(Record(line), CANONICAL, source) for line in lines], now)

    def settle(self, clock: int, *names: str) -> None:
        """These sources (all of them) are read up to the clock: let the deadlines pass."""
        for name in names or [source.name for source in self.sources]:
            self.processor.caught_up(name, clock)
        for _ in range(100):
            if not self.processor.tick(clock):
                return
        raise AssertionError("ticks never come to rest")

    def standing(self) -> list[Plain]:
        """What stands, as `replay` prints it, in its order."""

        def evidence(one: Mapping[str, Any]) -> Plain:
            return {"step": one["step"], "source": one["source"], "id": one["id"]}

        found = [
            {
                "rule": one["rule"],
                "customer": one["customer"],
                "act": {part: one["act"][part] for part in ("source", "id", "type", "time")},
                "at": one["at"],
                "evidence": [evidence(each) for each in one["evidence"]],
                "status": one["status"],
            }
            for one in self.store.standing_detections()
        ]
        return sorted(plain(found), key=print_order)


def print_order(one: Plain) -> tuple[Any, ...]:
    """The order of printing: at, rule, act."""
    act = one["act"]
    return one["at"], one["rule"], act["time"], act["source"], act["id"], one["customer"]
