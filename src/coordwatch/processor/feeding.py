"""Feeding: which event types a rule waits for, and whether any configured source can carry them.

Rules, carried types and progress enter; a sentence why a rule is disabled, or what an act waits for, leaves.
"""

from coordwatch.context.progress import BEGINNING, Progress
from coordwatch.events.times import format_time
from coordwatch.events.words import duration_words
from coordwatch.rules.outline import matches_of, positive_steps
from coordwatch.rules.plan import CompiledRule
from coordwatch.rules.spec import RuleSpec


def waited_for(spec: RuleSpec) -> set[str]:
    """The event types that could still make an act of this rule no conflict: expected ones and cancelling ones."""
    types = {match.event for match in spec.expect.matches} if spec.expect else set()
    return types | {match.event for step in spec.unless for match in matches_of(step)}


def evidence_types(spec: RuleSpec) -> set[str]:
    """The event types that could make an act of this rule a conflict, or keep it from being one."""
    return {match.event for step in (*positive_steps(spec), *spec.unless) for match in matches_of(step)}


def cannot_be_fed(spec: RuleSpec, carried: frozenset[str]) -> str | None:
    """Why no configured source can ever feed a rule, None when one can or when no source is declared."""
    if not carried:
        return None
    acts = {match.event for match in spec.when.matches}
    if not acts & carried:
        return f"no configured source carries {' or '.join(sorted(acts))}, which this rule judges"
    if spec.expect is not None:
        expected = {match.event for match in spec.expect.matches}
        if not expected & carried:
            return f"no configured source carries {' or '.join(sorted(expected))}, which this rule waits for"
    return None


def waiting_words(progress: Progress, rule: CompiledRule, now: int) -> tuple[int, str, str]:
    """Up to when a rule is proven, and what an act waits for whose deadline has passed: a verdict and words."""
    proof = progress.proof(waited_for(rule.spec), now)
    if proof.dark:
        since = min(progress.sources[name].heard_at for name in proof.dark)
        silent = f"is dark since {format_time(since)}" if since > BEGINNING else "was never heard"
        return proof.through, "blind", f"blind: {', '.join(proof.dark)} {silent}"
    behind = duration_words(now - proof.through) if proof.through > BEGINNING else "an unknown time"
    return proof.through, "not_yet_provable", f"not yet provable: {', '.join(proof.waiting_for)} is {behind} behind"
