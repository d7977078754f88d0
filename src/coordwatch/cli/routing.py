"""`coordwatch channels route`: which way an alert goes through the tree of the settings, and why.

What enters: settings; an alert that is there, or labels that are made up.
What leaves: every route that was looked at, who is told now, and what follows when nobody looks.
The next room: `notify.route`, which walks the tree.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from coordwatch.alerts.card import RuleCard, cards_of
from coordwatch.alerts.labels import LABELS, Labels, industries_in
from coordwatch.app.content import load_content
from coordwatch.app.databases import open_store
from coordwatch.app.routing import route_of
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.documents import nearest
from coordwatch.errors import PermanentError
from coordwatch.events.times import format_time, parse_time
from coordwatch.events.words import duration_words
from coordwatch.notify.route import Explained, explain
from coordwatch.ports import AlertRow
from coordwatch.settings import Settings

OK, BAD_INPUT = 0, 2


def explain_way(args: argparse.Namespace, settings: Settings) -> int:
    """Say which way an alert goes.

    Raises: PermanentError, ValueError
    """
    if (args.alert is None) == (not args.labels):
        raise PermanentError("name an alert by --alert, or labels such as severity=critical")
    cards = cards_of(load_content(settings).rules)
    labels = _made_up(args.labels, cards) if args.alert is None else _of_alert(args.alert, settings, cards)
    root = route_of(settings)
    if root is None:
        raise PermanentError(
            "the settings have no 'route': each channel says by its 'match' what it takes; 'coordwatch channels list' shows them"
        )
    now = SystemClock().now() if args.at is None else parse_time(args.at)
    found = explain(root, labels, now)
    print(_json(found, now) if args.json or not sys.stdout.isatty() else _text(found, now))
    return OK


def _of_alert(alert: str, settings: Settings, cards: Mapping[str, RuleCard]) -> Labels:
    if isinstance(settings.database, Path) and not settings.database.is_file():
        raise PermanentError(f"there is no database {settings.database}: has coordwatch run with it?")
    with ExitStack() as closing:
        view = open_store(settings, {}, closing).alert(alert)
    if view is None:
        raise PermanentError(f"there is no alert '{alert[:80]}': 'coordwatch alerts list' shows them")
    card = cards.get(view.row.rule)
    return _labels(view.row, () if card is None else card.tags)


def _labels(row: AlertRow, tags: Sequence[str]) -> Labels:
    return {
        "alertname": (row.rule,),
        "rule": (row.rule,),
        "severity": (row.severity,),
        "owner": (row.owner,),
        "tag": tuple(tags),
        "industry": industries_in(tags),
        "customer": (row.customer,),
        "tool": tuple(one for one in (row.act_tool, row.evidence_tool) if one),
        "act_tool": (row.act_tool,),
        "evidence_tool": (row.evidence_tool,),
        "campaign": (row.campaign or "",),
        "attribution": (row.attribution,),
    }


def _made_up(texts: Sequence[str], cards: Mapping[str, RuleCard]) -> Labels:
    """The labels of texts; what a known rule says of itself is filled in."""
    labels: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equal, value = text.partition("=")
        if not equal or name not in LABELS:
            close = nearest(name, LABELS)
            hint = f"did you mean '{close}'?" if close else f"the labels are: {', '.join(LABELS)}"
            raise PermanentError(f"'{text[:60]}' is no LABEL=VALUE; {hint}")
        labels[name] = (*labels.get(name, ()), value)
    rule = labels.get("rule") or labels.get("alertname")
    card = cards.get(rule[0]) if rule else None
    if card is not None:
        known = {"severity": (card.severity.value,), "owner": (card.owner,), "tag": tuple(card.tags)}
        labels = {**known, "rule": (card.id,), "alertname": (card.id,), **labels}
    return {"industry": industries_in(labels.get("tag", ())), **labels}


def _json(found: Explained, now: int) -> str:
    routed = found.routed
    plain: dict[str, Any] = {
        "at": format_time(now),
        "routes": [
            {"path": one.path, "takes": one.takes, "end": one.is_end, "words": one.words} for one in found.visits
        ],
        "to": sorted(routed.to),
        "steps": [
            {"due": format_time(one.due), "to": list(one.to), "reason": one.reason.value, "words": one.words}
            for one in routed.steps
        ],
        "held": None if routed.hold is None else routed.hold.words,
    }
    return encode_json(plain).decode()


def _text(found: Explained, now: int) -> str:
    routed = found.routed
    lines = [f"{'  ' * one.depth}{'->' if one.is_end else '  '} {one.path}: {one.words}" for one in found.visits]
    if routed.hold is not None:
        lines.append(f"told now: nobody; {routed.hold.words}")
    else:
        lines.append(f"told now: {', '.join(sorted(routed.to)) or 'nobody; it is in the inbox'}")
    lines += [f"in {duration_words(one.due - now)}: {', '.join(one.to)}; {one.words}" for one in routed.steps]
    return "\n".join(lines)
