"""The page of the tools: everything automated that acts on customers, and who collides with whom.

What enters: what the mappings say of the tools, the ledger by tool pair and by rule, campaigns with alerts, sources, tallies.
What leaves: what `tools.html` prints.
The next room: `shell`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.adapters.pages.steps import listed
from coordwatch.adapters.pages.words import plural, rate_words
from coordwatch.ports import CampaignRow, PairCount, SourceView, ToolCount, ToolView
from coordwatch.rules.spec import RuleSpec

_SHADES = 5
_CAMPAIGNS_MOST = 50
_KINDS = {
    "marketing": "marketing", "ads": "advertising", "bot": "service bot", "crm": "customer service", "commerce": "shop",
    "fulfilment": "fulfilment", "canonical": "any",
}  # fmt: skip
# What a tool that can give such events does, by the beginning of the type; the first that fits is said.
_DOES: Sequence[tuple[str, str]] = (
    ("marketing.message.", "sends messages"),
    ("marketing.journey.", "moves people through journeys"),
    ("marketing.audience.", "fills audiences"),
    ("marketing.ad.", "shows ads"),
    ("bot.", "talks to customers"),
    ("agent.", "guides agents"),
    ("service.case.", "opens and moves cases"),
    ("service.contact.", "takes calls and chats"),
    ("service.commitment.", "makes promises"),
    ("customer.", "changes customer records"),
    ("commerce.payment.", "charges and refunds"),
    ("commerce.", "changes orders"),
    ("fulfilment.shipment.", "ships parcels"),
    ("fulfilment.return.", "takes returns"),
    ("inventory.", "counts stock"),
    ("appointment.", "books appointments"),
    ("booking.", "books"),
    ("outage.", "reports outages"),
    ("feedback.", "asks for feedback"),
)
_DOES_MOST = 3
_ARRIVED = ("resolved", "parked", "unidentified")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the collision matrix; `shade` runs from 0 (nothing) to 5 (the highest rate in the table)."""

    detections: int
    shade: int
    rate: str


@dataclass(frozen=True, slots=True)
class ToolLine:
    """One tool of the inventory."""

    tool: str
    kind: str
    does: str
    owner: str
    events: int
    acts: int
    caused: int
    suffered: int
    rate: str
    rules: int
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the readers say of tools: pairs, rules, campaigns, and counters by name."""

    pairs: Sequence[PairCount]
    counts: Sequence[ToolCount]
    campaigns: Sequence[CampaignRow]
    tallies: Mapping[str, int]
    rules: Mapping[str, RuleSpec] = field(default_factory=dict)

    def types_of(self, tool: str) -> list[str]:
        """The types of event that rules have judged as acts of a tool: what a tool without a mapping of its own does."""
        rules = {one.rule for one in self.counts if one.act_tool == tool and one.kind == "acts" and one.amount}
        specs = [self.rules[rule] for rule in rules if rule in self.rules]
        return sorted({match.event for spec in specs for match in spec.when.matches})


def tools_values(ledger: Ledger, tools: Sequence[ToolView], sources: Sequence[SourceView]) -> dict[str, Any]:
    """Everything that `tools.html` needs besides the frame; a rate is out of all acts of the acting tool."""
    acts, found = _added(ledger.pairs)
    acting = sorted((tool for tool in acts if tool), key=lambda tool: (-_caused(found, tool), tool))
    against = sorted({tool for _, tool in found}, key=lambda tool: (not tool, tool))
    top = max((_share(count, acts.get(act, 0)) for (act, _), count in found.items()), default=0.0)
    cells = {
        (act, other): Cell(count, _shade(_share(count, acts.get(act, 0)), top), rate_words(count, acts.get(act, 0)))
        for (act, other), count in found.items()
    }
    lines = _lines(ledger, tools, sources)
    seen = [line for line in lines if line.events or line.acts or line.suffered]
    return {
        "acting": acting,
        "against": against,
        "cells": cells,
        "tools": seen,
        "silent": [line for line in lines if line not in seen],
        "campaigns": ledger.campaigns[:_CAMPAIGNS_MOST],
        "campaigns_left": max(0, len(ledger.campaigns) - _CAMPAIGNS_MOST),
        "summary": _tools_words(found, acts),
    }


def _added(pairs: Sequence[PairCount]) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Acts by acting tool, and detections by both tools."""
    acts: dict[str, int] = {}
    found: dict[tuple[str, str], int] = {}
    for pair in pairs:
        # Every pair of one acting tool carries all of its acts.
        acts[pair.act_tool] = max(acts.get(pair.act_tool, 0), pair.acts)
        if pair.detections:
            key = (pair.act_tool, pair.evidence_tool)
            found[key] = found.get(key, 0) + pair.detections
    return acts, found


def _lines(ledger: Ledger, tools: Sequence[ToolView], sources: Sequence[SourceView]) -> list[ToolLine]:
    acts, found = _added(ledger.pairs)
    known = {one.name: one for one in tools}
    judged: dict[str, set[str]] = {}
    for count in ledger.counts:
        if count.kind == "acts" and count.amount:
            judged.setdefault(count.act_tool, set()).add(count.rule)
    events = _events_by_tool(ledger.tallies)
    by_tool = {tool: source for source in sources for tool in source.tools}
    named = {*known, *events, *by_tool, *acts, *(tool for pair in found for tool in pair)} - {""}
    lines = []
    for tool in named:
        view, source = known.get(tool) or ToolView(tool), by_tool.get(tool)
        caused = _caused(found, tool)
        lines.append(
            ToolLine(
                tool=tool,
                kind=_KINDS.get(view.family, view.family),
                does=does_words(view.types or ledger.types_of(tool)),
                owner=view.owner,
                events=events.get(tool, 0),
                acts=acts.get(tool, 0),
                caused=caused,
                suffered=sum(count for (_, other), count in found.items() if other == tool),
                rate=rate_words(caused, acts[tool]) if acts.get(tool) else "",
                rules=len(judged.get(tool, ())),
                source=source.name if source else view.source,
                status=source.status if source else "",
            )
        )
    return sorted(lines, key=lambda line: (-line.caused, -line.events, line.tool.lower()))


def _events_by_tool(tallies: Mapping[str, int]) -> dict[str, int]:
    """How many events named each tool as the one that acted, whoever the customer was."""
    events: dict[str, int] = {}
    for name, count in tallies.items():
        kind, _, rest = name.partition(".")
        found, _, tool = rest.partition(".")
        if kind == "whose" and found in _ARRIVED and tool:
            events[tool] = events.get(tool, 0) + count
    return events


def does_words(types: Sequence[str]) -> str:
    """What a tool does to customers, from the events it can give."""
    found = [words for start, words in _DOES if any(one.startswith(start) for one in types)]
    return listed(found[:_DOES_MOST], "and")


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
