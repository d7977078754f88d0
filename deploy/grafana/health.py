"""The lower half of the board: whether the numbers above can be trusted.

What enters: nothing. What leaves: panels. The next room: `generate`, which puts them on a board.
"""

from collections.abc import Iterator
from typing import Any

from deploy.grafana import promql
from deploy.grafana.panels import BYTES, COUNT, SECONDS, Column, Words, lines, number, rows, states

_WORKER = "Only a worker on Kafka has it; `coordwatch serve` shows a dash."
_PARTITION = "stage, topic, partition"


def health_panels() -> Iterator[Any]:
    """The panels, in reading order."""
    yield from _at_a_glance()
    yield from _progress()
    yield from _left_aside()
    yield from _commits()
    yield from _state()


def _at_a_glance() -> Iterator[Any]:
    job = promql.JOB
    yield number(
        Words(
            "Processes down",
            "Processes that Prometheus is told to watch and cannot reach. Anything but 0 is wrong.",
            4,
            4,
        ),
        f"count(up{{{job}}}) - sum(up{{{job}}})",
        bad=1,
    )
    yield number(
        Words(
            "Sources dark",
            "Tools that have been silent for longer than they may. What they would have said is not known, so nothing that "
            "they could have carried is called missing.",
            4,
            4,
        ),
        f"sum(max by (source) (coordwatch_source_dark{{{job}}}))",
        bad=1,
    )
    yield number(
        Words(
            "Partitions stopped",
            f"Partitions that a stage refuses to go on with, because too much in them cannot be used. {_WORKER}",
            4,
            4,
        ),
        f"sum(max by ({_PARTITION}) (coordwatch_partition_stopped{{{job}}}))",
        bad=1,
    )
    yield number(
        Words(
            "Waiting in Kafka", f"Records that are in a topic and not taken yet, all stages together. {_WORKER}", 4, 4
        ),
        f"sum(coordwatch:consumer_lag:sum{{{job}}})",
    )
    yield number(
        Words(
            "Dead letters, in range",
            "Records of the range shown that could not be used. Their bytes are kept; they can be sent round again.",
            4,
            4,
        ),
        promql.in_range("coordwatch_dead_letters_total", job, "stage, reason", "") + " or vector(0)",
        bad=1,
    )
    yield number(
        Words(
            "Records lost, in range",
            "Records that Kafka deleted before they were read, and that a person gave up with `--accept-loss`. Nothing else "
            f"loses a record. {_WORKER}",
            4,
            4,
        ),
        # By process, and a process that was started again begins anew: its own number is the loss.
        f"sum(max_over_time(coordwatch_records_lost_total{{{job}}}[$__range]))",
        bad=1,
    )


def _progress() -> Iterator[Any]:
    job = promql.JOB
    yield lines(
        Words(
            "How far behind each source is",
            "Event time: how long before the present the last moment lies up to which a source is proven read. A tool that "
            "publishes late is behind by as much; a line that climbs at one second a second stands still.",
            12,
        ),
        {"{{source}}": f"coordwatch:source_behind:seconds{{{job}}}"},
        SECONDS,
    )
    yield states(
        Words(
            "Sources: read or dark",
            "Dark: silent for longer than its `dark_after` in the settings. Rules that wait for such a source say 'blind' "
            "and do not alert.",
            12,
        ),
        f"max by (source) (coordwatch_source_dark{{{job}}})",
        "{{source}}",
        ("read", "dark"),
    )
    yield lines(
        Words(
            "Waiting in Kafka, by stage",
            f"Records not taken yet. Falling or flat is well; growing for a quarter of an hour is not. {_WORKER}",
            12,
        ),
        {"{{stage}}": f"sum by (stage) (coordwatch:consumer_lag:sum{{{job}}})"},
        COUNT,
    )
    yield lines(
        Words(
            "Events a second, by what became of them",
            "Applied to a customer's context, known already (duplicate), left aside on purpose (dropped), or kept as a dead "
            "letter. With those that wait for their customer, or are on the way from one stage to the next, these are all that "
            "came in.",
            12,
        ),
        {"{{result}}": f"max by (result) (rate(coordwatch_events_total{{{job}}}[$__rate_interval]))"},
        COUNT,
        stacked=True,
    )


def _left_aside() -> Iterator[Any]:
    job = promql.JOB
    yield rows(
        Words(
            "Dead letters, by stage and reason",
            "In the range shown, and since the beginning. `coordwatch dead-letters list` shows them with their bytes.",
            12,
        ),
        {"stage": "Stage", "reason": "Reason"},
        [
            Column(
                "In the range", promql.in_range("coordwatch_dead_letters_total", job, "stage, reason", "stage, reason")
            ),
            Column(
                "Since the beginning",
                promql.now("coordwatch_dead_letters_total", job, "stage, reason", "stage, reason"),
                width=150,
            ),
        ],
    )
    yield rows(
        Words(
            "Stopped partitions",
            f"Empty is well. A stopped partition takes nothing until a person has acted; the others go on. {_WORKER}",
            12,
        ),
        {"stage": "Stage", "topic": "Topic", "partition": "Partition"},
        [Column("Stopped", f"max by ({_PARTITION}) (coordwatch_partition_stopped{{{job}}})")],
        only="Stopped",
    )


def _commits() -> Iterator[Any]:
    job = promql.JOB
    yield lines(
        Words(
            "Commits a second, by stage and result",
            "One commit makes everything durable that came of some records. A failed one ends the process, which is started "
            f"again and does the same records once more. {_WORKER}",
            12,
        ),
        {"{{stage}} {{result}}": f"sum by (stage, result) (rate(coordwatch_commits_total{{{job}}}[$__rate_interval]))"},
        COUNT,
    )
    took = "sum by (stage) (rate(coordwatch_commit_seconds_{part}{{{job}}}[$__rate_interval]))"
    yield lines(
        Words(
            "How long a commit takes, by stage",
            f"Average. Seconds rather than fractions of one: look at the brokers. {_WORKER}",
            12,
        ),
        {"{{stage}}": promql.ratio(took.format(part="sum", job=job), took.format(part="count", job=job))},
        SECONDS,
    )


def _state() -> Iterator[Any]:
    job = promql.JOB
    yield lines(
        Words(
            "How long the last restore took, by stage",
            f"From taking over partitions to going on: reading their state back from its topic. {_WORKER}",
            8,
        ),
        {"{{stage}}": f"max by (stage) (coordwatch_restore_seconds{{{job}}})"},
        SECONDS,
    )
    yield lines(
        Words("State held, by stage", f"Bytes of customers' contexts in all processes. {_WORKER}", 8),
        {"{{stage}}": f"sum by (stage) (coordwatch_state_bytes{{{job}}})"},
        BYTES,
    )
    yield lines(
        Words(
            "Rows held, by stage", f"Rows of state in all processes; for detection about one a customer. {_WORKER}", 8
        ),
        {"{{stage}}": f"sum by (stage) (coordwatch_state_keys{{{job}}})"},
        COUNT,
    )
