"""The upper half of the board: conflict rates, with what they are shares of.

What enters: nothing. What leaves: panels. The next room: `generate`, which puts them on a board.
"""

from collections.abc import Iterator
from typing import Any

from deploy.grafana import promql
from deploy.grafana.panels import COUNT, RATE, Column, Words, lines, number, numbers, rows

_SHARE = (
    "A rate is conflicts / acts judged. A conflict that was taken back no longer counts, neither above the line nor as an "
    "act less. An act that two rules judge counts once for each."
)
_WHEN = (
    "A conflict is counted when it is found: for a rule about something that did not happen, that is at its deadline, "
    "so over a short range it may belong to an act from before."
)
_EXACT = (
    "Exact numbers from the ledger: now, less at the start of the range. A range that begins before Prometheus knew "
    "coordwatch counts from coordwatch's own beginning."
)
_INTERVAL = (
    "At least and at most: below 200 acts, the interval in which the true rate lies 95 times in 100. 1 of 2 is no 50 %."
)


def rate_panels() -> Iterator[Any]:
    """The panels, in reading order."""
    yield from _totals()
    yield from _by_rule()
    yield from _precision()
    yield from _over_time()
    yield from _by_tool()


def _totals() -> Iterator[Any]:
    yield number(
        Words(
            "Conflict rate", f"Of all acts judged in the range shown, the share that collided. {_SHARE} {_WHEN}", 3, 4
        ),
        promql.ratio(promql.every_act(""), promql.acts("")),
        RATE,
    )
    yield number(
        Words("Conflicts", f"Detections found in the range shown, less those taken back in it. {_EXACT}", 3, 4),
        promql.every_act(""),
    )
    yield number(
        Words(
            "of acts judged",
            "The denominator: acts (a message, a question, a cancellation) that a rule judged in the range shown, "
            f"conflicts and the others. {_EXACT}",
            3,
            4,
        ),
        promql.acts(""),
    )
    yield number(
        Words(
            "Taken back",
            "Detections of the rules chosen that turned out to be no conflict in the range shown, because a late event "
            "disproved them. They are already off the conflicts. All tools.",
            3,
            4,
        ),
        promql.in_range("coordwatch_detections_retracted_total", promql.RULES, "rule", ""),
    )
    yield numbers(
        Words(
            "Alerts that need a person, now",
            "Open, acknowledged or snoozed at this moment, by severity, all rules and tools. Detections fold into alerts, "
            "so there are fewer of them.",
            5,
            4,
        ),
        f"max by (severity) (coordwatch_alerts_live{{{promql.JOB}}})",
        "severity",
    )
    yield numbers(
        Words(
            "Incidents going on, now",
            "Open or acknowledged at this moment, by severity, all rules and tools. An incident holds the alerts that have one "
            "likely cause.",
            4,
            4,
        ),
        f"max by (severity) (coordwatch_incidents_going_on{{{promql.JOB}}})",
        "severity",
    )
    yield number(
        Words(
            "Customers to repair",
            "Customers of incidents that go on about whom nobody has said yet that they were repaired, or need not be.",
            3,
            4,
        ),
        f"max(coordwatch_incident_customers_to_repair{{{promql.JOB}}})",
    )


def _by_rule() -> Iterator[Any]:
    yield rows(
        Words(
            "By rule: conflicts of acts",
            f"Read across: 41 of 1322, 3.1 %. {_SHARE} {_WHEN} {_INTERVAL} {_EXACT}",
            14,
            9,
        ),
        {"rule": "Rule"},
        _shares(promql.every_act("rule"), promql.acts("rule")),
    )
    yield rows(
        Words(
            "By rule: what else was counted, all tools",
            "In flight: the act had left its tool minutes before the other event, so it is no conflict. Missing key: act or "
            "evidence lacked a field that the rule compares, so nothing could be said; much of it is a mapping to repair. "
            "Made good: the missing event came, too late; these are among the conflicts. Taken back: no conflict after all. "
            "The first and the third may fall when a later event changes the verdict.",
            10,
            9,
        ),
        {"rule": "Rule"},
        [
            Column("In flight", promql.by_rule("coordwatch_acts_in_flight_total"), width=90),
            Column("Missing key", promql.by_rule("coordwatch_acts_missing_key_total"), width=100),
            Column("Made good", promql.by_rule("coordwatch_detections_made_good_total"), width=100),
            Column("Taken back", promql.by_rule("coordwatch_detections_retracted_total"), width=100),
        ],
    )


def _precision() -> Iterator[Any]:
    yield rows(
        Words(
            "By rule: what people said of its alerts",
            "Of the alerts that somebody judged (a conflict, or none and why), how many were conflicts, all of them and not "
            "those of the range. At least and at most: the interval in which the precision lies 95 times in 100; while nobody "
            "has judged it is all from 0 to 100 %. A rule whose 'at most' is low calls people for nothing.",
            24,
            8,
        ),
        {"rule": "Rule"},
        [
            Column("Judged", promql.judged(right=False), width=90),
            Column("were conflicts", promql.judged(right=True), width=120),
            Column("at least", promql.precision_bound("-"), RATE, width=90),
            Column("at most", promql.precision_bound("+"), RATE, shaded=True, width=90),
        ],
    )


def _over_time() -> Iterator[Any]:
    found = promql.hourly("coordwatch:pair_detections:delta1h", "rule")
    judged = promql.hourly("coordwatch:pair_acts:delta1h", "rule")
    yield lines(
        Words(
            "Conflict rate of the last hour, by rule",
            "At each moment: the conflicts found in the hour before it, less those taken back in it, as a share of the acts "
            f"judged in that hour. Below zero, more was taken back than found. No acts: the line pauses. {_WHEN}",
            14,
            9,
        ),
        {"{{rule}}": promql.ratio(f"{found} or 0 * {judged}", judged)},
        RATE,
    )
    yield lines(
        Words(
            "Acts judged in the last hour, by rule",
            "The denominators of the lines on the left: a jump of a rate while few acts were judged says little.",
            10,
            9,
        ),
        {"{{rule}}": judged},
        COUNT,
        stacked=True,
    )


def _by_tool() -> Iterator[Any]:
    pair = "act_tool, evidence_tool"
    whole = promql.pair_acts()
    yield rows(
        Words(
            "By pair of tools: who collided with whom",
            "The acting tool did something; the other one already knew better, or should have spoken and did not: "
            f"'{promql.NOTHING_FOLLOWED}'. Of acts: all acts of the acting tool that the chosen rules judged, since an act is "
            f"judged before there is any evidence. The darker, the higher the rate. {_INTERVAL} {_EXACT}",
            14,
            9,
        ),
        {"act_tool": "Acting tool", "evidence_tool": "collided with"},
        [
            Column(one.head, promql.named(one.expr), one.unit, one.shaded, one.width)
            for one in _shares(promql.conflicts(pair), whole)
        ],
    )
    found = promql.hourly("coordwatch:pair_detections:delta1h", "act_tool")
    judged = promql.hourly("coordwatch:pair_acts:delta1h", "act_tool")
    yield lines(
        Words(
            "Conflict rate of the last hour, by acting tool",
            "As above, by the tool that acted: the conflicts found in the hour before each moment, as a share of the acts of "
            "that tool that the chosen rules judged in that hour.",
            10,
            9,
        ),
        {"{{act_tool}}": promql.ratio(f"{found} or 0 * {judged}", judged)},
        RATE,
    )


def _shares(part: str, whole: str) -> list[Column]:
    """Conflicts, of acts, the rate, and its interval."""
    return [
        Column("Conflicts", part, width=90),
        Column("of acts", whole, width=90),
        Column("Rate", promql.ratio(part, whole), RATE, shaded=True, width=90),
        Column("at least", promql.bound(part, whole, "-"), RATE, width=80),
        Column("at most", promql.bound(part, whole, "+"), RATE, width=80),
    ]
