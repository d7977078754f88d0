"""What a picture shows: the events of one detection in order, with their numbers, and the Drawing made of them.

What enters: a Detection, its rule and what is known of the customer.
What leaves: Entries (the list below the picture) and a Drawing with the same numbers.
The next room: `timeline`, which draws, and `alert`, which lists.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coordwatch.adapters.pages.drawing import Bar, Drawing, Mark, Ruler, Shade
from coordwatch.adapters.pages.steps import matches_words
from coordwatch.adapters.pages.words import about_words, event_words, plural
from coordwatch.alerts.words import time_words
from coordwatch.events.words import duration_words
from coordwatch.ports import AlertRow, CustomerView, FactView, StateView
from coordwatch.rules.detection import Detection, DetectionStatus, Evidence
from coordwatch.rules.spec import RuleSpec, State

NO_TOOL = "unknown tool"
MISSING = "missing"
_CONTEXT_MOST = 40
_LANES_MOST = 8
_RULERS_MOST = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list below the picture. `kind` is act, evidence, late or missing; `relation` is the gap to the act.

    Units: `at` and `seen_at` in microseconds since 1970 UTC
    """

    number: int
    kind: str
    at: int
    seen_at: int | None
    tool: str
    words: str
    about: str
    step: str
    relation: str
    source: str = ""
    id: str = ""


def entries_of(detection: Detection, spec: RuleSpec | None) -> list[Entry]:
    """The events of a detection, and the one that never came, oldest first."""
    expects = spec.expect.name if spec and spec.expect else None
    found = [_entry("act", detection.act, detection)]
    found += [_entry("late" if one.step == expects else "evidence", one, detection) for one in detection.evidence]
    if expects and detection.status is not DetectionStatus.MADE_GOOD:
        found.append(_missing(detection, spec))
    found.sort(key=lambda entry: (entry.at, entry.kind == "act", entry.source, entry.id))
    return [_numbered(entry, number) for number, entry in enumerate(found, 1)]


def _entry(kind: str, event: Evidence, detection: Detection) -> Entry:
    act = detection.act
    if kind == "act":
        relation = "the act"
    elif kind == "late":
        relation = f"{duration_words(event.time - detection.at)} after the deadline"
    elif event.time == act.time:
        relation = "at the same instant"
    else:
        side = "before" if event.time < act.time else "after"
        relation = f"{duration_words(act.time - event.time)} {side} the act"
    return Entry(
        0, kind, event.time, event.observed_at, event.tool or NO_TOOL, event_words(event.type, event.data),
        about_words(event.data), event.step, relation, event.source, event.id,
    )  # fmt: skip


def _missing(detection: Detection, spec: RuleSpec | None) -> Entry:
    expect = spec.expect if spec else None
    words = matches_words(expect.matches) if expect else "expected event"
    relation = f"due {duration_words(detection.at - detection.act.time)} after the act"
    return Entry(0, "missing", detection.at, None, MISSING, words, "", expect.name if expect else "", relation)


def _numbered(entry: Entry, number: int) -> Entry:
    return Entry(number, *(getattr(entry, name) for name in Entry.__slots__[1:]))


def detection_drawing(
    detection: Detection, entries: Sequence[Entry], spec: RuleSpec | None, customer: CustomerView | None, severity: str
) -> Drawing:
    """The picture of one detection."""
    bars, shades = _states(detection, spec, customer)
    lanes = {entry.tool for entry in entries}
    marks = [_mark(entry) for entry in entries]
    marks += [Mark("due", entry.tool, detection.at, "due") for entry in entries if entry.kind == "late"]
    marks += [_context_mark(fact) for fact in _around(detection, entries, customer, lanes)]
    return Drawing(
        title=f"What happened to customer {detection.customer}, one lane for each tool",
        description=" ".join(f"{entry.number}. {_spoken(entry)}." for entry in entries[:40]),
        marks=marks,
        bars=bars,
        shades=shades,
        rulers=_rulers(detection, spec),
        pivot=detection.act.time,
        severity=severity,
    )


def _mark(entry: Entry) -> Mark:
    text = f"not seen: {entry.words}" if entry.kind == "missing" else entry.words
    return Mark(entry.kind, entry.tool, entry.at, text, str(entry.number), entry.seen_at, entry.about)


def _spoken(entry: Entry) -> str:
    about = f" ({entry.about})" if entry.about else ""
    if entry.kind == "missing":
        return f"{entry.words} was due {time_words(entry.at)} and did not come"
    return f"{entry.tool}: {entry.words}{about}, {time_words(entry.at)}, {entry.relation}"


def _around(
    detection: Detection, entries: Sequence[Entry], customer: CustomerView | None, lanes: set[str]
) -> list[FactView]:
    """What else the customer's journal holds between the first and the last event, at most a few lanes of it."""
    if customer is None:
        return []
    named = {(entry.source, entry.id) for entry in entries}
    first, last = min(entry.at for entry in entries), max(entry.at for entry in entries)
    facts = [fact for fact in customer.facts if first <= fact.time <= last and (fact.source, fact.id) not in named]
    facts.sort(key=lambda fact: abs(fact.time - detection.act.time))
    chosen = []
    for fact in facts:
        lane = fact.tool or NO_TOOL
        if lane in lanes or len(lanes) < _LANES_MOST:
            lanes.add(lane)
            chosen.append(fact)
    return chosen[:_CONTEXT_MOST]


def _context_mark(fact: FactView) -> Mark:
    words = event_words(fact.type, fact.data)
    return Mark("context", fact.tool or NO_TOOL, fact.time, words, about=about_words(fact.data))


def _states(
    detection: Detection, spec: RuleSpec | None, customer: CustomerView | None
) -> tuple[list[Bar], list[Shade]]:
    bars, shades = [], []
    for state in spec.while_ if spec else ():
        for opening in (one for one in detection.evidence if one.step == state.name):
            lane = opening.tool or NO_TOOL
            view = view_of(state, opening, detection, customer)
            if view is None:
                # Nothing more is known than that the state held, or was still felt, at the act.
                felt = "open, or lately ended, at the act" if state.linger else "open at the act"
                words = f"{state.name.replace('_', ' ')} {felt}: {about_words(opening.data, 1)}"
                bars.append(Bar(lane, opening.time, detection.act.time, words.removesuffix(": ")))
                shades += _grace(lane, state, opening.time)
            else:
                bar, own = state_bar(lane, state, view)
                bars.append(bar)
                shades += own
    return bars, shades


def view_of(state: State, opening: Evidence, detection: Detection, customer: CustomerView | None) -> StateView | None:
    """The episode that an opening began, when the customer's context still knows it."""
    for view in customer.states if customer else ():
        if (view.rule, view.step, view.opened) == (detection.rule, state.name, (opening.source, opening.id)):
            return view
    return None


def state_bar(lane: str, state: State | None, view: StateView) -> tuple[Bar, list[Shade]]:
    """One episode as a bar, with its grace and its linger."""
    name = view.step.replace("_", " ")
    now = "open" if view.ended_at is None else f"for {duration_words(view.ended_at - view.began_at)}"
    text = f"{name} {now}" if not view.key else f"{name} {now}: {view.key}"
    bar = Bar(lane, view.began_at, view.ended_at, text)
    shades = _grace(lane, state, view.began_at) if state else []
    if state and state.linger and view.ended_at is not None:
        words = f"still felt for {duration_words(state.linger)}"
        shades.append(Shade("linger", lane, view.ended_at, view.ended_at + state.linger, words))
    return bar, shades


def _grace(lane: str, state: State, began_at: int) -> list[Shade]:
    words = f"grace: {duration_words(state.grace)} after it began"
    return [Shade("grace", lane, began_at, began_at + state.grace, words)] if state.grace else []


def _rulers(detection: Detection, spec: RuleSpec | None) -> list[Ruler]:
    act, expects = detection.act, spec.expect.name if spec and spec.expect else None
    rulers = []
    for step in dict.fromkeys(one.step for one in detection.evidence if one.step != expects):
        rulers.append(_evidence_ruler(act, sorted(_under(detection.evidence, step), key=lambda one: one.time)))
    if expects:
        due = duration_words(detection.at - act.time)
        late = _under(detection.evidence, expects)
        if late and detection.status is DetectionStatus.MADE_GOOD:
            text = f"due in {due}, came {duration_words(late[0].time - detection.at)} late"
            rulers.append(Ruler(late[0].tool or NO_TOOL, act.time, late[0].time, text, (detection.at,), points_on=True))
        else:
            rulers.append(Ruler(MISSING, act.time, detection.at, f"{due}, nothing came", dashed=True, points_on=True))
    return rulers[:_RULERS_MOST]


def _under(evidence: Iterable[Evidence], step: str) -> list[Evidence]:
    return [one for one in evidence if one.step == step]


def _evidence_ruler(act: Evidence, events: Sequence[Evidence]) -> Ruler:
    first = events[0]
    lane, after = first.tool or NO_TOOL, first.time > act.time
    start, end = min(first.time, act.time), max(events[-1].time, act.time)
    words = duration_words(end - start)
    if len(events) > 1:
        words = f"{len(events)} in {words}"
    return Ruler(lane, start, end, words, tuple(one.time for one in events[1:]), points_on=after)


def customer_drawing(
    customer: CustomerView, alerts: Sequence[AlertRow], rules: Mapping[str, RuleSpec], most: int
) -> Drawing:
    """The newest facts of one customer, lane by lane, with open states and alerts."""
    facts = sorted(customer.facts, key=lambda fact: fact.time)[-most:]
    since = facts[0].time if facts else 0
    marks = [_context_mark(fact) for fact in facts]
    marks += [Mark("alert", row.act_tool or NO_TOOL, row.at, row.title) for row in alerts if row.at >= since]
    bars: list[Bar] = []
    shades: list[Shade] = []
    for view in customer.states:
        if view.ended_at is not None and view.ended_at < since:
            continue
        spec = rules.get(view.rule)
        state = next((one for one in spec.while_ if one.name == view.step), None) if spec else None
        bar, own = state_bar(view.tool or NO_TOOL, state, view)
        if not any((bar.lane, bar.start, bar.end) == (one.lane, one.start, one.end) for one in bars):
            bars.append(bar)
            shades += [shade for shade in own if shade.kind == "linger"]
    return Drawing(
        title=f"The last {plural(len(facts), 'fact')} kept of customer {customer.key}, one lane for each tool",
        description="The table of facts on this page lists the same events.",
        marks=marks,
        bars=bars,
        shades=shades,
    )
