"""The history of an alert: what was done to it, and who was told of it when, or why nobody was.

What enters: an AlertView.
What leaves: lines in the order of time.
The next room: `alert`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordwatch.alerts.words import time_words
from coordwatch.notify.outbox import STEP, TellingView
from coordwatch.ports import AlertView

_TELLS = frozenset({"new", "reopened", "hours_began", "escalated"})
_WHY = {
    "no_channel": "not told: no channel takes this rule",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "resolved": "resolved",
    "retracted": "retracted",
    "not_a_conflict": "not a conflict",
    "reopened": "open again",
    "silenced": "silenced",
    "inhibited": "another alert says it already",
    "muted": "maintenance",
    "outside_hours": "outside its hours",
    "hours_began": "its hours have begun",
    "escalated": "nobody had looked at it",
    "incident_acknowledged": "somebody is looking at its incident",
}


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of the history. Units: `at` in microseconds since 1970 UTC."""

    at: int
    who: str
    what: str
    note: str


def history_of(view: AlertView, done_words: Mapping[str, str]) -> Sequence[HistoryLine]:
    """Everything that was done and said, oldest first; what was said stands behind what it was said about."""
    done = [HistoryLine(one.at, one.actor, done_words.get(one.action, one.action), one.note) for one in view.audit]
    told = [HistoryLine(one.at, one.channel or "coordwatch", *told_words(one)) for one in view.tellings]
    return sorted([*done, *told], key=lambda line: line.at)


def told_line(tellings: Sequence[TellingView]) -> str:
    """Who has been told of an alert, or why nobody has, in one sentence."""
    if not tellings:
        return "It is not decided yet whether somebody is told."
    told: dict[str, int] = {}
    for one in tellings:
        if one.delivered_at is not None and one.state in ("done", "waiting"):
            told[one.channel] = min(one.delivered_at, told.get(one.channel, one.delivered_at))
    if told:
        said = [f"{channel} at {time_words(at)}" for channel, at in sorted(told.items(), key=lambda item: item[1])]
        return f"Told: {', '.join(said)}."
    what, about = told_words(max(tellings, key=lambda one: one.at))
    return f"Nobody has been told by a message: {what.removeprefix('not told: ')}{f', {about}' if about else ''}."


def told_words(one: TellingView) -> tuple[str, str]:
    """What became of one decision, and what is to be known about it."""
    why = _WHY.get(one.reason, "")
    if one.state == STEP:
        return f"will be told at {time_words(one.next_at)[-9:]}", "unless somebody has looked by then"
    if not one.state:
        return _untold(one, why)
    also = f"together with {one.many - 1} others" if one.many > 1 else ""
    about = ": ".join(part for part in (also, why if one.reason != "new" else "") if part)
    if one.delivered_at is not None and one.state in ("done", "waiting"):
        tries = f"{about}; " if about else ""
        return f"told at {time_words(one.delivered_at)[-9:]}", f"{tries}{one.answer}"
    if one.state == "refused":
        return "not told: the channel refused it for good", one.answer
    if one.state == "withdrawn":
        return "not told: it was over before it was said", about
    if one.attempts:
        next_try = f"tried {one.attempts} times, next at {time_words(one.next_at)[-9:]}"
        return "not told yet", f"{next_try}; {one.answer}" if one.answer else next_try
    return "not told yet", f"due at {time_words(one.next_at)[-9:]}"


def _untold(one: TellingView, why: str) -> tuple[str, str]:
    if one.reason in _TELLS:
        return "shown in the inbox", "no channel is set up"
    if one.reason == "no_channel":
        return why, "see channels: in the settings"
    return f"not told: {why or one.reason}", one.note
