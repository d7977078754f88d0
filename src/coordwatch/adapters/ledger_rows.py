"""The ledger's amounts as the counts that readers see: the same for every store.

What enters: summed amounts by rule, hour, tool pair and kind.
What leaves: RuleCounts, PairCount, CustomerRow.
The next room: `memory` and `sql`, which sum.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from coordwatch.adapters.alert_rows import SEVERITY_RANK
from coordwatch.ports import CustomerRow, PairCount, RuleCounts

_HOURS_SHOWN = 24 * 14
_SEVERITIES = {rank: severity for severity, rank in SEVERITY_RANK.items()}


def rule_counts_of(
    amounts: Iterable[tuple[str, int, str, int]],
    raised: Mapping[str, tuple[int, int]],
    verdicts: Mapping[str, Mapping[str, int]],
) -> list[RuleCounts]:
    """Counts by rule, in the order of the rules' ids.

    Takes: (rule, hour, kind, amount), each rule, hour and kind once; and by rule how many alerts there are and how many of
           them stand as no conflict, and how often each verdict was given
    """
    by_rule: dict[str, dict[str, dict[int, int]]] = {}
    for rule, hour, kind, amount in amounts:
        by_rule.setdefault(rule, {}).setdefault(kind, {})[hour] = amount
    return [
        replace(_counts(rule, by_rule.get(rule, {}), raised.get(rule, (0, 0))), verdicts=verdicts.get(rule, {}))
        for rule in sorted({*by_rule, *raised, *verdicts})
    ]


def _counts(rule: str, kinds: Mapping[str, Mapping[int, int]], raised: tuple[int, int]) -> RuleCounts:
    def total(kind: str) -> int:
        return sum(kinds.get(kind, {}).values())

    acts, found = kinds.get("acts", {}), kinds.get("detections", {})
    hours = sorted({*acts, *found})[-_HOURS_SHOWN:]
    return RuleCounts(
        rule=rule,
        acts=total("acts"),
        detections=total("detections"),
        in_flight=total("in_flight"),
        missing_key=total("missing_key"),
        retracted=total("retracted"),
        made_good=total("made_good"),
        hours=[(hour, acts.get(hour, 0), found.get(hour, 0)) for hour in hours],
        alerts=raised[0],
        not_a_conflict=raised[1],
    )


def pair_counts_of(amounts: Iterable[tuple[str, str, str, int]]) -> list[PairCount]:
    """Counts by tool pair, in the order of their names; the acts of a pair are all acts of its acting tool.

    An act is judged before there is any evidence, so it is counted for its own tool alone; a detection without evidence
    (nothing followed) stands under the evidence tool "".

    Takes: (act tool, evidence tool, kind, amount), each pair and kind once
    """
    acts: Counter[str] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    for act_tool, evidence_tool, kind, amount in amounts:
        if kind == "acts":
            acts[act_tool] += amount
        elif kind == "detections":
            found[act_tool, evidence_tool] += amount
    pairs = sorted({*found, *((tool, "") for tool in acts)})
    return [PairCount(act, evidence, acts[act], found[act, evidence]) for act, evidence in pairs]


_FIRST, _HANDED_ON, _ARRIVED = ("", "ingest"), "passed", "facts"


def accounts_of(amounts: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    """The accounts of the whole walk, by name in order: what the first stage took in is what came in.

    What one stage has handed on and the next has not taken yet is `under_way`; one process alone has nothing there. Facts that
    concern all customers are applied when they are handed on.

    Takes: (stage, name, amount), each stage and name once; the stage is "" for the one-process runtime
    """
    totals: Counter[str] = Counter()
    handed_on, taken, in_stages = 0, 0, False
    for stage, name, amount in amounts:
        in_stages = in_stages or stage != ""
        if name == _HANDED_ON:
            handed_on += amount
        elif name == "in" and stage not in _FIRST:
            taken += amount
        elif name == _ARRIVED:
            taken += amount
            totals["applied"] += amount
        else:
            totals[name] += amount
    if in_stages:
        totals["under_way"] = handed_on - taken
    return dict(sorted(totals.items()))


def customer_row(key: str, open_count: int, total: int, rank: int | None, last_at: int) -> CustomerRow:
    """One customer of a list; `rank` is the worst severity among the open alerts."""
    return CustomerRow(key, open_count, total, None if rank is None else _SEVERITIES[rank], last_at)
