"""One alert's page: its pictures, what could have been known, why it fired, what to do.

What enters: an AlertView, its rule, the customer's context.
What leaves: the values of the template `alert.html`.
The next room: `shell`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from coordwatch.adapters.pages.drawing import SEEN_LEAST, Drawing, seen_late
from coordwatch.adapters.pages.picture import Entry, detection_drawing, entries_of
from coordwatch.adapters.pages.telling import history_of, told_line
from coordwatch.adapters.pages.timeline import draw
from coordwatch.adapters.pages.why import derived_steps, held_words, told_steps
from coordwatch.adapters.pages.words import look
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus, allowed_actions
from coordwatch.alerts.plain import detection_from_plain
from coordwatch.alerts.verdict import Verdict
from coordwatch.alerts.words import attribution_words
from coordwatch.events.words import duration_words
from coordwatch.ports import AlertView, CustomerView, ExplainStep
from coordwatch.rules.detection import Attribution, Detection, DetectionStatus
from coordwatch.rules.spec import RuleSpec

WIDE, NARROW = 920, 356
_DETECTIONS_MOST = 20
_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_.]*)\}")
# The word on the button, and what the page says when it is done.
BUTTONS: Mapping[AlertAction, tuple[str, str]] = {
    AlertAction.ACKNOWLEDGE: ("Acknowledge", "Acknowledged"),
    AlertAction.SNOOZE: ("Snooze", "Snoozed"),
    AlertAction.WAKE: ("Wake", "Woken"),
    AlertAction.RESOLVE: ("Resolve", "Resolved"),
    AlertAction.VERDICT: ("Not a conflict", "Marked as not a conflict"),
    AlertAction.REOPEN: ("Reopen", "Reopened"),
    AlertAction.JUDGE: ("It was a conflict", "Marked as a conflict"),
    AlertAction.UNDO: ("Undo", "Undone"),
}
DONE_WORDS = {
    "raise": "raised", "repeat": "happened again", "retract": "retracted", "made_good": "made good", "wake": "woken",
    "acknowledge": "acknowledged", "snooze": "snoozed", "resolve": "resolved", "verdict": "marked as not a conflict",
    "reopen": "reopened", "judge": "marked as a conflict", "undo": "undone",
    "condition_met": "woken, as what it waited for came true",
}  # fmt: skip
# What somebody may say of an alert that is no conflict; it feeds the precision of the rule.
MISTAKES: Mapping[str, str] = {
    Verdict.NOT_A_CONFLICT.value: "no reason given",
    Verdict.INTENDED.value: "it was meant so",
    Verdict.WRONG_DATA.value: "a tool said what was not so",
    Verdict.WRONG_PERSON.value: "two people, not one",
    Verdict.TOO_WIDE.value: "the rule is too wide",
}
_CLOSED = {
    AlertStatus.RESOLVED: "resolved",
    AlertStatus.RETRACTED: "retracted",
    AlertStatus.NOT_A_CONFLICT: "marked as not a conflict",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One detection as the page shows it. `drawn` are its pictures, wide and narrow."""

    detection: Detection
    entries: Sequence[Entry]
    drawn: tuple[Markup, Markup]
    known: str
    kinds: frozenset[str]


SURE = {
    "high": "matched by a declared id",
    "medium": "matched by an address, a number or a tool's own id",
    "low": "matched only by a cookie or a device: perhaps two people",
}
"""How sure it is that the events of a customer are one person's, in words."""


def alert_values(
    view: AlertView,
    spec: RuleSpec | None,
    customer: CustomerView | None,
    explain: Callable[[Detection], Sequence[ExplainStep]],
) -> dict[str, Any]:
    """Everything that `alert.html` needs besides the frame."""
    detections = sorted(
        (detection_from_plain(plain) for plain in view.detections),
        key=lambda one: (one.status is DetectionStatus.RETRACTED, -one.at, one.id),
    )
    shown = [_shown(one, spec, customer, view, index) for index, one in enumerate(detections[:1])]
    main = shown[0] if shown else None
    steps: list[ExplainStep] = []
    if main:
        derived = derived_steps(main.detection, spec, customer) if spec else []
        steps = told_steps(explain(main.detection), derived)
    return {
        "view": view,
        "row": view.row,
        "main": main,
        "others": detections[1:_DETECTIONS_MOST],
        "more": max(0, len(detections) - _DETECTIONS_MOST),
        "steps": steps,
        "held_words": held_words,
        "stoppers": [step.stopper for step in steps if step.stopper],
        "numbers": _numbers(main),
        "runbook": runbook_of(spec.runbook if spec else "", _filler(main)),
        "status_words": status_words,
        "history": history_of(view, DONE_WORDS),
        "told": told_line(view.tellings),
        "mistakes": MISTAKES,
        "spec": spec,
        "late": _late_words(main),
        "sure": SURE.get(customer.confidence, "") if customer else "",
        "seen_least": SEEN_LEAST,
        "actions": allowed_actions(AlertStatus(view.row.status), view.undoable),
        "buttons": BUTTONS,
        "closed": _CLOSED.get(AlertStatus(view.row.status), ""),
        "raw": json.dumps([dict(plain) for plain in view.detections], indent=2, ensure_ascii=False, default=str),
    }


def _shown(
    detection: Detection, spec: RuleSpec | None, customer: CustomerView | None, view: AlertView, index: int
) -> Shown:
    entries = entries_of(detection, spec)
    drawing = detection_drawing(detection, entries, spec, customer, view.row.severity)
    drawn = pictures(drawing, f"t{index}")
    return Shown(detection, entries, drawn, known_words(detection), _kinds(drawing))


def pictures(drawing: Drawing, name: str) -> tuple[Markup, Markup]:
    """The same picture for a wide and for a narrow screen; the style sheet shows one of them."""
    return Markup(draw(drawing, WIDE, f"{name}w")), Markup(draw(drawing, NARROW, f"{name}n"))  # noqa: S704 - escaped inside


def _kinds(drawing: Drawing) -> frozenset[str]:
    """What the key below the picture must explain."""
    kinds = {mark.kind for mark in drawing.marks} | {shade.kind for shade in drawing.shades}
    if drawing.bars:
        kinds.add("bar")
    if any(seen_late(mark, drawing) for mark in drawing.marks if mark.kind != "context"):
        kinds.add("seen")
    return frozenset(kinds)


def known_words(detection: Detection) -> str:
    """Could the acting tool have known: one sentence."""
    tool = detection.act.tool or "The acting tool"
    if detection.attribution is Attribution.IGNORED:
        lay = f" for {duration_words(detection.known_for)}" if detection.known_for is not None else ""
        return f"Yes. The evidence lay in the log{lay} before {tool} acted."
    if detection.attribution is Attribution.IN_FLIGHT:
        return f"Barely. The evidence reached the log so shortly before that {tool} had already begun: in flight."
    if detection.attribution is Attribution.COULD_NOT_KNOW:
        return f"No. The evidence reached the log only after {tool} had acted: it could not know."
    act = detection.act
    if detection.at > act.observed_at and detection.at > act.time:
        there = duration_words(detection.at - act.observed_at)
        return f"Something was due and did not come in time. What called for it was in the log {there} before the deadline."
    return "The rule names no earlier event that the acting tool could have known."


def status_words(detection: Detection) -> str:
    """What stands of one detection, in a few words."""
    words = detection.status.value.replace("_", " ")
    attribution = attribution_words(detection.attribution, detection.known_for)
    return f"{words}, {attribution}" if attribution else words


def _late_words(main: Shown | None) -> str:
    """How late what was due has come, for a detection that was made good."""
    late = [entry for entry in main.entries if entry.kind == "late"] if main else []
    made_good = main is not None and main.detection.status is DetectionStatus.MADE_GOOD
    return f"made good {late[0].relation}" if late and made_good else ""


def _numbers(main: Shown | None) -> Mapping[tuple[str, str], int]:
    """The number under which an event stands in the picture."""
    return {(entry.source, entry.id): entry.number for entry in main.entries if entry.id} if main else {}


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to do: numbered steps, and whatever stands outside them."""

    steps: Sequence[str]
    paragraphs: Sequence[str]


def runbook_of(text: str, fill: Callable[[str], str]) -> Runbook:
    """Cut a runbook at its numbers, 1 and up; text outside them is paragraphs. Takes: `fill` puts values into a text."""
    steps: list[list[str]] = []
    paragraphs = []
    for paragraph in text.split("\n\n"):
        head: list[str] = []
        current = head
        for word in paragraph.split():
            if word in (f"{len(steps) + 1}.", f"{len(steps) + 1})"):
                current = []
                steps.append(current)
            else:
                current.append(word)
        if head:
            paragraphs.append(fill(" ".join(head)))
    return Runbook([fill(" ".join(step)) for step in steps], paragraphs)


def _filler(main: Shown | None) -> Callable[[str], str]:
    """Put the events' values in place of `{step.field}`."""
    events = {one.step: one for one in (main.detection.evidence if main else ())}
    if main:
        events[main.detection.act.step] = main.detection.act

    def word(found: re.Match[str]) -> str:
        event, name = events.get(found[1]), found[2]
        values = [event.tool] if event and name in ("tool", "tool.name") else look(event.data, name) if event else []
        words = ", ".join(str(value) for value in values[:3] if value not in (None, ""))
        return words or f"the {name.removesuffix('.sku').removesuffix('s').replace('_', ' ').replace('.', ' ')}"

    return lambda text: _PLACE.sub(word, text)
