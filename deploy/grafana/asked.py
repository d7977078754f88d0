"""The row about asking: what tools were told before they acted.

What enters: nothing. What leaves: panels. The next room: `generate`, which puts them on a board.
"""

from collections.abc import Iterator
from typing import Any

from deploy.grafana import promql
from deploy.grafana.panels import COUNT, Column, Words, lines, numbers, rows


def asked_panels() -> Iterator[Any]:
    """The panels, in reading order."""
    job = promql.JOB
    yield lines(
        Words(
            "Questions before an act, by answer",
            "How often tools asked `POST /v1/check` whether they may act, in each interval, by what they were told: allow, hold, or "
            "deny. None at all means that no tool asks.",
            9,
        ),
        {"{{advice}}": f"sum by (advice) (increase(coordwatch_checks_total{{{job}}}[$__rate_interval]))"},
        COUNT,
        stacked=True,
    )
    yield rows(
        Words(
            "What stood against them, by rule",
            "How often each rule stood against an act that was asked about in the range shown. Live rules decide the answer; draft and "
            "shadow ones were only noted: what they would have prevented. Counted since each process began.",
            9,
        ),
        {"rule": "Rule"},
        [
            Column("Live", _against('status="live"'), width=90),
            Column("not live", _against('status!="live"'), width=90),
        ],
    )
    yield numbers(
        Words(
            "Customers held back, now",
            "Of how many customers tools read in the topic of suppressions that something stands against such an act. A worker on "
            "Kafka has it, where `kafka.suppressions` names any; a dash elsewhere.",
            6,
        ),
        f"sum by (suppression) (coordwatch_suppressed_customers{{{job}}})",
        "suppression",
    )


def _against(status: str) -> str:
    """Objections of rules of a status, in the range shown; 0 for every rule that could have been asked."""
    asked = f"coordwatch_check_objections_total{{{promql.RULES}}}"
    counted = f"coordwatch_check_objections_total{{{promql.RULES}, {status}}}[$__range]"
    return f"sum by (rule) (increase({counted})) or 0 * sum by (rule) ({asked})"
