"""The questions that the boards ask Prometheus, as text.

What enters: metric names and labels. What leaves: PromQL. The next room: the rows, which put them into panels.

Counts come from the database, so two processes that share it show the same numbers: `max` over the processes first, then
`sum`. "In the range shown" is the number now less the number at the start of the range, both exact, so that a detection
that was taken back counts against the detections; what was not there at the start began at nothing.
"""

RULES = 'job="$job", rule=~"$rule"'
PAIRS = 'job="$job", rule=~"$rule", act_tool=~"$tool"'
JOB = 'job="$job"'
# A start of the range that falls into a gap of the scrapes takes the last number before it.
_GAP = "1h"
NOTHING_FOLLOWED = "(nothing followed)"


def now(metric: str, where: str, labels: str, by: str) -> str:
    """The amounts at this moment, added up; `labels` tell one series of the database from another."""
    return _summed(by, f"max by ({labels}) ({metric}{{{where}}})")


def in_range(metric: str, where: str, labels: str, by: str) -> str:
    """By how much the amounts have changed in the range shown."""
    present = now(metric, where, labels, by)
    then = _summed(by, f"max by ({labels}) (last_over_time({metric}{{{where}}}[{_GAP}] offset $__range))")
    return f"{present} - ({then} or 0 * {present})"


def ratio(part: str, whole: str) -> str:
    """A share of a whole; nothing where the whole is nothing."""
    return f"({part}) / (({whole}) > 0)"


def bound(part: str, whole: str, sign: str) -> str:
    """One end of the interval in which the true rate lies 95 times in 100 (Wilson), where the whole is below 200."""
    found, asked = f"clamp_min(({part}), 0)", f"(({whole}) > 0 < 200)"
    spread = f"1.96 * sqrt(clamp_min({found} * ({asked} - {found}) / {asked}, 0) + 0.9604)"
    return f"({found} + 1.9208 {sign} {spread}) / ({asked} + 3.8416)"


def judged(right: bool) -> str:
    """Alerts of each rule that people judged, or those of them that they called conflicts; all of them, not of a range."""
    verdicts = 'verdict="conflict"' if right else 'verdict!="unsure"'
    return f"sum by (rule) (max by (rule, verdict) (coordwatch_verdicts{{{RULES}, {verdicts}}}))"


def precision_bound(sign: str) -> str:
    """One end of the interval of a rule's precision; while nobody has judged it is all from 0 to 1."""
    found, asked = judged(right=True), judged(right=False)
    spread = f"1.96 * sqrt(clamp_min({found} * ({asked} - {found}) / clamp_min({asked}, 1), 0) + 0.9604)"
    return f"({found} + 1.9208 {sign} {spread}) / ({asked} + 3.8416)"


def _summed(by: str, series: str) -> str:
    return f"sum by ({by}) ({series})" if by else f"sum({series})"


# ---- acts and conflicts, by what the reader has chosen


def acts(by: str) -> str:
    """Acts judged in the range shown."""
    return in_range("coordwatch_pair_acts", PAIRS, "rule, act_tool", by)


def conflicts(by: str) -> str:
    """Conflicts found in the range shown, less those that were taken back."""
    return in_range("coordwatch_pair_detections", PAIRS, "rule, act_tool, evidence_tool", by)


def every_act(by: str) -> str:
    """Conflicts by something, with a nought for what was judged and had none."""
    return f"({conflicts(by)}) or 0 * ({acts(by)})"


def pair_acts() -> str:
    """The acts below each pair of tools: all those of the acting tool."""
    return f"0 * ({conflicts('act_tool, evidence_tool')}) + on (act_tool) group_left () ({acts('act_tool')})"


def named(pair: str) -> str:
    """The same pairs, with words where no event of another tool is the evidence."""
    return f'label_replace({pair}, "evidence_tool", "{NOTHING_FOLLOWED}", "evidence_tool", "")'


def hourly(record: str, by: str) -> str:
    """One of the recorded changes of the last hour, added up."""
    return f"sum by ({by}) ({record}{{{PAIRS}}})"


def by_rule(metric: str) -> str:
    """A count by rule, in the range shown, whatever the tool."""
    return in_range(metric, RULES, "rule", "rule")
