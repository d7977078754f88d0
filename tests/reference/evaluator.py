"""The naive evaluator: rule documents (plain YAML data), a whole history and a clock enter, what stands at the end leaves.

Brute force over the whole history, no state, no engine: written from RULES.md, whose numbers stand in the comments.
An event is a dict: source, id, type, time, observed_at (whole microseconds), subject (customer or None), data (flat).
A detection leaves as `coordwatch replay` prints it, with times as microseconds.

Decisions where RULES.md leaves a choice:
D1  `when.any`: every alternative that holds gives bindings of its own (they differ only in the act's key paths).
D2  A key is named by a positive step if any alternative of an `after`, a `given` or an `opened` under `while` names it.
    An act without the key still binds, with no value: only alternatives that do not name the key can then hold.
D3  Several openings (or re-openings) at the one instant that finds a state closed: each may be the one that began the
    episode, "some" of them is enough; so source and id never decide whether a detection exists.
D4  An opening or re-opening at the very instant of expiry still extends (openings first); a closing at that instant
    still ends the episode and lingers.
D5  A state's events other than openings are not tied to the act: `same` inside `closed` or `reopened` has no meaning.
D6  `given.any`: the last facts are sought over all alternatives together; each must satisfy an alternative it belongs to.
    A list under `per` puts the fact into the group of every value. A given's name stands for its newest fact.
D7  An event of a broadcast type with a customer may be an act; one without a customer never is (RULES 30).
D8  Violating bindings are those unfulfilled at the deadline, repaired or not; the evidence is the latest of them, and
    among bindings of the same events the one whose late event is the latest.
D9  `where` of an exception and `by` read bare names from the act.
D10 A dropped duplicate of other content (RULES 31) leaves nothing, not even its `observed_at`.
D11 Order of printing: at, rule, then the act's time, source, id, then the customer.
D12 A window of open time holds an event if the open time from the event to the act is less than W.
D13 `distinct` without `at_least` asks for one; `at_least: 1` is a counting step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, product
from typing import Any

from tests.reference.calendars import add_open, open_between
from tests.reference.expression import Scope, Time, attribute, duration, evaluate, holds, instant

Event = Mapping[str, Any]
Step = Mapping[str, Any]
BROADCAST = ("inventory.level.changed", "inventory.item.flagged", "outage.changed")
DAY = duration("1d")


@dataclass(frozen=True)
class Binding:
    """One choice of events for the steps of one rule, around one act."""

    act: Event
    act_keys: Mapping[str, str]
    keys: Mapping[str, Any]
    journal: Sequence[Event]
    facts: Sequence[Event]
    rule: Mapping[str, Any]
    shared: Mapping[str, Any]
    parts: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    names: Mapping[str, Event] = field(default_factory=dict)
    taken: tuple[Any, ...] = ()

    def plus(self, name: str, events: Sequence[Event], named: Event | None, taken: bool = False) -> Binding:
        names = self.names if named is None else {**self.names, name: named}
        held = (*self.taken, identity(events[0])) if taken else self.taken
        return replace(self, parts={**self.parts, name: events}, names=names, taken=held)


def identity(event: Event) -> tuple[str, str]:
    return event["source"], event["id"]


def order(event: Event) -> tuple[int, str, str]:
    return event["time"], event["source"], event["id"]


# ---------------------------------------------------------------- reading a rule


def alternatives(step: Step) -> Sequence[Step]:
    return list(step.get("any", [step]))


def same(step: Step, word: str = "same") -> dict[str, str]:
    """`same` is a name, a map, or a list of names and maps (RULES 12): key name to path."""
    found = step.get(word, [])
    out: dict[str, str] = {}
    for item in found if isinstance(found, list) else [found]:
        out.update(item if isinstance(item, dict) else {item: item})
    return out


def positive_keys(rule: Mapping[str, Any]) -> list[str]:
    steps = [*rule.get("after", {}).values(), *rule.get("given", {}).values()]
    steps += [state["opened"] for state in rule.get("while", {}).values()]
    return sorted({key for step in steps for one in alternatives(step) for key in same(one)})


def counting(step: Step) -> bool:
    return "at_least" in step or "distinct" in step


def length(within: Any) -> int | None:
    return None if within in (None, "forever") else duration(within)


# ---------------------------------------------------------------- keys


def walk(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from walk(item, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        yield from walk(value.get(path[0]), path[1:])


def values(event: Event, path: str) -> set[Any]:
    """The values of a key: texts, numbers by value, booleans apart from numbers (RULES 11)."""
    first, *rest = path.split(".")
    start = event["data"].get(first)
    if start is None and first in ("source", "id", "type", "customer"):
        start = attribute(event, first)
    return {(isinstance(value, bool), value) for value in walk(start, rest) if isinstance(value, (str, int, float))}


def act_values(b: Binding, key: str) -> set[Any]:
    return values(b.act, b.act_keys.get(key, key))


def keyed(event: Event, step: Step, b: Binding, positive: bool) -> bool:
    """RULES 11 and 12: the bound value; for a key no positive step names, any value of the act."""
    for key, path in same(step).items():
        wanted = {b.keys[key]} if positive or key in b.keys else act_values(b, key)
        if not wanted & values(event, path):
            return False
    return True


def plays(event: Event, step: Step, b: Binding, positive: bool = True) -> bool:
    """Could this event be this step's event under this binding, windows apart? The act never (RULES 9)."""
    if identity(event) == identity(b.act):
        return False
    scope = Scope(event, {**b.names, act_name(b.rule): b.act}, {}, b.shared)
    return any(
        event["type"] == one["event"] and keyed(event, one, b, positive) and holds(one.get("where"), scope)
        for one in alternatives(step)
    )


def act_name(rule: Mapping[str, Any]) -> str:
    return str(next(iter(rule["when"])))


# ---------------------------------------------------------------- windows


def start_of(name: str, b: Binding) -> int:
    """Where `since: <step>` begins (RULES 5 and 10)."""
    if name == act_name(b.rule):
        return int(b.act["time"])
    step = b.rule.get("after", {}).get(name, {})
    return enough(step, b.parts[name]) or 0 if counting(step) else int(b.names[name]["time"])


def inside(event: Event, step: Step, b: Binding, end: int) -> bool:
    """RULES 1, 4 and 5: (t-W, t-G], and from the step that `since` names to the end J."""
    t, time, within = b.act["time"], event["time"], step.get("within")
    if "since" in step and not start_of(step["since"], b) <= time <= end:
        return False
    if isinstance(within, dict):
        calendar = b.shared["calendars"][within["calendar"]]
        if not (time <= t and open_between(time, t, calendar) < duration(within["open"])):
            return False
    elif within is not None:
        width = length(within)
        if time > t or (width is not None and time <= t - width):
            return False
    return bool(time <= t - duration(step.get("grace", "0s")) or "grace" not in step)


def enough(step: Step, events: Sequence[Event]) -> int | None:
    """The earliest of the most recent events that suffice, None if they do not (RULES 10)."""
    seen: set[Any] = set()
    for count, event in enumerate(sorted(events, key=order, reverse=True), start=1):
        seen |= values(event, step["distinct"]) if "distinct" in step else {count}
        if len(seen) >= step.get("at_least", 1):
            return int(event["time"])
    return None


# ---------------------------------------------------------------- states


@dataclass(frozen=True)
class Episode:
    begin: Event
    last: int
    ended: int | None = None


Story = tuple[Episode, ...]


def live(story: Story, time: int, at_most: int | None) -> bool:
    """Does an event at `time` find the state open? At the instant of expiry it still does (D4)."""
    if not story or story[-1].ended is not None:
        return False
    return at_most is None or time <= story[-1].last + at_most


def opened_at(story: Story, events: Sequence[Event], time: int, at_most: int | None) -> list[Story]:
    """RULES 15: an opening extends an open episode or begins a new one; D3 lets each of several begin it."""
    if not events:
        return [story]
    if live(story, time, at_most):
        return [(*story[:-1], replace(story[-1], last=time))]
    return [(*story, Episode(event, time)) for event in events]


def stories(state: Step, b: Binding, name: str, key: tuple[Any, ...], positive: bool) -> list[Story]:
    """Every way to cut the history of one state key into episodes (RULES 14 to 16, 18)."""
    at_most = length(state.get("at_most", "180d"))
    found: list[Story] = [()]
    seen = sorted((e for e in b.journal if e["time"] <= b.act["time"] and key in state_keys(e, state)), key=order)
    for time, group in groupby(seen, key=lambda event: event["time"]):
        events = list(group)

        def asked(part: str, story: Story, events: list[Event] = events) -> list[Event]:
            own = replace(b, names={**b.names, name: story[-1].begin})
            return [event for event in events if part in state and plays(event, untied(state[part]), own)]

        openings = [event for event in events if plays(event, state["opened"], b, positive)]
        found = [new for story in found for new in opened_at(story, openings, time, at_most)]
        found = [
            new for story in found for new in opened_at(story, asked("reopened", story) if story else [], time, at_most)
        ]
        found = [
            (*story[:-1], replace(story[-1], ended=time))
            if live(story, time, at_most) and asked("closed", story)
            else story
            for story in found
        ]
    return found


def untied(step: Step) -> Step:
    """A closing or re-opening without `same` (D5)."""
    return {"any": [{"event": one["event"], "where": one.get("where")} for one in alternatives(step)]}


def state_keys(event: Event, state: Step) -> list[tuple[Any, ...]]:
    """Every combination of single values is a state key of its own; without `same` one for the customer (RULES 14)."""
    return list(product(*(values(event, path) for path in same(state).values())))


def felt(name: str, state: Step, b: Binding, positive: bool = True) -> list[Event]:
    """The openings of the episodes that are felt at the act and not too fresh (RULES 17 and 18)."""
    t, grace, linger = b.act["time"], duration(state.get("grace", "0s")), duration(state.get("linger", "0s"))
    at_most = length(state.get("at_most", "180d"))
    found: list[Event] = []
    for key in sorted({key for event in b.journal for key in state_keys(event, state)}, key=repr):
        for episode in (episode for story in stories(state, b, name, key, positive) for episode in story):
            if episode.ended is not None:
                on = t - linger < episode.ended <= t
            else:
                on = at_most is None or t < episode.last + at_most
            fresh = t - grace < episode.begin["time"]
            if on and not fresh and episode.begin not in found:
                found.append(episode.begin)
    return found


# ---------------------------------------------------------------- facts


def known(name: str, given: Step, b: Binding) -> list[Event]:
    """The facts a `given` reads, oldest first; none if it does not hold (RULES 19)."""
    rows = []
    for one in alternatives(given):
        for event in b.facts if one["event"] in BROADCAST else b.journal:
            if event["type"] != one["event"] or identity(event) == identity(b.act) or event["time"] > b.act["time"]:
                continue
            if keyed(event, one, b, positive=True) and inside(event, given, b, b.act["time"]):
                rows += [(group, event, one) for group in state_keys(event, {"same": given.get("per", [])})]
    last = [
        (event, one)
        for group, event, one in rows
        if event["time"] == max(other["time"] for other_group, other, _ in rows if other_group == group)
    ]
    for event, _ in last:
        scope = Scope(event, {**b.names, act_name(b.rule): b.act}, {}, b.shared)
        if not any(holds(one.get("where"), scope) for other, one in last if other is event):
            return []
    return sorted({identity(event): event for event, _ in last}.values(), key=order)


# ---------------------------------------------------------------- bindings


def acts_as(event: Event, one: Step, b: Binding) -> bool:
    return bool(event["type"] == one["event"] and holds(one.get("where"), Scope(event, {}, {}, b.shared)))


def key_choices(b: Binding) -> Iterator[dict[str, Any]]:
    """One value of the act for each key that a positive step names (RULES 7 and 11, D2)."""
    named = positive_keys(b.rule)
    for chosen in product(*(sorted(act_values(b, key), key=repr) or [None] for key in named)):
        yield dict(zip(named, chosen, strict=True))


def bindings(empty: Binding) -> list[Binding]:
    """Every binding under which the positive steps hold (RULES 7 to 10)."""
    rule, found = empty.rule, [empty]
    singles = {name: step for name, step in rule.get("after", {}).items() if not counting(step)}
    counts = {name: step for name, step in rule.get("after", {}).items() if counting(step)}
    for name, step in singles.items():
        found = [
            b.plus(name, [event], event, taken=True)
            for b in found
            for event in b.journal
            if identity(event) not in b.taken and plays(event, step, b) and inside(event, step, b, b.act["time"])
        ]
    for name, step in counts.items():
        found = [
            b.plus(name, events, None)
            for b in found
            for events in [[e for e in b.journal if counted(e, step, b)]]
            if enough(step, events) is not None
        ]
    for name, state in rule.get("while", {}).items():
        found = [b.plus(name, [begin], begin) for b in found for begin in felt(name, state, b)]
    for name, given in rule.get("given", {}).items():
        found = [b.plus(name, facts, facts[-1]) for b in found for facts in [known(name, given, b)] if facts]
    return found


def counted(event: Event, step: Step, b: Binding) -> bool:
    return identity(event) not in b.taken and plays(event, step, b) and inside(event, step, b, b.act["time"])


def cancelled(b: Binding, end: int) -> bool:
    """RULES 5, 7 and 9: some `unless` holds for this binding. A state is asked at the act's time."""
    for name, step in b.rule.get("unless", {}).items():
        if "opened" in step:
            if felt(name, step, b, positive=False):
                return True
        elif any(
            identity(e) not in b.taken and plays(e, step, b, positive=False) and inside(e, step, b, end)
            for e in b.journal
        ):
            return True
    return False


def excepted(b: Binding) -> bool:
    """RULES 28."""
    scope = Scope(b.act, {**b.names, act_name(b.rule): b.act}, {}, b.shared)
    return any(
        holds(one["where"], scope) and ("until" not in one or b.act["time"] < instant(f"{one['until']}T00:00:00Z"))
        for one in b.rule.get("exceptions", [])
    )


# ---------------------------------------------------------------- absence


def deadline(b: Binding, expect: Step) -> int | None:
    """RULES 2 and 6: the earlier of `within` and `by`, never before the act; None: the act is not judged."""
    t, within, ends = b.act["time"], expect.get("within"), []
    if isinstance(within, dict):
        ends.append(add_open(t, duration(within["open"]), b.shared["calendars"][within["calendar"]]))
    elif within is not None:
        ends.append(t + duration(within))
    if "by" in expect:
        by = evaluate(expect["by"], Scope(b.act, {act_name(b.rule): b.act}, {}, b.shared))
        if isinstance(by, Time):
            ends.append(by.us)
    return max(t, min(ends)) if ends else None


def judged(b: Binding, expect: Step) -> bool:
    """RULES 12: unjudged if every alternative names a key that the act lacks."""
    return any(all(act_values(b, key) for key in same(one)) for one in alternatives(expect))


def answers(b: Binding, expect: Step, first: int, last: int) -> list[Event]:
    """The expected events in [first, last], oldest first."""
    found = [e for e in b.journal if first <= e["time"] <= last and identity(e) not in b.taken]
    return sorted((e for e in found if plays(e, expect, b, positive=False)), key=order)


def rank(b: Binding) -> list[Any]:
    """RULES 13: latest first, step by step as written in `after`, `while`, `given`."""
    return [sorted(map(order, b.parts[name]), reverse=True) for name in steps_of(b.rule)]


def steps_of(rule: Mapping[str, Any]) -> list[str]:
    return [name for part in ("after", "while", "given") for name in rule.get(part, {})]


def judge_absence(empty: Binding, clock: int) -> dict[str, Any] | None:
    """RULES 7, 25 to 27 for a rule with `expect`."""
    name, expect = next(iter(empty.rule["expect"].items()))
    end = deadline(empty, expect)
    if end is None or end > clock:
        return None
    begin = empty.act["time"] - duration(expect.get("early", "0s"))
    until = end + duration(expect.get("repair", "30d"))
    violating = [
        (b, answers(b, expect, end + 1, until))
        for b in unbroken(empty, end)
        if judged(b, expect) and not answers(b, expect, begin, end)
    ]
    if not violating:
        return None
    if all(late for _, late in violating):
        best, late = max(violating, key=lambda pair: (rank(pair[0]), order(pair[1][0])))
        return printed(best, end, [(name, late[0])], "made_good")
    return printed(max((b for b, _ in violating), key=rank), end, [], "open")


def judge_now(empty: Binding) -> dict[str, Any] | None:
    """A rule without `expect`: the act's own time decides (RULES 26)."""
    t = empty.act["time"]
    found = unbroken(empty, t)
    return printed(max(found, key=rank), t, [], "open") if found else None


def unbroken(empty: Binding, end: int) -> list[Binding]:
    """The bindings of every alternative of the act and every value of the keys that nothing cancels or excepts (D1)."""
    readings = [
        replace(empty, act_keys=same(one), keys=keys)
        for one in alternatives(empty.rule["when"][act_name(empty.rule)])
        if acts_as(empty.act, one, empty)
        for keys in key_choices(replace(empty, act_keys=same(one)))
    ]
    return [b for one in readings for b in bindings(one) if not cancelled(b, end) and not excepted(b)]


def printed(b: Binding, at: int, late: list[tuple[str, Event]], status: str) -> dict[str, Any]:
    named = [(name, event) for name in steps_of(b.rule) for event in sorted(b.parts[name], key=order)]
    act = {part: b.act[part] for part in ("source", "id", "type", "time")}
    evidence = [{"step": name, "source": event["source"], "id": event["id"]} for name, event in named + late]
    return {
        "rule": b.rule["id"],
        "customer": b.act["subject"],
        "act": act,
        "at": at,
        "evidence": evidence,
        "status": status,
    }


# ---------------------------------------------------------------- a whole history


def accepted(events: Sequence[Event]) -> list[Event]:
    """RULES 31: one event an identity and customer, the first content kept, the smallest `observed_at`."""
    kept: dict[Any, dict[str, Any]] = {}
    for event in events:
        first = kept.setdefault((event["subject"], *identity(event)), dict(event))
        if {**first, "observed_at": 0} == {**event, "observed_at": 0}:
            first["observed_at"] = min(first["observed_at"], event["observed_at"])
    return list(kept.values())


def replay(
    rules: Sequence[Mapping[str, Any]],
    events: Sequence[Event],
    until: int | None = None,
    shared: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """What stands at the end: `open` and `made_good` detections, sorted by (at, rule, act) (RULES 37 to 40)."""
    clock = max((event["time"] for event in events), default=0) if until is None else until
    history = accepted([event for event in events if event["time"] <= clock])
    found = []
    for rule, act in product(rules, history):
        if act["subject"] is None or rule.get("status") == "retired":
            continue
        if not any(one["event"] == act["type"] for one in alternatives(rule["when"][act_name(rule)])):
            continue
        journal = [event for event in history if event["subject"] == act["subject"]]
        facts = [event for event in history if event["type"] in BROADCAST]
        empty = Binding(act, {}, {}, journal, facts, rule, shared or {})
        found.append(judge_absence(empty, clock) if "expect" in rule else judge_now(empty))
    return sorted((one for one in found if one), key=print_order)


def print_order(found: Mapping[str, Any]) -> tuple[Any, ...]:
    act = found["act"]
    return found["at"], found["rule"], act["time"], act["source"], act["id"], found["customer"]
