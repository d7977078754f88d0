"""Why a rule fired and what would have stopped it, in words for people who are not programmers.

What enters: a Detection, its RuleSpec, and the engine's own explanation if there is one.
What leaves: ExplainSteps in the rule's order, and a word for each.
The next room: `alert`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coordwatch.adapters.pages.picture import view_of
from coordwatch.adapters.pages.steps import matches_words
from coordwatch.adapters.pages.words import about_words, event_words
from coordwatch.alerts.words import time_words
from coordwatch.events.words import duration_words
from coordwatch.ports import CustomerView, ExplainStep
from coordwatch.rules.detection import Detection, DetectionStatus, Evidence
from coordwatch.rules.spec import After, Expect, Given, RuleSpec, State, Unless, UnlessEvent, Window

# What it means that a step held, did not hold, or is not known; `unless`, `expect` and exceptions work the other way round.
_HELD = {True: "held", False: "did not hold"}
_OTHERWISE = {
    "unless": {True: "cancels", False: "did not cancel"},
    "exception": {True: "excepted", False: "no exception"},
    "expect": {True: "came in time", False: "did not come in time"},
}


def held_words(step: ExplainStep) -> str:
    """What came of a step: `held`, `did not cancel`, `did not hold, missed by 3 min`."""
    if step.held is None:
        return "unknown"
    words = _OTHERWISE.get(step.kind, _HELD)[step.held]
    return f"{words}, missed by {duration_words(step.missed_by)}" if step.missed_by is not None else words


def told_steps(engine: Sequence[ExplainStep], derived: Sequence[ExplainStep]) -> list[ExplainStep]:
    """The engine's verdict on each step, said in the derived words where both agree that the step made the rule fire."""
    plain = {step.step: step for step in derived}
    told = []
    for step in engine:
        words = plain.get(step.step)
        fires = step.held is (step.kind not in _OTHERWISE)
        if words is not None and fires:
            step = replace(step, text=words.text, stopper=words.stopper or step.stopper)
        told.append(step)
    return told or list(derived)


def derived_steps(detection: Detection, spec: RuleSpec, customer: CustomerView | None) -> list[ExplainStep]:
    """One step of explanation for each step of the rule."""
    act = detection.act
    steps = [ExplainStep(spec.when.name, "when", True, f"{_said(act)}.", [(act.source, act.id)])]
    for after in spec.after:
        steps.append(_after(after, detection))
    for state in spec.while_:
        steps.append(_state(state, detection, customer))
    for given in spec.given:
        steps.append(_given(given, detection))
    for unless in spec.unless:
        steps.append(_unless(unless))
    if spec.expect:
        steps.append(_expect(spec.expect, detection))
    return steps


def _said(event: Evidence) -> str:
    about = about_words(event.data)
    words = f"{event.tool or 'An unknown tool'}: {event_words(event.type, event.data)}"
    return f"{words} ({about})" if about else words


def _bound(detection: Detection, step: str) -> list[Evidence]:
    return [one for one in detection.evidence if one.step == step]


def _ids(events: Iterable[Evidence]) -> list[tuple[str, str]]:
    return [(event.source, event.id) for event in events]


def _after(step: After, detection: Detection) -> ExplainStep:
    events, act = _bound(detection, step.name), detection.act
    window = _window(step.within) if step.within else "any time"
    name = step.name.replace("_", " ")
    if step.is_counting:
        what = f"{len(events)} events counted as {name}"
        needed = f"at least {step.at_least or 1}" + (f" different values of {step.distinct}" if step.distinct else "")
        text = f"{what} within {window} before the act; the rule asks for {needed}."
        stopper = f"Fewer than {step.at_least or 1} of them within {window} before the act."
    else:
        gap = duration_words(act.time - events[0].time) if events else "some time"
        text = f"{_said(events[0]) if events else name}, {gap} before the act; the rule looks back {window}."
        stopper = f"No such event ({matches_words(step.matches)}) within {window} before the act."
    return ExplainStep(step.name, "after", True, text, _ids(events), None, stopper)


def _state(state: State, detection: Detection, customer: CustomerView | None) -> ExplainStep:
    events, act = _bound(detection, state.name), detection.act
    name = state.name.replace("_", " ")
    gap = duration_words(act.time - events[0].time) if events else "some time"
    key = about_words(events[0].data, 1) if events else ""
    view = view_of(state, events[0], detection, customer) if events else None
    if view and view.ended_at is not None and view.ended_at < act.time:
        ended = duration_words(act.time - view.ended_at)
        then = f"ended {ended} before it, and is felt for {duration_words(state.linger)} after that"
    elif view or not state.linger:
        then = "was open at the act"
    else:
        then = f"was open at the act, or had ended less than {duration_words(state.linger)} before"
    text = f"The {name}{f' ({key})' if key else ''} began {gap} before the act and {then}."
    ways = []
    if state.closed:
        before = f"more than {duration_words(state.linger)} before the act" if state.linger else "before the act"
        ways.append(f"A closing of the {name} ({matches_words(state.closed)}) {before}")
    if state.grace:
        ways.append(f"an act less than {duration_words(state.grace)} after it began (grace)")
    stopper = "; or ".join(ways) + "." if ways else None
    return ExplainStep(state.name, "while", True, text, _ids(events), None, stopper)


def _given(given: Given, detection: Detection) -> ExplainStep:
    events = _bound(detection, given.name)
    said = "; ".join(
        f"{_said(event)}, known {duration_words(detection.act.time - event.time)} before the act" for event in events
    )
    text = f"{said or given.name.replace('_', ' ')}."
    stopper = f"A newer fact about {given.name.replace('_', ' ')} that says otherwise, before the act."
    return ExplainStep(given.name, "given", True, text, _ids(events), None, stopper)


def _unless(step: Unless) -> ExplainStep:
    name = step.name.replace("_", " ")
    if not isinstance(step, UnlessEvent):
        text = f"No {name} was open at the act, which would have cancelled this."
        return ExplainStep(step.name, "unless", False, text, (), None, f"A {name} open at the act.")
    when = f"within {_window(step.within)} before the act" if step.within else "in time"
    if step.since:
        when = f"since the {step.since.replace('_', ' ')}"
    what = matches_words(step.matches)
    text = f"Not seen {when}: {what}. It would have cancelled this."
    return ExplainStep(step.name, "unless", False, text, (), None, f"{_first_up(what)}, {when}.")


def _expect(expect: Expect, detection: Detection) -> ExplainStep:
    what, due = matches_words(expect.matches), time_words(detection.at)
    late = _bound(detection, expect.name)
    length = duration_words(detection.at - detection.act.time)
    if late and detection.status is DetectionStatus.MADE_GOOD:
        delay = duration_words(late[0].time - detection.at)
        text = f"{_said(late[0])}, {delay} after the deadline of {due}."
    else:
        text = f"Not seen by {due}, {length} after the act: {what}."
    return ExplainStep(expect.name, "expect", False, text, _ids(late), None, f"{_first_up(what)}, by {due}.")


def _first_up(words: str) -> str:
    return words[:1].upper() + words[1:]


def _window(window: Window | None) -> str:
    if window is None:
        return "any time"
    calendar = f" of {window.calendar.replace('-', ' ')}" if window.calendar else ""
    return f"{duration_words(window.length)}{calendar}"
