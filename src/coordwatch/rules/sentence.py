"""A rule in English: a rule in, the sentence that says what it means out.

The sentence is made from the steps and expressions themselves. Nobody writes it, so it cannot say something else than
the rule does; it is shown beside every alert and in reviews of a change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, to_datetime
from coordwatch.rules.outline import all_steps, conditions
from coordwatch.rules.phrases import condition_words, length_words, listed, value_words
from coordwatch.rules.references import references
from coordwatch.rules.spec import (
    After,
    ExceptionSpec,
    Expect,
    Given,
    Match,
    RuleSpec,
    State,
    UnlessEvent,
    Window,
)

_AT_MOST = 180 * DAY


def sentence(spec: RuleSpec) -> str:
    """The rule in English."""
    return _Writer(spec).whole()


class _Writer:
    """Writes one rule; a step is introduced by name only when something else in the rule speaks of it."""

    def __init__(self, spec: RuleSpec) -> None:
        self.spec = spec
        self.named = {step for each in conditions(spec) for step, _ in references(each.expression)} | {
            step.since for step in all_steps(spec) if isinstance(step, (After, UnlessEvent))
        }

    def whole(self) -> str:
        spec = self.spec
        positive = [self.after(step) for step in spec.after]
        positive += [self.state(step, ends=False) for step in spec.while_]
        positive += [self.given(step) for step in spec.given]
        if spec.expect is not None:
            positive.append(self.expect(spec.expect))
        # The act's own `same` only says where a key stands; it is no condition.
        act = self.events([replace(match, same={}) for match in spec.when.matches], spec.when.name)
        said = f"It is a conflict when {act}"
        if positive:
            said += ", " + "; ".join(f"and {words}" for words in positive)
        cancelling = [self.unless(step) for step in spec.unless]
        if cancelling:
            said += ". It is none if " + "; or if ".join(cancelling)
        return said + "." + "".join(f" {self.exception(each)}" for each in spec.exceptions)

    # ---- steps

    def after(self, step: After) -> str:
        if step.is_counting:
            count = step.at_least or 1
            times = "once" if count == 1 else f"{count} times"
            said = f"at least {times} {self.before(step.within)}, {self.events(step.matches, step.name)}"
            if step.distinct is not None:
                said += f", each time with another {_path_words(step.distinct)}"
        else:
            said = f"{self.before(step.within)}, {self.events(step.matches, step.name)}"
        if step.grace:
            said += f", but not in the last {length_words(step.grace)}"
        return said + self.since(step.since)

    def state(self, step: State, *, ends: bool) -> str:
        verb = "is" if ends else "was"
        said = f"“{_words(step.name)}” {verb} open, which begins when {self.events(step.opened, '')}"
        said += f" and ends when {self.events(step.closed, '')}"
        if step.reopened:
            said += f", and begins again when {self.events(step.reopened, '')}"
        if step.same:
            said += f", each {listed([_words(key) for key in step.same], 'and')} on its own"
        if step.linger:
            said += f", and is felt for {length_words(step.linger)} after it ends"
        if step.grace:
            said += f", and had begun at least {length_words(step.grace)} before"
        if step.at_most is None:
            said += ", however long ago"
        elif step.at_most != _AT_MOST:
            said += f", and lasts at most {length_words(step.at_most)}"
        return said

    def given(self, step: Given) -> str:
        said = f"the latest that was known then is that {self.events(step.matches, step.name)}"
        if step.per:
            said += f", for each {listed([_words(key) for key in step.per], 'and')}"
        if step.within is not None:
            said += f", no older than {self.window(step.within)}"
        return said

    def expect(self, step: Expect) -> str:
        limits = [f"within {self.window(step.within)}"] if step.within is not None else []
        if step.by is not None:
            limits.append(f"by {value_words(step.by)}")
        said = f"then {' and '.join(limits)} it does not happen that {self.events(step.matches, '')}"
        if step.early:
            said += f" (up to {length_words(step.early)} early counts)"
        return said

    def unless(self, step: UnlessEvent | State) -> str:
        if isinstance(step, State):
            return self.state(step, ends=True)
        said = self.events(step.matches, step.name)
        if step.within is not None:
            said = f"{self.before(step.within)}, {said}"
        return said + self.since(step.since)

    def exception(self, each: ExceptionSpec) -> str:
        day = to_datetime(each.until).date().isoformat()
        return f"Excepted until {day} ({_words(each.name)}): {condition_words(each.where)}."

    # ---- parts

    def events(self, matches: Sequence[Match], name: str) -> str:
        """What happened, with its condition and its keys; `name` is said only if something else speaks of the step."""
        alias = f"the {_words(name)}" if name and name in self.named else ""
        parts = [self.event(match, alias if index == 0 else "") for index, match in enumerate(matches)]
        return listed(parts)

    def event(self, match: Match, alias: str) -> str:
        summary = TYPES[match.event].summary.rstrip(".")
        said = summary[:1].lower() + summary[1:]
        inside = [alias] if alias else []
        if match.where is not None:
            inside.append(condition_words(match.where))
        if inside:
            said += f" ({': '.join(inside)})"
        return said + _keys(match.same)

    def before(self, window: Window | None) -> str:
        return "at any time before" if window is None else f"in the {self.window(window)} before"

    def window(self, window: Window) -> str:
        opening = f" of open time ({window.calendar})" if window.calendar else ""
        return length_words(window.length) + opening

    def since(self, name: str | None) -> str:
        return f", at any time since the {_words(name)}" if name else ""


def _keys(same: Iterable[str]) -> str:
    keys = [_words(key) for key in same]
    return f" for the same {listed(keys, 'and')}" if keys else ""


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _path_words(path: str) -> str:
    return _words(path.replace(".", " "))
