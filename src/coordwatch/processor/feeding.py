"""Feeding: which event types a rule waits for, and whether any configured source can carry them.

Rules and carried types enter; a sentence why a rule is disabled leaves.
"""

from coordwatch.rules.spec import RuleSpec, State


def waited_for(spec: RuleSpec) -> set[str]:
    """The event types that could still make an act of this rule no conflict: expected ones and cancelling ones."""
    types = {match.event for match in spec.expect.matches} if spec.expect else set()
    for step in spec.unless:
        matches = (*step.opened, *step.closed, *step.reopened) if isinstance(step, State) else step.matches
        types.update(match.event for match in matches)
    return types


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
