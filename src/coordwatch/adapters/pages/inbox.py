"""The inbox: a sentence, then a dense table of alerts, narrowed and ordered by its address.

What enters: a ListQuery and the reader.
What leaves: the values of the template `inbox.html`.
The next room: `shell`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordwatch.adapters.alert_rows import LIVE_STATUSES
from coordwatch.adapters.inbox_query import RANGES, SEVERITIES, STATUSES, ListQuery
from coordwatch.adapters.pages.act import SNOOZES
from coordwatch.adapters.pages.alert import BUTTONS, DONE_WORDS
from coordwatch.adapters.pages.steps import listed
from coordwatch.adapters.pages.views import view_choices
from coordwatch.adapters.pages.words import number_words, plural
from coordwatch.adapters.seen import alerts_seen
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.ports import AlertReader, AlertRow, Shelf
from coordwatch.rules.spec import RuleSpec

PAGE_ROWS = 50
BULK = (AlertAction.ACKNOWLEDGE, AlertAction.SNOOZE, AlertAction.RESOLVE, AlertAction.VERDICT)
_CHOICES_MOST = 40
_RANK = {word: rank for rank, word in enumerate(SEVERITIES)}
RANGE_WORDS = {"1h": "last hour", "24h": "last 24 h", "7d": "last 7 days", "all": "all time"}
_FILTER_WORDS = {
    "rule": "rule", "tool": "either tool is", "act_tool": "acting tool", "evidence_tool": "against", "campaign": "campaign",
    "attribution": "could have known", "customer": "customer", "incident": "incident", "severity": "severity", "q": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to go on from this view: a word, its address, whether it is where we are, and a count if it is known."""

    word: str
    address: str
    is_here: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class InboxRooms:
    """Where the inbox reads; `hidden` says that whoever looks sees personal data masked."""

    reader: AlertReader
    shelf: Shelf
    rules: Mapping[str, RuleSpec]
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class LastAct:
    """Who did what last, in words. Units: `at` in microseconds since 1970 UTC."""

    words: str
    at: int


def inbox_values(rooms: InboxRooms, query: ListQuery, now: int, are_all: bool = False) -> dict[str, Any]:
    """Everything that `inbox.html` needs besides the frame. Units: `now` in microseconds since 1970 UTC."""
    reader, rules = rooms.reader, rooms.rules
    since = rooms.shelf.newest_move()  # before the rows are read: what comes while they are is told twice, not never
    rows, cursor = alerts_seen(reader, (query.filters(now), PAGE_ROWS, query.cursor), hidden=rooms.hidden)
    totals = reader.alert_totals()
    return {
        "query": query,
        "since": since,
        "rows": rows,
        "older": query.older(cursor) if cursor else None,
        "summary": summary_words(totals),
        "statuses": _statuses(query, totals),
        "severities": _severities(query),
        "ranges": [Choice(RANGE_WORDS[name], query.address(range=name), query.get("range") == name) for name in RANGES],
        "range_words": RANGE_WORDS[query.get("range")],
        "narrowed": [
            Choice(f"{_FILTER_WORDS[name]} {_value_words(name, value, rules)}", query.address(**{name: None}), True)
            for name, value in query.narrowed.items()
        ],
        "rules": _rule_choices(rules, query.get("rule")),
        "tools": _tool_choices(reader, query.get("tool")),
        "sort": query.get("sort"),
        "stream_filters": json.dumps(_stream_filters(query)),
        "views": view_choices(query, [(view.name, view.query) for view in rooms.shelf.views()]),
        "are_all": are_all,
        "select_all": f"{query.here}{'&' if '?' in query.here else '?'}select=all",
        "acts": last_acts(rooms.shelf, rows),
        "snoozes": SNOOZES,
        "bulk": [(action, BUTTONS[action][0]) for action in BULK],
        "is_empty": not any(totals.values()),
    }


def last_acts(shelf: Shelf, rows: Sequence[AlertRow]) -> dict[str, LastAct]:
    """Who is on each alert that somebody has done something to, and is not open as if nobody had."""
    acts = shelf.last_acts([row.id for row in rows if row.status != "open" or row.note])
    return {
        alert: LastAct(f"{DONE_WORDS.get(one.action, one.action)} by {one.actor}", one.at)
        for alert, one in acts.items()
    }


def _rule_choices(rules: Mapping[str, RuleSpec], chosen: str) -> list[RuleSpec]:
    """The rules to choose from: the worst when there are many, so that the page stays small; the others are in the search."""
    worst = sorted(rules.values(), key=lambda spec: (spec.id != chosen, _RANK[spec.severity.value], spec.title))
    return sorted(worst[:_CHOICES_MOST], key=lambda spec: spec.title)


def _tool_choices(reader: AlertReader, chosen: str) -> list[str]:
    """The tools to choose from, those with the most acts when there are many."""
    acts: dict[str, int] = {}
    for pair in reader.pair_counts():
        acts[pair.act_tool] = max(acts.get(pair.act_tool, 0), pair.acts)
        acts.setdefault(pair.evidence_tool, 0)
    acts.pop("", None)
    busiest = sorted(acts, key=lambda tool: (tool != chosen, -acts[tool], tool))
    return sorted(busiest[:_CHOICES_MOST])


def summary_words(totals: Mapping[str, int]) -> str:
    """The sentence above the table."""
    live = {status: totals.get(status, 0) for status in LIVE_STATUSES}
    total = sum(live.values())
    if not total:
        return "No alert is waiting for anybody."
    parts = [f"{number_words(count)} {status}" for status, count in live.items() if count]
    worst = [f"{number_words(totals[word])} {word}" for word in ("critical", "high") if totals.get(word)]
    of_them = f"; {listed(worst, 'and')} among them" if worst else ""
    if len(parts) == 1:
        status = next(status for status, count in live.items() if count)
        return f"{plural(total, 'alert')} {'is' if total == 1 else 'are'} {status}{of_them}."
    return f"{plural(total, 'alert')} wait: {listed(parts, 'and')}{of_them}."


def _statuses(query: ListQuery, totals: Mapping[str, int]) -> list[Choice]:
    here = query.get("status")
    choices = [
        Choice(status.replace("_", " "), query.address(status=status), here == status, totals.get(status, 0))
        for status in STATUSES
    ]
    return [*choices, Choice("all", query.address(status="all"), here == "all", None)]


def _severities(query: ListQuery) -> list[Choice]:
    here = query.get("severity")
    return [Choice(word, query.address(severity=None if here == word else word), here == word) for word in SEVERITIES]


def _value_words(name: str, value: str, rules: Mapping[str, RuleSpec]) -> str:
    if name == "rule" and value in rules:
        return rules[value].title
    if name == "attribution":
        return value.replace("_", " ")
    return value


def _stream_filters(query: ListQuery) -> dict[str, str]:
    """What a new alert must be for this view to speak of it; a search for text cannot be told from the stream."""
    wanted = {name: value for name, value in query.narrowed.items() if name not in ("q",)}
    if query.get("status") != "all":
        wanted["status"] = query.get("status")
    return wanted


def tokens_of(rows: Sequence[AlertRow]) -> str:
    """Alerts and the versions they have now, for an undo: `id.version,id.version`."""
    return ",".join(f"{row.id}.{row.version}" for row in rows)
