"""Detect: a verdict in, the Detection as people get it out, with both sides and who could have known.

`engine/step.py` calls it for every verdict that stands.
"""

from collections.abc import Sequence

from coordwatch.context.fact import ID, OBSERVED, SOURCE, TIME, TYPE, Fact
from coordwatch.engine.state import fact_data, tool_of
from coordwatch.rules.detection import (
    Attribution,
    Detection,
    DetectionStatus,
    Evidence,
)
from coordwatch.rules.evaluate import Outcome, Verdict
from coordwatch.rules.plan import CompiledRule


def detect(rule: CompiledRule, customer: str, act: Fact, verdict: Verdict) -> Detection:
    """The detection of a standing verdict, with both sides and the attribution."""
    evidence = tuple(evidence_of(step, fact) for step, fact in verdict.evidence)
    attribution, known_for = attribute(rule, act, [fact for _, fact in verdict.evidence])
    status = DetectionStatus.OPEN if verdict.outcome is Outcome.OPEN else DetectionStatus.MADE_GOOD
    return Detection(
        rule.id,
        rule.revision,
        customer,
        evidence_of(rule.spec.when.name, act),
        verdict.at,
        evidence,
        status,
        attribution,
        known_for,
    )


def attribute(rule: CompiledRule, act: Fact, evidence: Sequence[Fact]) -> tuple[Attribution, int | None]:
    """Whether the acting tool could have known: when the last of the evidence reached the log (RULES 32).

    Gives: the attribution, and for *ignored* how long the evidence had lain there, in microseconds; a missing event is
           nobody's knowledge, so rules with `expect` give *not applicable*
    """
    if rule.expect is not None or not evidence:
        return Attribution.NOT_APPLICABLE, None
    known_for = lain_for(act, evidence)
    if known_for is None or known_for < 0:
        return Attribution.COULD_NOT_KNOW, None
    graces = [step.grace for step in (*rule.singles, *rule.counting)] + [state.grace for state in rule.states]
    grace = max(graces, default=0)
    return (Attribution.IN_FLIGHT, known_for) if known_for < grace else (Attribution.IGNORED, known_for)


def lain_for(act: Fact, evidence: Sequence[Fact]) -> int | None:
    """How long all of the evidence had lain in the log when the act happened; negative when it came after.

    Units: microseconds
    """
    return int(act[TIME] - max(fact[OBSERVED] for fact in evidence)) if evidence else None


def evidence_of(step: str, fact: Fact) -> Evidence:
    """A fact as a detection names it."""
    return Evidence(
        step, fact[SOURCE], fact[ID], fact[TYPE], fact[TIME], fact[OBSERVED], tool_of(fact) or None, fact_data(fact)
    )
