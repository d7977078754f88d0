"""An explanation: the verdict in one sentence, and what became of every step; data only.

`rules/explain.py` makes it; pages, the API and the command line print it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExplainStep:
    """One step of a rule against one act: `held` True, False, or None for unknown; `text` says it in one sentence.

    `events` are the (source, id) it rests on; `missed_by` is how far it was from holding, in microseconds; `stopper`
    says what would have kept the rule from firing, when this step can say.
    """

    step: str
    kind: str
    held: bool | None
    text: str
    events: Sequence[tuple[str, str]] = ()
    missed_by: int | None = None
    stopper: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict in one sentence, and every step."""

    outcome: str
    sentence: str
    steps: tuple[ExplainStep, ...]
