"""Suppressing: against which kinds of acts something stands of which customer, in a topic that tools can read.

The kinds of acts that a site named enter, and the customers of one partition who may have changed. A record leaves for each
of whom something else is to be told than was told last: with the event that changes it, or when its time has come.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any, NamedTuple

from coordwatch.codec import encode_json
from coordwatch.context.reference import Reference
from coordwatch.engine.check import Advice, check, may_begin
from coordwatch.engine.folder import NEVER
from coordwatch.events.event import Event, event_with
from coordwatch.events.times import DAY, format_time
from coordwatch.processor.detecting.customers import Customers
from coordwatch.processor.detecting.rows import HELD, SUPPRESSING, Restored, pack_row
from coordwatch.processor.stage import Output, Place
from coordwatch.processor.topics import Topics
from coordwatch.rules.plan import CompiledRule, Plan
from coordwatch.rules.search import View
from coordwatch.rules.spec import RuleStatus

Held = dict[str, list[Any]]
"""What is told of one customer: for each suppression the advice, until when (None: nobody knows), and the rules."""


class Told(NamedTuple):
    """What was told last of a customer, and when it may be otherwise though nothing happens, NEVER where it may not."""

    held: Held
    again: int


@dataclass(frozen=True, slots=True)
class Suppression:
    """A kind of act that tools want to be told of, by a name of its own; `act` is what they would publish, at no time yet."""

    name: str
    act: Event

    @classmethod
    def of(cls, name: str, event_type: str, data: Mapping[str, Any]) -> "Suppression":
        """A suppression of acts of a type with these data."""
        return cls(name, Event("suppressions", name, event_type, 0, 0, None, data))


Asked = tuple[Suppression, list[CompiledRule]]
_NOTHING = Told({}, NEVER)
_STALE_MAX = 1000


class Suppressing:
    """What a site asks for, with the rules that can answer from a customer's own facts.

    Rules that read facts that concern all, such as stock, answer only where they are asked: nobody would know whose answer
    changes with each of those. `digest` names what is asked for and by which rules.
    """

    def __init__(self, wanted: Sequence[Suppression], plan: Plan) -> None:
        self._plan = plan
        self._asked = [(one, [rule for rule in plan.rules if _can_tell(rule, one.act.type)]) for one in wanted]
        told = [[one.name, one.act.type, one.act.data, [rule.revision for rule in rules]] for one, rules in self._asked]
        self.digest = sha256(encode_json(told, sort=True)).hexdigest()[:16] if wanted else ""

    def could(self, present: int) -> list[Asked]:
        """The acts against which anything could stand, by the bits of a customer's facts, and the rules that could."""
        fitting = ((one, [rule for rule in rules if _fits(rule, present)]) for one, rules in self._asked)
        return [(one, rules) for one, rules in fitting if rules]

    def told(self, view: View, could: Sequence[Asked], now: int) -> Told:
        """Everything that stands against these acts of a customer now."""
        held, again = Held(), NEVER
        for one, among in could:
            act = event_with(one.act, time=now, observed_at=now)
            answer = check(self._plan, view, act, among)
            if answer.advice is not Advice.ALLOW:
                against = sorted(each.detection.rule for each in answer.objections)
                held[one.name] = [answer.advice.value, answer.until, against]
            # An end that is not known may still come: it lies too far ahead, or behind too many others.
            ends = (now + DAY if each.until is None else each.until for each in answer.objections)
            again = min(again, may_begin(view, among, now) or NEVER, *ends)
        return Told(held, again)


def _can_tell(rule: CompiledRule, event_type: str) -> bool:
    live = rule.spec.status is RuleStatus.LIVE and rule.expect is None
    judges = any(take.type == event_type for take in rule.act.takes)
    return live and judges and len(rule.needs) > 1 and not any(any(step.broadcast) for step in rule.given)


def _fits(rule: CompiledRule, present: int) -> bool:
    return all(present & bits for bits in rule.needs[1:])


class Suppressions:
    """What is told of the customers of one partition.

    Takes: what was told last, as `restored`; where something else is asked for now, everybody is asked for anew
    """

    def __init__(self, place: Place, topics: Topics, desk: Suppressing, restored: Restored) -> None:
        self._place, self._topics, self._desk = place, topics, desk
        self._told = {key: Told(*one) for key, one in restored.held.items()}
        self._ends = self._all_ends()
        self._is_new = restored.suppressing != desk.digest
        self._again = dict.fromkeys((*self._told, *restored.customers) if self._is_new else ())

    @property
    def held(self) -> Counter[str]:
        """Of how many customers something stands against each kind of act; for any thread."""
        return Counter(name for told in list(self._told.values()) for name in told.held)

    @property
    def pending(self) -> bool:
        """Whether somebody is still to be asked for, whose facts may not have changed."""
        return self._is_new or bool(self._again)

    def tick(self, now: int) -> None:
        """Note for whom something may be otherwise by now."""
        while self._ends and self._ends[0][0] <= now:
            self._again[heappop(self._ends)[1]] = None

    def give(self, customers: Customers, most: int, now: int) -> Iterator[Output]:
        """Tell of everybody who changed, and of as many as `most` of the others who are to be asked for."""
        again = list(islice(self._again, most))
        for key in again:
            del self._again[key]
        changed = customers.touched if self._desk.digest else ()
        for key in dict.fromkeys((*again, *changed)):
            yield from self._tell(key, customers, now)
        if self._is_new and not self._again:
            # Not before everybody was asked for: who starts again in the midst of it begins anew.
            self._is_new = False
            yield Output(self._topics.detect_state, SUPPRESSING, pack_row(self._desk.digest), self._place.partition)

    def _tell(self, key: bytes, customers: Customers, now: int) -> Iterator[Output]:
        present, journal = customers.peek(key)
        customer, told, before = key.decode("utf-8", "replace"), _NOTHING, self._told.get(key, _NOTHING)
        if could := self._desk.could(present):
            told = self._desk.told(View(journal(), customer, Reference()), could, now)
        if told == before:
            return
        partition, row = self._place.partition, None if told == _NOTHING else pack_row(*told)
        self._told.pop(key, None)
        if row is not None:
            self._told[key] = told
            self._note_end(told.again, key)
        yield Output(self._topics.detect_state, HELD + key, row, partition)
        if told.held != before.held:
            value = _record(customer, told.held, now) if told.held else None
            yield Output(self._topics.suppressions, key, value, partition)

    def _note_end(self, end: int, key: bytes) -> None:
        """Ends that moved on stay behind in the heap, each one look in vain: they are cleared out when they are many."""
        if end < NEVER:
            heappush(self._ends, (end, key))
        if len(self._ends) > 2 * len(self._told) + _STALE_MAX:
            self._ends = self._all_ends()

    def _all_ends(self) -> list[tuple[int, bytes]]:
        ends = [(told.again, key) for key, told in self._told.items() if told.again < NEVER]
        heapify(ends)
        return ends


def _record(customer: str, held: Held, now: int) -> bytes:
    told = {
        name: {"advice": advice, "until": None if until is None else format_time(until), "rules": rules}
        for name, (advice, until, rules) in held.items()
    }
    return encode_json({"customer": customer, "as_of": format_time(now), "suppressions": told})
