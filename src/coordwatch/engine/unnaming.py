"""Unnaming: the identifiers of somebody who was forgotten are taken out of the events of others.

What enters: a journal, and digests. What leaves: the same journal, in which no event names them. The next room: `processor`.
"""

from collections.abc import Set

from coordwatch.context.journal import Journal
from coordwatch.engine.state import event_of, fact_of
from coordwatch.identity.reading import Reader
from coordwatch.rules.plan import Plan


def unname(journal: Journal, digests: Set[str], reader: Reader, plan: Plan) -> int:
    """Take identifiers out of the facts of a journal; say in how many they stood."""
    changed = []
    for fact in journal.facts:
        event = event_of(fact)
        left = reader.without(event, digests.__contains__)
        if left is not event and (after := fact_of(left, plan)) is not None:
            changed.append((fact, after))
    journal.remove([fact for fact, _ in changed])
    for _, after in changed:
        journal.add(after)
    return len(changed)
