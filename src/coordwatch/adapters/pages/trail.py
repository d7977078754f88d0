"""The audit trail for people: who did what to what, newest first.

What enters: filters in the address, the Trail.
What leaves: a page, with how far the trail goes.
The next room: `router`, which gives it its address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response

from coordwatch.adapters.pages.shell import Shell
from coordwatch.adapters.pages.words import number_words
from coordwatch.audit.chain import Link
from coordwatch.audit.deed import DeedKind
from coordwatch.audit.trail import Asked, Trail
from coordwatch.codec import decode_json
from coordwatch.errors import PermanentError

_ROWS = 100
_PLACES: Mapping[str, str] = {"alert": "/alerts/", "incident": "/incidents/"}
_DONE = {
    "raise": "raised", "repeat": "happened again", "retract": "retracted", "made_good": "made good", "wake": "woken",
    "acknowledge": "acknowledged", "snooze": "snoozed", "resolve": "resolved", "verdict": "marked as not a conflict",
    "judge": "marked as a conflict", "reopen": "reopened", "undo": "set back", "escalate": "escalated", "expire": "let go",
    "make": "made", "change": "changed", "end": "ended", "save": "saved", "remove": "removed", "load": "loaded",
    "begin": "began", "refuse": "refused", "revoke": "revoked", "unmask": "unmasked", "export": "exported",
    "forget": "forgotten", "lift": "lifted", "split": "split", "replay": "sent round again", "show": "shown",
    "retry": "tried again", "test": "tested", "prune": "pruned", "condition_met": "woken, as what it waited for came true",
}  # fmt: skip
_FACTS = {"before": "was", "after": "is"}
_UNSAID = frozenset({"version"})
NOUNS = tuple(dict.fromkeys(kind.value.partition(".")[0] for kind in DeedKind))


@dataclass(frozen=True, slots=True)
class Line:
    """One deed as the table shows it."""

    link: Link
    words: str
    address: str
    facts: str


class TrailPages:
    """The endpoint of the audit trail."""

    def __init__(self, trail: Trail, shell: Shell) -> None:
        self._trail, self._shell = trail, shell

    def list(self, request: Request) -> Response:
        """A page of deeds."""
        asked = request.query_params
        kind = asked.get("kind", "")[:80]
        before = asked.get("before", "")
        wanted = Asked(
            actor=asked.get("actor", "").strip()[:120],
            kind=kind if kind in NOUNS or kind in tuple(DeedKind) else "",
            subject=asked.get("subject", "").strip()[:200],
            before=int(before) if before.isascii() and before.isdigit() and len(before) < 15 else None,
        )
        links = self._trail.page(wanted, _ROWS + 1)
        kept = {"actor": wanted.actor, "kind": wanted.kind, "subject": wanted.subject}
        kept = {name: value for name, value in kept.items() if value}
        head = self._trail.head()
        values: dict[str, Any] = {
            "lines": [line_of(link) for link in links[:_ROWS]],
            "older": f"/audit?{urlencode({**kept, 'before': links[_ROWS - 1].number})}" if len(links) > _ROWS else None,
            "asked": wanted,
            "kinds": NOUNS,
            "head": head,
            "summary": f"{number_words(head.number)} deeds are written down; nothing in here can be changed unseen.",
        }
        return self._shell.page(request, "audit.html", values)


def line_of(link: Link) -> Line:
    """A deed in words, with the page of what it was done to."""
    noun, _, verb = link.kind.partition(".")
    place = _PLACES.get(noun)
    try:
        facts = decode_json(link.facts)
    except PermanentError:
        facts = {}
    said = [f"{_FACTS.get(name, name.replace('_', ' '))} {value}".replace("_", " ") for name, value in facts.items()
            if value not in (None, "") and name not in _UNSAID]  # fmt: skip
    address = f"{place}{quote(link.subject, safe='')}" if place and link.subject else ""
    return Line(link, f"{noun} {_DONE.get(verb, verb)}", address, ", ".join(said))
