"""Whether a rule that can be read is also wise: rules in, errors and warnings with their places out.

An error is a rule that cannot mean what it says; a warning is a rule that somebody will regret. What cannot be read at
all is told by `parse`. The command line prints both.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coordwatch.errors import Place
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, SECOND, format_duration
from coordwatch.events.vocabulary import ATTRIBUTES
from coordwatch.rules.kinds import condition_problems, never_known
from coordwatch.rules.lint_values import value_issues
from coordwatch.rules.lint_words import word_issues
from coordwatch.rules.outline import all_steps, conditions, matches_of, section_of, types_of
from coordwatch.rules.references import references
from coordwatch.rules.spec import After, Given, Match, RuleSpec, SharedSpec, State, Step, UnlessEvent

EVENTS_MAX = 200
WINDOW_MAX, WINDOW_MIN = 3660 * DAY, SECOND


class LintSeverity(StrEnum):
    """How serious an issue is: an error fails the check, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class LintIssue:
    """One thing to change in a rule, where, and the next move."""

    severity: LintSeverity
    code: str
    message: str
    place: Place
    rule: str = ""
    hint: str | None = None

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: {self.severity.value}: {self.message}{tail} [{self.code}]"


Issues = Iterator[tuple[str, Place, str, str | None]]


def lint(specs: Sequence[RuleSpec], carried: Collection[str] | None = None) -> list[LintIssue]:
    """Look at rules together.

    Takes: the rules, and the event types that some configured source can carry (None: not known, not checked)
    Gives: every issue in the order of the files
    """
    found: list[LintIssue] = []
    seen: dict[str, Place] = {}
    for spec in specs:
        for severity, checks in (
            (
                LintSeverity.ERROR,
                (_duplicate(spec, seen), _names(spec), _kinds(spec), _windows(spec), word_issues(spec)),
            ),
            (
                LintSeverity.WARNING,
                (_ties(spec), _counts(spec), _odd(spec), value_issues(spec), _broadcast(spec), _care(spec)),
            ),
        ):
            for check in checks:
                found += [LintIssue(severity, code, text, place, spec.id, hint) for code, place, text, hint in check]
        if carried is not None:
            found += _carried(spec, carried)
    return sorted(dict.fromkeys(found), key=lambda issue: (issue.place.path, issue.place.line, issue.place.column))


def _duplicate(spec: RuleSpec, seen: dict[str, Place]) -> Issues:
    first = seen.setdefault(spec.id, spec.place)
    if first is not spec.place:
        yield "duplicate-id", spec.place, f"two rules have the id '{spec.id}'", f"the first: {first}"


def _names(spec: RuleSpec) -> Issues:
    """A step's name must not hide, or be hidden by, anything else that a bare name can mean (RULES 20)."""
    shared = spec.shared or SharedSpec()
    types = {event.name: event for step in all_steps(spec) for event in types_of(step)}
    for step in all_steps(spec):
        owner = next((name for name, event in types.items() if step.name in event.fields), None)
        if owner:
            what = f"a field of {owner}"
        elif step.name in ATTRIBUTES:
            what = "an attribute of every event"
        elif step.name in shared.lists or step.name in shared.macros:
            what = "a list" if step.name in shared.lists else "a macro"
        else:
            continue
        yield "name-clash", step.place, f"the step '{step.name}' has the name of {what}", "give the step another name"


def _kinds(spec: RuleSpec) -> Issues:
    for condition in conditions(spec):
        check = condition_problems if condition.is_condition else never_known
        for problem in check(condition.expression):
            yield "kind", problem.place, problem.message, problem.hint


def _windows(spec: RuleSpec) -> Issues:
    """A window in which nothing can lie."""
    for step in all_steps(spec):
        if isinstance(step, (After, UnlessEvent, Given)) and step.within is not None:
            if step.within.length == 0:
                yield "empty-window", step.place, f"'{step.name}' looks back over no time at all", "within: 1h"
            elif isinstance(step, After) and step.within.calendar is None and step.grace >= step.within.length:
                grace, within = format_duration(step.grace), format_duration(step.within.length)
                message = f"'{step.name}' can never hold: its grace of {grace} is as long as its within of {within}"
                yield "empty-window", step.place, message, "a shorter grace, or a longer within"


def _odd(spec: RuleSpec) -> Issues:
    """What can be meant, and hardly ever is."""
    for step in all_steps(spec):
        within = getattr(step, "within", None)
        if within is None or within.length == 0:
            continue
        length = format_duration(within.length)
        if within.length > WINDOW_MAX:
            message = f"'{step.name}' looks at {length}, more than ten years, and so long everything it names is kept"
            yield "odd-window", step.place, message, "within: forever, if that is meant"
        elif within.length < WINDOW_MIN:
            yield "odd-window", step.place, f"'{step.name}' looks at {length} only", "'ms' are thousandths of a second"


def _ties(spec: RuleSpec) -> Issues:
    """RULES 14: `same` of a state pairs closings with openings and does not tie the state to the act."""
    for step in all_steps(spec):
        if not isinstance(step, State):
            continue
        for key in step.same:
            required = [match.event for match in spec.when.matches if key in TYPES[match.event].required]
            if required and not all(_ties_key(match, key, spec.when.name) for match in step.opened):
                message = f"the state '{step.name}' of any {key} counts, not only the {key} of the act"
                yield "state-not-tied", step.place, message, f"write same: {key} inside 'opened' if it must be the same"


def _ties_key(match: Match, key: str, act: str) -> bool:
    """Whether an opening is tied to the act by a key, or by a condition that reads the act's."""
    return key in match.same or (match.where is not None and (act, (key,)) in references(match.where))


def _counts(spec: RuleSpec) -> Issues:
    for step in spec.after:
        if step.at_least is not None and step.at_least > EVENTS_MAX:
            message = f"'{step.name}' counts to {step.at_least}, and {EVENTS_MAX} events of a type are kept a customer"
            yield "count-too-high", step.place, message, f"at_least: {EVENTS_MAX} at most"
        if step.distinct is not None and step.at_least == 1:
            message = f"'{step.name}' counts to one, so 'distinct' changes nothing"
            yield "count-of-one", step.place, message, "at_least: 2"


def _broadcast(spec: RuleSpec) -> Issues:
    """A broadcast event belongs to no customer: only `given` reads it."""
    for step in all_steps(spec):
        if isinstance(step, Given):
            continue
        for match in matches_of(step):
            if TYPES[match.event].broadcast:
                message = f"{match.event} is broadcast: without a customer it is only read by a given step"
                yield "broadcast", match.place, message, f"move '{step.name}' under given"
                break


def _care(spec: RuleSpec) -> Issues:
    """What a person needs who is woken by this rule, and what keeps it right."""
    if not spec.runbook.strip():
        yield "no-runbook", spec.place, "there is no runbook: what should the person on call do first?", None
    if not spec.tests:
        yield "no-tests", spec.place, "there are no tests", "one that raises a detection, and one that must not"
        return
    raising = [example for example in spec.tests if example.expect]
    if len(raising) in (0, len(spec.tests)):
        lacking = "raises a detection" if not raising else "raises nothing"
        yield "one-sided-tests", spec.places.get("tests", spec.place), f"no test {lacking}", "add one"


def _carried(spec: RuleSpec, carried: Collection[str]) -> list[LintIssue]:
    """Steps whose events no configured source can carry: such an absence would always be told."""
    found: list[LintIssue] = []
    for step in all_steps(spec):
        section = section_of(spec, step)
        types = _needed(step)
        if not types or any(name in carried for name in types):
            continue
        severity = LintSeverity.WARNING if section == "unless" else LintSeverity.ERROR
        effect = (
            "cancels nothing" if section == "unless" else "is disabled" if section == "expect" else "can never fire"
        )
        subject = f"'{step.name}'" if section == "unless" else "the rule"
        message = f"no configured source carries {' or '.join(types)}: {subject} {effect}"
        hint = "map a source to it; `coordwatch sources list` shows what there is"
        found.append(LintIssue(severity, "not-carried", message, step.place, spec.id, hint))
    return found


def _needed(step: Step) -> list[str]:
    matches = step.opened if isinstance(step, State) else step.matches
    return list(dict.fromkeys(match.event for match in matches))
