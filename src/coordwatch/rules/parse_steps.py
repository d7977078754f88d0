"""The steps of a rule: the maps under `when`, `after`, `while`, `given`, `unless` and `expect` in, step shapes out.

Expressions are looked up here, in file order, so that a step sees the fields of the steps before it (RULES 20).
The next room: `parse` puts the steps into a rule.
"""

from collections.abc import Iterable, Iterator, Mapping

from coordwatch.documents import Fields, Items, Node, Scalar
from coordwatch.errors import Place
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import PREFIX, EventType
from coordwatch.rules.expression import Expression
from coordwatch.rules.kinds import kind_of
from coordwatch.rules.parse_step_words import WordReader
from coordwatch.rules.resolve import resolve
from coordwatch.rules.spec import (
    DAY,
    Act,
    After,
    Expect,
    Given,
    Match,
    State,
    Unless,
    UnlessEvent,
)

MATCH = ("event", "where", "same", "any")
WHEN = MATCH
AFTER = (*MATCH, "within", "at_least", "distinct", "grace", "since")
STATE = ("opened", "closed", "reopened", "same", "grace", "linger", "at_most")
GIVEN = (*MATCH, "per", "within")
UNLESS = (*MATCH, "within", "since")
UNLESS_STATE = tuple(word for word in STATE if word != "grace")
EXPECT = (*MATCH, "within", "by", "early", "repair")


class StepReader(WordReader):
    """Reads the steps of one rule in file order."""

    # ---- sections

    def when(self, node: Node) -> Act | None:
        """Read the act: exactly one step."""
        fields = self.reader.fields(node, "when")
        if fields is None:
            return None
        if len(fields.items) != 1:
            count = "none" if not fields.items else str(len(fields.items))
            self.reader.problem(fields.place, f"'when' names exactly one step, the act; here is {count}")
        for name, step, place in self._steps(fields, "when"):
            self.reader.known_words(step, WHEN, "a when step")
            matches = self._matches(step, "a when step")
            if self.act is None:
                self.act = Act(name, matches, place)
                self._remember(name, "act", matches)
        return self.act

    def after(self, node: Node) -> Iterator[After]:
        """Read the steps that happened before the act."""
        for name, step, place in self._section(node, "after"):
            self.reader.known_words(step, AFTER, "an after step")
            if "within" not in step.items:
                self.reader.problem(place, f"'{name}' needs a 'within'", "within: 72h, or within: forever")
            matches = self._matches(step, "an after step")
            distinct = self.distinct(step, matches)
            after = After(
                name,
                matches,
                place,
                within=self.window(step, forever=True),
                at_least=self.reader.count(step, "at_least") or (1 if distinct else None),
                distinct=distinct,
                grace=self.reader.duration(step, "grace"),
                since=self.since(step, ("after",), "a single after step written before it"),
            )
            self._remember(name, "counting" if after.is_counting else "after", matches)
            if after.is_counting:
                self.names.closed_to[name] = f"'{name}' counts events, so it is no one event whose fields could be read"
            yield after

    def states(self, node: Node) -> Iterator[State]:
        """Read the states that held at the act."""
        for name, step, place in self._section(node, "while"):
            state = self._state(name, step, place, STATE)
            self._remember(name, "state", (*state.opened, *state.reopened))
            yield state

    def given(self, node: Node) -> Iterator[Given]:
        """Read the reference facts."""
        for name, step, place in self._section(node, "given"):
            self.reader.known_words(step, GIVEN, "a given step")
            matches = self._matches(step, "a given step")
            per = self.same(step, "per")
            self.check_paths(per, step, "per", matches)
            self._remember(name, "given", matches)
            yield Given(name, matches, place, per, self.window(step))

    def unless(self, node: Node, *, expects: bool) -> Iterator[Unless]:
        """Read what cancels: events, and states."""
        for name, step, place in self._section(node, "unless"):
            if "opened" in step.items or "closed" in step.items:
                state = self._state(name, step, place, UNLESS_STATE)
                matches: tuple[Match, ...] = (*state.opened, *state.reopened)
                yield state
            else:
                if "at_least" in step.items:
                    del step.places["at_least"]
                    self.reader.problem(place, "an unless step has no 'at_least'", "one event cancels")
                self.reader.known_words(step, UNLESS, "an unless step")
                if "within" not in step.items and "since" not in step.items:
                    hint = "within: 1h, or since: the name of a step"
                    self.reader.problem(place, f"'{name}' needs a 'within' or a 'since'", hint)
                matches = self._matches(step, "an unless step")
                roles = ("after", "counting", "state", "act") if expects else ("after", "counting", "state")
                wanted = "an after step, a state" + (" or the act" if expects else "; the act only with 'expect'")
                yield UnlessEvent(name, matches, place, self.window(step), self.since(step, roles, wanted))
            self._remember(name, "unless", matches)
            self.names.closed_to[name] = f"'{name}' cancels: when the rule holds there is no such event to read"

    def expect(self, node: Node) -> Expect | None:
        """Read the one event that must follow."""
        found: Expect | None = None
        for name, step, place in self._section(node, "expect"):
            if found is not None:
                self.reader.problem(place, "'expect' names at most one step", "use any: for one of several events")
                continue
            self.reader.known_words(step, EXPECT, "an expect step")
            if "within" not in step.items and "by" not in step.items:
                self.reader.problem(
                    place, f"'{name}' needs a 'within' or a 'by'", "within: 30m, or by: a time of the act"
                )
            matches = self._matches(step, "an expect step")
            found = Expect(
                name,
                matches,
                place,
                within=self.window(step),
                by=self._by(step),
                early=self.reader.duration(step, "early"),
                repair=self.reader.duration(step, "repair", 30 * DAY),
            )
            self._remember(name, "expect", matches)
            self.names.closed_to[name] = f"'{name}' is expected: when the rule holds there is no such event to read"
        return found

    # ---- one step

    def _section(self, node: Node, section: str) -> Iterator[tuple[str, Fields, Place]]:
        fields = self.reader.fields(node, section)
        if fields is not None:
            yield from self._steps(fields, section)

    def _steps(self, fields: Fields, section: str) -> Iterator[tuple[str, Fields, Place]]:
        for name, node in fields.items.items():
            place = fields.places[name]
            self.reader.name(name, place, "a step")
            if name in self.names.places:
                first = self.names.places[name]
                self.reader.problem(place, f"two steps are called '{name}'", f"the first stands at line {first.line}")
                continue
            self.names.places[name] = place
            step = self.reader.fields(node, f"the {section} step '{name}'")
            if step is not None:
                yield name, step, place
            else:
                self._remember(name, section, ())

    def _remember(self, name: str, role: str, matches: Iterable[Match]) -> None:
        found = dict.fromkeys(match.event for match in matches)
        self.names.types[name] = tuple(TYPES[event] for event in found if event in TYPES)
        self.names.roles[name] = role

    def _state(self, name: str, step: Fields, place: Place, words: tuple[str, ...]) -> State:
        kind = "a while step" if words is STATE else "an unless step that is a state"
        self.reader.known_words(step, words, kind)
        self.reader.required(step, ("opened", "closed"), kind)
        opened = self._phase(step, "opened", None)
        opening_types = dict.fromkeys(match.event for match in opened)
        own = {name: tuple(TYPES[event] for event in opening_types if event in TYPES)}
        reopened = self._phase(step, "reopened", own)
        closed = self._phase(step, "closed", own)
        same = self.same(step, "same")
        for matches in (opened, closed, reopened):
            self.check_paths(same, step, "same", matches)
        forever = isinstance(node := step.items.get("at_most"), Scalar) and node.text == "forever"
        return State(
            name,
            opened,
            closed,
            reopened,
            same,
            place,
            grace=self.reader.duration(step, "grace") if "grace" in words else 0,
            linger=self.reader.duration(step, "linger"),
            at_most=None if forever else self.reader.duration(step, "at_most", 180 * DAY),
        )

    def _phase(self, step: Fields, phase: str, own: Mapping[str, tuple[EventType, ...]] | None) -> tuple[Match, ...]:
        node = step.items.get(phase)
        fields = None if node is None else self.reader.fields(node, f"'{phase}'")
        if fields is None:
            return ()
        what = f"'{phase}'"
        matches = self._matches(fields, what, own)
        if phase != "opened" and any(match.same for match in matches):
            hint = "write 'same' beside opened and closed: it says which closing closes which opening"
            self.reader.problem(fields.place, f"{what} is not tied to the act, so it has no 'same' of its own", hint)
        self.reader.known_words(fields, MATCH, what)
        return matches

    def _matches(
        self, step: Fields, what: str, own: Mapping[str, tuple[EventType, ...]] | None = None
    ) -> tuple[Match, ...]:
        if "any" not in step.items:
            if "event" not in step.items:
                self.reader.problem(step.place, f"{what} needs the word 'event'", "or any: [{event: ...}, ...]")
                return ()
            return self._match(step, what, own)
        for word in ("event", "where", "same"):
            if word in step.items:
                self.reader.problem(
                    step.places[word], f"'{word}' stands beside 'any'", "write it inside each alternative"
                )
        node = step.items["any"]
        if not isinstance(node, Items) or not node.items:
            self.reader.problem(node.place, "'any' must be a list of alternatives", "any: [{event: ...}, {event: ...}]")
            return ()
        found: list[Match] = []
        for item in node.items:
            fields = self.reader.fields(item, "an alternative of 'any'")
            if fields is not None:
                self.reader.known_words(fields, ("event", "where", "same"), "an alternative of 'any'")
                self.reader.required(fields, ("event",), "an alternative of 'any'")
                found.extend(self._match(fields, what, own))
        return tuple(found)

    def _match(
        self, step: Fields, what: str, own: Mapping[str, tuple[EventType, ...]] | None = None
    ) -> tuple[Match, ...]:
        event = self.reader.text(step, "event").removeprefix(PREFIX)
        if event not in TYPES:
            if event:
                hint = self.reader.hint(event, TYPES)
                self.reader.problem(step.items["event"].place, f"no event type is called '{event[:80]}'", hint)
            # The condition is still parsed, so that a mistake in it is told in the same run.
            self.reader.expression(step, "where")
            return ()
        same = self.same(step, "same")
        match = Match(event, self._where(step, TYPES[event], own), same, step.place)
        self.check_paths(same, step, "same", (match,))
        if what != "a when step":
            self.check_act_keys(same, step)
        return (match,)

    def _where(
        self, step: Fields, event: EventType, own: Mapping[str, tuple[EventType, ...]] | None
    ) -> Expression | None:
        raw = self.reader.expression(step, "where")
        if raw is None:
            return None
        return resolve(raw, self.scope((event,), own))

    def _by(self, step: Fields) -> Expression | None:
        raw = self.reader.expression(step, "by")
        if raw is None or self.act is None or not self.names.types[self.act.name]:
            return None
        before = len(self.reader.problems)
        by = resolve(raw, self.act_scope(bound=False))
        if len(self.reader.problems) == before and kind_of(by) != "timestamp":
            place = step.items["by"].place
            self.reader.problem(place, "'by' must be a time", f'by: {self.act.name}.time + duration("30m")')
        return by
