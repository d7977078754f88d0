"""The values of the quieter pages: customers and rules.

What enters: views of `ports` and rule specifications.
What leaves: what the templates print, counts already turned into rates and pictures.
The next room: `shell`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from coordwatch.adapters.alert_rows import LIVE_STATUSES
from coordwatch.adapters.pages.alert import pictures
from coordwatch.adapters.pages.chart import hour_of, sparkline
from coordwatch.adapters.pages.picture import customer_drawing
from coordwatch.adapters.pages.words import (
    about_words,
    event_words,
    interval_words,
    number_words,
    percent_words,
    plural,
    rate_words,
    short_key,
)
from coordwatch.alerts.verdict import precision_of
from coordwatch.events.times import format_duration
from coordwatch.ports import AlertRow, CustomerView, RuleCounts, RuleVersion
from coordwatch.rules.spec import Example, RuleSpec

_PICTURE_FACTS = 80
_FACT_ROWS = 200
NO_COUNTS = RuleCounts("", 0, 0, 0, 0, 0, 0, ())


def customer_values(
    customer: CustomerView, alerts: Sequence[AlertRow], rules: Mapping[str, RuleSpec], elsewhere: str = ""
) -> dict[str, Any]:
    """Everything that `customer.html` needs besides the frame; `elsewhere` says where the rest of the customer is kept."""
    newest = sorted(customer.facts, key=lambda fact: (fact.time, fact.source, fact.id), reverse=True)
    open_states = [state for state in customer.states if state.ended_at is None]
    live = [row for row in alerts if row.status in LIVE_STATUSES]
    drawing = customer_drawing(customer, alerts, rules, _PICTURE_FACTS)
    kinds = {mark.kind for mark in drawing.marks} | {shade.kind for shade in drawing.shades}
    return {
        "customer": customer,
        "alerts": alerts,
        "live": live,
        "open_states": sorted(open_states, key=lambda state: state.began_at),
        "facts": [(fact, event_words(fact.type, fact.data), about_words(fact.data, 4)) for fact in newest[:_FACT_ROWS]],
        "facts_left": max(0, len(newest) - _FACT_ROWS),
        "drawn": pictures(drawing, "c") if drawing.marks else None,
        "kinds": kinds | ({"bar"} if drawing.bars else set()),
        "rules": rules,
        "elsewhere": elsewhere,
        "summary": f"{short_key(customer.key)}: {_customer_words(live, None if elsewhere else customer)}",
        "waiting": [(one, event_words(one.act_type, {})) for one in customer.waiting],
    }


def _customer_words(live: Sequence[AlertRow], customer: CustomerView | None) -> str:
    many = len(live)
    alerts = f"{plural(many, 'alert')} {'waits' if many == 1 else 'wait'} for somebody" if live else "no alert waits"
    if customer is None:
        return f"{alerts}; the rest is kept by another worker."
    states, facts = sum(state.ended_at is None for state in customer.states), len(customer.facts)
    held = f"{plural(states, 'state')} {'is' if states == 1 else 'are'} open" if states else "no state is open"
    return f"{alerts}; {held}; {plural(facts, 'fact')} {'is' if facts == 1 else 'are'} kept for the rules."


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule with its counts, as the table and the rule's page show it."""

    spec: RuleSpec
    sentence: str
    counts: RuleCounts
    rate: str
    share: str
    interval: str
    precision: str
    judged: str
    judged_interval: str
    changed_at: int | None
    spark: Markup


def rule_line(
    spec: RuleSpec, sentence: str, counts: RuleCounts | None, now: int, versions: Sequence[RuleVersion] = ()
) -> RuleLine:
    """A rule's numbers in words. Takes: its versions, newest first. Units: `now` in microseconds since 1970 UTC."""
    counts = counts or NO_COUNTS
    spark = Markup(sparkline(counts.hours, hour_of(now)))  # noqa: S704 - numbers only
    found, acts = counts.detections, counts.acts
    return RuleLine(
        spec,
        sentence,
        counts,
        rate=rate_words(found, acts) if acts else "no act judged yet",
        share=f"{percent_words(found / acts)} ({number_words(found)} of {number_words(acts)})"
        if acts
        else "no act yet",
        interval=interval_words(found, acts),
        precision=precision_words(counts),
        judged=judged_words(counts)[0],
        judged_interval=judged_words(counts)[1],
        changed_at=versions[0].at if len(versions) > 1 else None,
        spark=spark,
    )


def precision_words(counts: RuleCounts) -> str:
    """How many of a rule's alerts people did not call a mistake."""
    if not counts.alerts:
        return "no alert yet"
    precision = precision_of(counts.verdicts)
    if precision is not None:
        return f"{rate_words(precision.right, precision.judged)} of the alerts that people judged were conflicts"
    if not counts.not_a_conflict:
        return f"none of {plural(counts.alerts, 'alert')} marked as not a conflict"
    return f"{rate_words(counts.not_a_conflict, counts.alerts)} marked as not a conflict"


def judged_words(counts: RuleCounts) -> tuple[str, str]:
    """How precise a rule is by what people said of its alerts, and the interval of that, as a table has room for it."""
    precision = precision_of(counts.verdicts)
    if precision is None:
        return "not judged yet", ""
    share = f"{percent_words(precision.share)} ({number_words(precision.right)} of {number_words(precision.judged)})"
    return share, interval_words(precision.right, precision.judged)


def rule_lines(
    rules: Mapping[str, RuleSpec],
    sentences: Mapping[str, str],
    counts: Sequence[RuleCounts],
    now: int,
    versions: Sequence[RuleVersion] = (),
) -> list[RuleLine]:
    """All rules, those with the most conflicts first. Units: `now` in microseconds since 1970 UTC."""
    by_rule = {one.rule: one for one in counts}
    of_rule: dict[str, list[RuleVersion]] = {}
    for version in versions:
        of_rule.setdefault(version.rule, []).append(version)
    lines = [
        rule_line(spec, sentences.get(rule, spec.why), by_rule.get(rule), now, of_rule.get(rule, ()))
        for rule, spec in rules.items()
    ]
    return sorted(lines, key=lambda line: (-line.counts.detections, line.spec.title))


def example_words(example: Example) -> tuple[str, list[str], str]:
    """One test of a rule: its name, its events in order, what it must raise."""
    start = min((event["at"] for event in example.events), default=0)
    events = [
        f"{format_duration(event['at'] - start)}: {event_words(event['type'], event.get('data') or {})}"
        for event in example.events
    ]
    raised = len(example.expect)
    return example.name, events, "raise nothing" if not raised else f"raise {plural(raised, 'detection')}"
