"""The words of an alert, looked at by `lint`.

What enters: a rule. What leaves: every key of `once_per` and every {placeholder} that nothing can fill.
The next room: `alerts`, which fills the others.
"""

import re
from collections.abc import Iterator

from coordwatch.documents import did_you_mean
from coordwatch.errors import Place
from coordwatch.events.vocabulary import EventType
from coordwatch.rules.fields import NoField, field_of_any
from coordwatch.rules.outline import all_steps, matches_of, types_of
from coordwatch.rules.spec import RuleSpec

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\}")
# What a sentence may say beside the fields of steps.
WORDS = ("customer", "gap", "deadline", "at", "attribution", "late")
_Issues = Iterator[tuple[str, Place, str, str | None]]


def word_issues(spec: RuleSpec) -> _Issues:
    """Keys of `once_per` that no step has, and placeholders of `say` and the runbook that nothing fills."""
    yield from _keys(spec)
    unless = {step.name for step in spec.unless}
    steps = {step.name: types_of(step) for step in all_steps(spec) if step.name not in unless}
    counting = {step.name for step in spec.after if step.is_counting}
    for word, text in (("alert.say", spec.alert.say or ""), ("runbook", spec.runbook)):
        for name in dict.fromkeys(PLACEHOLDER.findall(text)):
            problem = _placeholder(name, steps, counting, unless)
            if problem is not None:
                yield "unknown-placeholder", spec.places.get(word, spec.place), *problem


def _keys(spec: RuleSpec) -> _Issues:
    place = spec.places.get("alert.once_per", spec.place)
    unless = {step.name for step in spec.unless}
    steps = [step for step in all_steps(spec) if step.name not in unless]
    fields = {name for step in steps for event in types_of(step) for name in event.fields}
    keys = {key for step in all_steps(spec) for match in matches_of(step) for key in match.same}
    for key in spec.alert.once_per:
        if key != "customer" and key.split(".")[0] not in fields | keys:
            yield "unknown-key", place, f"no step has '{key}'", did_you_mean(key, ["customer", *fields, *keys])


def _placeholder(
    name: str, steps: dict[str, tuple[EventType, ...]], counting: set[str], unless: set[str]
) -> tuple[str, str | None] | None:
    step, _, path = name.partition(".")
    if step in unless:
        return f"{{{name}}} can never be filled: '{step}' cancels, so there is no such event", None
    if step not in steps:
        if name in WORDS:
            return None
        return f"{{{name}}} is filled by nothing", did_you_mean(step, [*steps, *WORDS])
    if not path:
        return f"{{{name}}} is a step, not a value", f"name a field of it: {{{name}.tool}}"
    if path == "count" and step in counting:
        return None
    found = field_of_any(steps[step], path.split("."), through_lists=True)
    return (f"{{{name}}}: {found.message}", found.hint(())) if isinstance(found, NoField) else None
