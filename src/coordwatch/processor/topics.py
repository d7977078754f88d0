"""Topics: what the topics are called that stages read and write, all of them under one prefix.

A prefix enters; names leave. The stages of this room and the adapters that create and check topics are the next.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """The names under one prefix, and how many partitions the topics that are split by customer have.

    `suppressing` says whether the site asks for suppressions; without it there is no such topic.
    """

    prefix: str = "coordwatch"
    partitions: int = 8
    suppressing: bool = False

    @property
    def replayed(self) -> str:
        """Dead letters that are sent round again."""
        return f"{self.prefix}.replayed"

    @property
    def identity(self) -> str:
        """Hops between the owners of identifiers."""
        return f"{self.prefix}.identity"

    @property
    def identity_state(self) -> str:
        """What each owner of identifiers knows."""
        return f"{self.prefix}.identity-state"

    @property
    def aliases(self) -> str:
        """Customers who became others."""
        return f"{self.prefix}.aliases"

    @property
    def events(self) -> str:
        """Canonical events by customer."""
        return f"{self.prefix}.events"

    @property
    def detect_state(self) -> str:
        """The states of customers."""
        return f"{self.prefix}.detect-state"

    @property
    def facts(self) -> str:
        """Canonical events of broadcast types."""
        return f"{self.prefix}.facts"

    @property
    def detections(self) -> str:
        """Changes of detections by customer."""
        return f"{self.prefix}.detections"

    @property
    def suppressions(self) -> str:
        """By customer, which kinds of acts would be a conflict now; for tools to read."""
        return f"{self.prefix}.suppressions"

    @property
    def ledger(self) -> str:
        """Counts, tallies and progress, as amounts that stand."""
        return f"{self.prefix}.ledger"

    @property
    def ingest_state(self) -> str:
        """How far each source partition is read, and what was counted there."""
        return f"{self.prefix}.ingest-state"

    @property
    def forgotten(self) -> str:
        """Who is kept away, as entries from which nothing leads back, and receipts."""
        return f"{self.prefix}.forgotten"

    @property
    def dead_letters(self) -> str:
        """What could not be used, with its original bytes."""
        return f"{self.prefix}.dead-letters"
