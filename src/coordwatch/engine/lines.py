"""Lines: canonical JSON lines to typed objects that hold only what some rule needs, and times to instants.

What enters: a plan and the bytes of events. What leaves: for each line an object that knows how its fact is made. The next
rooms: `gather`, which reads histories, and `folder`, which keeps one customer's facts.
"""

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Annotated, Any, Literal

import msgspec

from coordwatch.engine.retention import Retention
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import SECOND, parse_time
from coordwatch.events.vocabulary import PREFIX
from coordwatch.rules.plan import Plan
from coordwatch.rules.projection import Project
from coordwatch.rules.shown import SUBJECT

CACHE_MAX = 200_000
Word = Annotated[str, msgspec.Meta(min_length=1)]
NotALine = (msgspec.DecodeError, UnicodeDecodeError)
_SUBJECT = f"d_{SUBJECT}"


class Times:
    """Parses times once per distinct minute and once per distinct rest, since events repeat both."""

    def __init__(self) -> None:
        self.minutes: dict[str, int] = {}
        self.rests: dict[str, int] = {}

    def learn(self, text: str) -> bool:
        """Whether a text is a time at all."""
        try:
            self.parse(text)
        except ValueError:
            return False
        return True

    def observed(self, text: Any, time: int) -> int:
        """When an event reached the log: its own time where that is missing or no time."""
        try:
            return time if text is None else self.parse(text)
        except (ValueError, TypeError):
            return time

    def parse(self, text: str) -> int:
        """The instant of an RFC 3339 text, remembering its parts.

        Raises: ValueError
        """
        minute = self.minutes.get(text[:16])
        if minute is not None:
            rest = self.rests.get(text[16:])
            if rest is None:
                rest = _rest(text)
            if rest is not None:
                return minute + rest
        return self._learn(text)

    def _learn(self, text: str) -> int:
        instant = parse_time(text)
        if len(self.minutes) > CACHE_MAX:
            self.minutes.clear()
        if len(self.rests) < CACHE_MAX and "1000" < text[:4] < "9000":
            minute = parse_time(text[:16] + ":00Z")
            self.minutes[text[:16]] = minute
            self.rests[text[16:]] = instant - minute
        return instant


def _rest(text: str) -> int | None:
    """The seconds and microseconds of a time written as `...:59.123456Z`, which repeat too seldom to be remembered."""
    if len(text) != 27 or text[16] != ":" or text[19] != "." or text[26] != "Z" or not text.isascii():
        return None
    seconds, micros = text[17:19], text[20:26]
    if not (seconds.isdigit() and micros.isdigit()) or seconds > "59":
        return None
    return int(seconds) * SECOND + int(micros)


def data_class(name: str, heads: Sequence[str]) -> Any:
    """A class of objects with one attribute, `d_` before its name, for each of some data fields."""
    fields = [(f"d_{head}", Any, None) for head in heads]
    return msgspec.defstruct(name, fields, rename={f"d_{head}": head for head in heads}, gc=False)


class LineKind:
    """What is known of the lines of one event type: how their facts are made, and how long those are kept."""

    __slots__ = ("age", "code", "data", "empty", "project", "type")

    def __init__(self, event_type: str, code: int, data: Any, project: Project, age: int) -> None:
        self.type, self.code, self.data, self.project, self.age = event_type, code, data, project, age
        self.empty = data()

    def stamped(self, line: Any) -> Any:
        """The data of a line that somebody had stamped with a subject, which is kept among its fields."""
        data = self.data() if line.data is None else line.data
        if hasattr(data, _SUBJECT):
            setattr(data, _SUBJECT, line.stampedsubject)
        return data


class Lines:
    """Decodes filed events (see `events/filed.py`) of the types that some rule names, under one plan.

    `decode` gives an object with `id`, `source`, `time`, `recordedtime`, `stampedsubject` and `data`, or raises one of
    `NotALine`; `kinds` says by the object's class what it is, `by_type` by the type's name. Of a type that no rule names there are only `id`, `source`
    and `time`, and no kind.
    """

    def __init__(self, plan: Plan, retention: Retention) -> None:
        self.kinds: dict[type, LineKind] = {}
        self.by_type: dict[str, LineKind] = {}
        projections = plan.projections_of("attributes", keep_data=True)
        layouts = plan.layouts.by_type
        classes = [_ignored(event_type) for event_type in TYPES if event_type not in layouts]
        for code, (event_type, layout) in enumerate(layouts.items()):
            data = data_class("Data", layout.heads)
            line = _line(event_type, data)
            project, age = projections[event_type], retention.age(event_type)
            kind = LineKind(event_type, code, data, project, age)
            self.kinds[line] = self.by_type[event_type] = kind
            classes.append(line)
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder(reduce(operator.or_, classes)).decode


def _line(event_type: str, data: Any) -> Any:
    attributes: list[Any] = [
        ("id", Word),
        ("source", Word),
        ("time", str),
        ("recordedtime", str | None, None),
        ("stampedsubject", Word | None, None),
        ("data", data | None, None),
        ("specversion", Literal["1.0"], "1.0"),
    ]
    return msgspec.defstruct("Line", attributes, tag=PREFIX + event_type, tag_field="type", gc=False)


def _ignored(event_type: str) -> Any:
    attributes: list[Any] = [("id", Word), ("source", Word), ("time", str), ("specversion", Literal["1.0"], "1.0")]
    return msgspec.defstruct("Ignored", attributes, tag=PREFIX + event_type, tag_field="type", gc=False)
