"""The tests inside a rule: examples and something that replays events in, what each raised and which clauses they cover out.

Every example is also run reversed, shuffled and with every event twice, because what stands at the end must not depend
on that. A clause is covered when some example notices that it is gone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coordwatch.errors import Place
from coordwatch.events.event import Event, event_with
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, HOUR, format_duration, format_time, parse_duration, parse_time
from coordwatch.rules.clauses import Clause, without_each
from coordwatch.rules.spec import Example, RuleSpec, RuleStatus

# A Monday, so that hours and weekdays in an example can be read off its offsets.
EXAMPLE_START = parse_time("2026-01-05T00:00:00Z")
# Later than any deadline of an example: every absence is proven by then.
EXAMPLE_END = EXAMPLE_START + 100 * 366 * DAY
CUSTOMER = "customer-1"
SOURCE = "example"
NONE_RAISED = "and there is none"

Detections = list[dict[str, Any]]
Replay = Callable[[Sequence[RuleSpec], Iterable[Event], int | None], Detections]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What became of one example: the differences in words, none when it did what it says."""

    rule: str
    name: str
    differences: tuple[str, ...]
    place: Place

    @property
    def passed(self) -> bool:
        """Whether the example did what it says, in every order."""
        return not self.differences


def example_events(spec: RuleSpec, example: Example) -> list[Event]:
    """The events of an example as canonical events, in the order they are written.

    Gives: events of one customer, except those that name another and those of broadcast types
    """
    return [_event(number, event) for number, event in enumerate(example.events, start=1)]


def _event(number: int, event: Mapping[str, Any]) -> Event:
    event_type = TYPES[event["type"]]
    time = EXAMPLE_START + event["at"]
    observed = event.get("observed_at")
    return Event(
        source=event.get("source", SOURCE),
        id=event.get("id", f"e{number}"),
        type=event_type.name,
        time=time,
        observed_at=time if observed is None else EXAMPLE_START + observed,
        subject=event.get("subject", None if event_type.broadcast else CUSTOMER),
        data={name: _value(event_type.name, name, value) for name, value in event["data"].items()},
    )


def _value(event_type: str, name: str, value: Any) -> Any:
    """A time may be written as an offset from the example's start."""
    if TYPES[event_type].fields[name].kind == "timestamp" and isinstance(value, str):
        try:
            return format_time(EXAMPLE_START + parse_duration(value))
        except ValueError:
            return value
    return value


def compare(example: Example, detections: Iterable[Mapping[str, Any]]) -> list[str]:
    """The differences between what an example expects and what was raised, in words; none when they agree."""
    left = sorted((dict(each) for each in detections), key=lambda each: str(each["at"]))
    missing: list[str] = []
    # Exact expectations choose first, so that "a detection, whenever" takes what is left.
    for wanted in sorted(example.expect, key=len, reverse=True):
        found = next((each for each in left if _differs(wanted, each) is None), None)
        near = next((each for each in left if _offset(each) == wanted.get("at")), None)
        if found is not None:
            left.remove(found)
        elif near is not None:
            left.remove(near)
            missing.append(_differs(wanted, near) or "")
        else:
            missing.append(f"expected {_words(wanted)}, {NONE_RAISED}")
    return missing + [f"not expected: {_words(_as_expected(each))}" for each in left]


def _offset(detection: Mapping[str, Any]) -> int:
    at = detection["at"]
    return (parse_time(at) if isinstance(at, str) else int(at)) - EXAMPLE_START


def _differs(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    if "at" in wanted and _offset(found) != wanted["at"]:
        return f"expected at {format_duration(wanted['at'])}, is at {format_duration(_offset(found))}"
    where = f"the detection at {format_duration(_offset(found))}"
    if "status" in wanted and found["status"] != wanted["status"]:
        return f"{where} should be {wanted['status']}, and is {found['status']}"
    if "evidence" in wanted:
        steps = sorted({str(each["step"]) for each in found["evidence"]})
        if steps != sorted(set(wanted["evidence"])):
            return f"{where} should name {', '.join(wanted['evidence']) or 'nothing'}, and names {', '.join(steps) or 'nothing'}"
    return None


def _as_expected(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": _offset(found), "status": found["status"]}


def _words(wanted: Mapping[str, Any]) -> str:
    status = f", {wanted['status']}" if "status" in wanted else ""
    return "a detection" + (f" at {format_duration(wanted['at'])}" if "at" in wanted else "") + status


def run_examples(spec: RuleSpec, replay: Replay) -> list[ExampleResult]:
    """Run every example of a rule, as it is written and in other orders.

    Takes: what replays events against rules up to an instant and gives the detections as they are printed
    """
    spec = _runnable(spec)
    return [_run(spec, example, replay) for example in spec.tests]


def _run(spec: RuleSpec, example: Example, replay: Replay) -> ExampleResult:
    events = example_events(spec, example)
    until = until_of(example)
    first = replay([spec], events, until)
    differences = compare(example, first)
    for order, again in _other_orders(events):
        if replay([spec], again, until) != first:
            differences.append(
                f"{order}, the events raise something else: please report this, it is no fault of the rule"
            )
            break
    return ExampleResult(spec.id, example.name, tuple(differences), example.place)


def until_of(example: Example) -> int:
    """The clock of an example: what it says, or later than any of its deadlines."""
    return EXAMPLE_END if example.until is None else EXAMPLE_START + example.until


def _runnable(spec: RuleSpec) -> RuleSpec:
    """The rule as its tests see it: a retired rule still has to do what they say."""
    return replace(spec, status=RuleStatus.LIVE)


def _other_orders(events: Sequence[Event]) -> list[tuple[str, list[Event]]]:
    late = [event_with(event, observed_at=event.observed_at + HOUR) for event in events]
    return [
        ("reversed", list(reversed(events))),
        ("shuffled", [*events[1::2], *events[0::2]]),
        ("duplicated", [*late, *events, *reversed(late)]),
    ]


def coverage(spec: RuleSpec, replay: Replay) -> list[tuple[Clause, bool]]:
    """Which clauses the examples cover: each clause is left out in turn, and some example must notice."""
    spec = _runnable(spec)
    runs = [(example_events(spec, example), until_of(example)) for example in spec.tests]
    before = [replay([spec], events, until) for events, until in runs]

    def notices(changed: RuleSpec) -> bool:
        # Sooner or later the same detections: `any` stops at the first example that tells the two rules apart.
        return any(replay([changed], events, until) != told for (events, until), told in zip(runs, before, strict=True))

    return [(clause, notices(changed)) for clause, changed in without_each(spec)]
