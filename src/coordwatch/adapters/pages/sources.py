"""The page of the sources: which are read, late or dark, what came of their records, and what could not be used.

What enters: SourceViews, dead letters, the tallies.
What leaves: what `sources.html` prints.
The next room: `shell`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from coordwatch.adapters.pages.chart import strip
from coordwatch.adapters.pages.steps import listed
from coordwatch.adapters.pages.words import number_words, plural, rate_words
from coordwatch.ports import DeadLetter, SourceView

_ORIGINAL_MOST = 2000
_NAMED_MOST = 4
_WORST = {"dark": 0, "late": 1, "read": 2, "idle": 3}
_ACCOUNT = {
    "in": "in", "applied": "applied", "duplicate": "duplicates", "dropped": "dropped by a rule of their mapping",
    "parked": "waiting for their customer", "dead_lettered": "that could not be used",
    "under_way": "on their way from one stage to the next",
}  # fmt: skip
_UNDER_WAY = "under_way"
# By the beginning of a counter's name: the heading it stands under, and what its parts are.
_GROUPS: Mapping[str, str] = {
    "whose": "Whose events they were, by tool",
    "gap": "Whose events they were, by tool",
    "unusable": "Whose events they were, by tool",
    "aliased": "Whose events they were, by tool",
    "quarantined": "Whose events they were, by tool",
    "lookup_known": "Asked of the campaign catalogue and the tables, and known",
    "lookup_unknown": "Asked of the campaign catalogue and the tables, and not known",
    "unknown_category": "Asked of the campaign catalogue and the tables, and not known",
    "source": "Records by source",
    "time": "Events whose time is not their own, by source",
    "filled": "Fields and identifiers that came filled, by source",
    "dead_lettered": "Why records could not be used",
    "dropped": "Why records were dropped",
    "message": "Messages to people, by channel",
}
_OTHER = "Everything else that is counted"

# Why nobody could be found for an event; other details are sentences already.
_WHY = {
    "identity_unresolved: no_owner": "nobody was seen with what it names for as long as an event may wait (identity.park_for)",
    "identity_unresolved: quarantined": "what it names belongs to too many customers to say whose it is",
    "identity_unresolved: ambiguous": "what it names belongs to two customers",
}


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source as the table shows it; `records` are what came of them, in words."""

    view: SourceView
    strip: Markup
    unknown: str
    records: Sequence[tuple[str, int]]


def sources_values(
    sources: Sequence[SourceView], letters: Sequence[DeadLetter], tallies: Mapping[str, int]
) -> dict[str, Any]:
    """Everything that `sources.html` needs besides the frame."""
    lines = [_line(source, tallies) for source in sources]
    shown = [line for line in lines if has_spoken(line.view) or line.records]
    shown.sort(key=lambda line: (_WORST.get(line.view.status, len(_WORST)), line.view.name))
    silent = [line.view.name for line in lines if not (has_spoken(line.view) or line.records)]
    return {
        "sources": shown,
        "silent": silent,
        "has_strip": any(line.strip for line in shown),
        "has_unknown": any(line.unknown for line in shown),
        "letters": [(one, original_words(one.original), _WHY.get(one.detail, one.detail)) for one in letters],
        "account": account_words(tallies),
        "counters": _counters(tallies),
        "summary": _sources_words([line.view for line in shown]),
    }


def has_spoken(source: SourceView) -> bool:
    """Whether anything ever came from a source, or ought to have by now."""
    return source.last_seen is not None or source.status == "dark" or bool(source.tallies)


def _line(source: SourceView, tallies: Mapping[str, int]) -> SourceLine:
    name = source.name
    unknown = tallies.get(f"lookup_unknown.{name}.category", 0)
    asked = unknown + tallies.get(f"lookup_known.{name}.category", 0)
    part, whole = source.unknown if source.unknown[1] else (unknown, asked)
    counted = dict(source.tallies) or {
        word: tallies.get(f"source.{kind}.{name}", 0)
        for word, kind in (("used", "mapped"), ("left out", "dropped"), ("not usable", "refused"))
    }
    return SourceLine(
        source,
        strip=Markup(strip(source.strip, name)),  # noqa: S704 - escaped inside
        unknown=rate_words(part, whole) if whole else "",
        records=[(word.replace("_", " "), count) for word, count in counted.items() if count],
    )


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


def _counters(tallies: Mapping[str, int]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Every other counter under the heading it belongs to, for whoever looks for one."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for name, count in sorted(tallies.items()):
        if name in _ACCOUNT or not count:
            continue
        kind, _, rest = name.partition(".")
        heading = _GROUPS.get(kind, _OTHER)
        words = rest if rest and kind in _GROUPS and kind not in ("gap", "unusable") else name
        groups.setdefault(heading, []).append((words.replace("_", " ").replace(".", ": "), count))
    order = [*dict.fromkeys(_GROUPS.values()), _OTHER]
    return [(heading, groups[heading]) for heading in order if heading in groups]


def _sources_words(sources: Sequence[SourceView]) -> str:
    if not sources:
        return "No source has sent anything yet."
    late = [source for source in sources if source.status == "late"]
    dark = [source for source in sources if source.status == "dark"]
    if not late and not dark:
        return f"All {plural(len(sources), 'source')} are read." if len(sources) > 1 else "The one source is read."
    words = [f"{_named(some)} {'is' if len(some) == 1 else 'are'} {status}"
             for some, status in ((dark, "dark"), (late, "late")) if some]  # fmt: skip
    fine = len(sources) - len(late) - len(dark)
    return f"{'; '.join(words)}; {number_words(fine)} of {plural(len(sources), 'source')} read."


def _named(sources: Sequence[SourceView]) -> str:
    names = [source.name for source in sources[:_NAMED_MOST]]
    more = len(sources) - len(names)
    return listed([*names, f"{number_words(more)} more"] if more else names, "and")


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
