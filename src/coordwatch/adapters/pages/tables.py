"""The values of the quieter pages: customers, rules, tools, sources.

What enters: views of `ports` and rule specifications.
What leaves: what the templates print, counts already turned into rates and pictures.
The next room: `shell`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from coordwatch.adapters.alert_rows import LIVE_STATUSES
from coordwatch.adapters.pages.alert import pictures
from coordwatch.adapters.pages.chart import hour_of, sparkline, strip
from coordwatch.adapters.pages.picture import customer_drawing
from coordwatch.adapters.pages.steps import listed
from coordwatch.adapters.pages.words import (
    about_words,
    event_words,
    interval_words,
    number_words,
    percent_words,
    plural,
    rate_words,
    short_key,
)
from coordwatch.alerts.verdict import precision_of
from coordwatch.events.times import format_duration
from coordwatch.ports import AlertRow, CustomerView, DeadLetter, PairCount, RuleCounts, SourceView
from coordwatch.rules.spec import Example, RuleSpec

_PICTURE_FACTS = 80
_FACT_ROWS = 200
_ORIGINAL_MOST = 2000
_SHADES = 5
_ACCOUNT = {
    "in": "in", "applied": "applied", "duplicate": "duplicates", "dropped": "dropped by a rule of their mapping",
    "parked": "waiting for their customer", "dead_lettered": "that could not be used",
    "under_way": "on their way from one stage to the next",
}  # fmt: skip
_UNDER_WAY = "under_way"
NO_COUNTS = RuleCounts("", 0, 0, 0, 0, 0, 0, ())


def customer_values(
    customer: CustomerView, alerts: Sequence[AlertRow], rules: Mapping[str, RuleSpec], elsewhere: str = ""
) -> dict[str, Any]:
    """Everything that `customer.html` needs besides the frame; `elsewhere` says where the rest of the customer is kept."""
    newest = sorted(customer.facts, key=lambda fact: (fact.time, fact.source, fact.id), reverse=True)
    open_states = [state for state in customer.states if state.ended_at is None]
    live = [row for row in alerts if row.status in LIVE_STATUSES]
    drawing = customer_drawing(customer, alerts, rules, _PICTURE_FACTS)
    kinds = {mark.kind for mark in drawing.marks} | {shade.kind for shade in drawing.shades}
    return {
        "customer": customer,
        "alerts": alerts,
        "live": live,
        "open_states": sorted(open_states, key=lambda state: state.began_at),
        "facts": [(fact, event_words(fact.type, fact.data), about_words(fact.data, 4)) for fact in newest[:_FACT_ROWS]],
        "facts_left": max(0, len(newest) - _FACT_ROWS),
        "drawn": pictures(drawing, "c") if drawing.marks else None,
        "kinds": kinds | ({"bar"} if drawing.bars else set()),
        "rules": rules,
        "elsewhere": elsewhere,
        "summary": f"{short_key(customer.key)}: {_customer_words(live, None if elsewhere else customer)}",
        "waiting": [(one, event_words(one.act_type, {})) for one in customer.waiting],
    }


def _customer_words(live: Sequence[AlertRow], customer: CustomerView | None) -> str:
    many = len(live)
    alerts = f"{plural(many, 'alert')} {'waits' if many == 1 else 'wait'} for somebody" if live else "no alert waits"
    if customer is None:
        return f"{alerts}; the rest is kept by another worker."
    states, facts = sum(state.ended_at is None for state in customer.states), len(customer.facts)
    held = f"{plural(states, 'state')} {'is' if states == 1 else 'are'} open" if states else "no state is open"
    return f"{alerts}; {held}; {plural(facts, 'fact')} {'is' if facts == 1 else 'are'} kept for the rules."


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule with its counts, as the table and the rule's page show it."""

    spec: RuleSpec
    sentence: str
    counts: RuleCounts
    rate: str
    share: str
    interval: str
    precision: str
    spark: Markup


def rule_line(spec: RuleSpec, sentence: str, counts: RuleCounts | None, now: int) -> RuleLine:
    """A rule's numbers in words. Units: `now` in microseconds since 1970 UTC."""
    counts = counts or NO_COUNTS
    spark = Markup(sparkline(counts.hours, hour_of(now)))  # noqa: S704 - numbers only
    found, acts = counts.detections, counts.acts
    return RuleLine(
        spec,
        sentence,
        counts,
        rate=rate_words(found, acts) if acts else "no act judged yet",
        share=f"{percent_words(found / acts)} ({number_words(found)} of {number_words(acts)})"
        if acts
        else "no act yet",
        interval=interval_words(found, acts),
        precision=precision_words(counts),
        spark=spark,
    )


def precision_words(counts: RuleCounts) -> str:
    """How many of a rule's alerts people did not call a mistake."""
    if not counts.alerts:
        return "no alert yet"
    precision = precision_of(counts.verdicts)
    if precision is not None:
        return f"{rate_words(precision.right, precision.judged)} of the alerts that people judged were conflicts"
    if not counts.not_a_conflict:
        return f"none of {plural(counts.alerts, 'alert')} marked as not a conflict"
    return f"{rate_words(counts.not_a_conflict, counts.alerts)} marked as not a conflict"


def rule_lines(
    rules: Mapping[str, RuleSpec], sentences: Mapping[str, str], counts: Sequence[RuleCounts], now: int
) -> list[RuleLine]:
    """All rules, those with the most conflicts first. Units: `now` in microseconds since 1970 UTC."""
    by_rule = {one.rule: one for one in counts}
    lines = [rule_line(spec, sentences.get(rule, spec.why), by_rule.get(rule), now) for rule, spec in rules.items()]
    return sorted(lines, key=lambda line: (-line.counts.detections, line.spec.title))


def example_words(example: Example) -> tuple[str, list[str], str]:
    """One test of a rule: its name, its events in order, what it must raise."""
    start = min((event["at"] for event in example.events), default=0)
    events = [
        f"{format_duration(event['at'] - start)}: {event_words(event['type'], event.get('data') or {})}"
        for event in example.events
    ]
    raised = len(example.expect)
    return example.name, events, "raise nothing" if not raised else f"raise {plural(raised, 'detection')}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the collision matrix; `shade` runs from 0 (nothing) to 5 (the highest rate in the table)."""

    detections: int
    shade: int
    rate: str


def tools_values(pairs: Sequence[PairCount], sources: Sequence[SourceView]) -> dict[str, Any]:
    """Everything that `tools.html` needs besides the frame; a rate is out of all acts of the acting tool."""
    acts: dict[str, int] = {}
    found: dict[tuple[str, str], int] = {}
    for pair in pairs:
        acts[pair.act_tool] = acts.get(pair.act_tool, 0) + pair.acts
        if pair.detections:
            found[pair.act_tool, pair.evidence_tool] = (
                found.get((pair.act_tool, pair.evidence_tool), 0) + pair.detections
            )
    acting = sorted((tool for tool in acts if tool), key=lambda tool: (-_caused(found, tool), tool))
    against = sorted({tool for _, tool in found}, key=lambda tool: (not tool, tool))
    top = max((_share(count, acts.get(act, 0)) for (act, _), count in found.items()), default=0.0)
    cells = {
        (act, other): Cell(count, _shade(_share(count, acts.get(act, 0)), top), rate_words(count, acts.get(act, 0)))
        for (act, other), count in found.items()
    }
    named = {tool for source in sources for tool in source.tools} | set(acting) | {tool for tool in against if tool}
    lines = [
        {
            "tool": tool,
            "acts": acts.get(tool, 0),
            "caused": _caused(found, tool),
            "suffered": sum(count for (_, other), count in found.items() if other == tool),
            "rate": rate_words(_caused(found, tool), acts[tool]) if acts.get(tool) else "judged by no rule",
            "source": ", ".join(source.name for source in sources if tool in source.tools),
        }
        for tool in sorted(named, key=lambda tool: (-_caused(found, tool), tool))
    ]
    return {
        "acting": acting,
        "against": against,
        "cells": cells,
        "tools": lines,
        "has_source": any(line["source"] for line in lines),
        "summary": _tools_words(found, acts),
    }


def _caused(found: Mapping[tuple[str, str], int], tool: str) -> int:
    return sum(count for (act, _), count in found.items() if act == tool)


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0


def _shade(share: float, top: float) -> int:
    if share <= 0 or top <= 0:
        return 0
    return max(1, round(_SHADES * math.sqrt(share / top)))


def _tools_words(found: Mapping[tuple[str, str], int], acts: Mapping[str, int]) -> str:
    if not found:
        judged = plural(sum(acts.values()), "act")
        return f"{judged} judged; no tool has collided with another."
    (act, other), count = max(found.items(), key=lambda item: (item[1], item[0]))
    against = f"what {other} knew" if other else "something that was never sent"
    rate = rate_words(count, acts.get(act, 0))
    return f"{act or 'An unknown tool'} collided most often: {rate} of its acts went against {against}."


def sources_values(
    sources: Sequence[SourceView], letters: Sequence[DeadLetter], tallies: Mapping[str, int]
) -> dict[str, Any]:
    """Everything that `sources.html` needs besides the frame."""
    return {
        "sources": [
            {
                "view": source,
                "strip": Markup(strip(source.strip, source.name)),  # noqa: S704 - escaped inside
                "unknown": rate_words(*source.unknown) if source.unknown[1] else "",
                "tallies": source.tallies,
            }
            for source in sources
        ],
        "has_strip": any(source.strip for source in sources),
        "has_tallies": any(source.tallies for source in sources),
        "has_unknown": any(source.unknown[1] for source in sources),
        "letters": [(letter, original_words(letter.original)) for letter in letters],
        "account": account_words(tallies),
        "tallies": sorted((name, count) for name, count in tallies.items() if name not in _ACCOUNT),
        "summary": _sources_words(sources),
    }


def account_words(tallies: Mapping[str, int]) -> str:
    """The accounting identity in one sentence; empty before anything came in."""
    if not tallies.get("in"):
        return ""
    shown = {
        name: words for name, words in _ACCOUNT.items() if name != "in" and (name != _UNDER_WAY or name in tallies)
    }
    parts = [f"{number_words(tallies.get(name, 0))} {words}" for name, words in shown.items()]
    left = tallies["in"] - sum(tallies.get(name, 0) for name in shown)
    ending = "." if left == 0 else f"; {number_words(left)} not accounted for."
    return f"{plural(tallies['in'], 'event')} in: {listed(parts, 'and')}{ending}"


def _sources_words(sources: Sequence[SourceView]) -> str:
    if not sources:
        return "No source has sent anything yet."
    late = [source for source in sources if source.status == "late"]
    dark = [source for source in sources if source.status == "dark"]
    if not late and not dark:
        return f"All {plural(len(sources), 'source')} are read." if len(sources) > 1 else "The one source is read."
    words = [f"{', '.join(one.name for one in some)} {'is' if len(some) == 1 else 'are'} {status}"
             for some, status in ((dark, "dark"), (late, "late")) if some]  # fmt: skip
    fine = len(sources) - len(late) - len(dark)
    return f"{'; '.join(words)}; {number_words(fine)} of {plural(len(sources), 'source')} read."


def original_words(original: bytes) -> str:
    """The original bytes of a dead letter as text: readable JSON stays readable, other bytes are written as escapes."""
    cut = original[:_ORIGINAL_MOST]
    text = cut.decode("utf-8", "backslashreplace")
    if len(original) > _ORIGINAL_MOST:
        return f"{text}… ({number_words(len(original))} bytes in all)"
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if len(text) < _ORIGINAL_MOST else text
    except (ValueError, RecursionError):
        return text or "(empty)"
