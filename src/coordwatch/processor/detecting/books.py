"""Books: what one partition counts: its accounting, and what came of every rule's acts, as amounts that stand.

Statuses and counts enter; rows of the changelog and of the ledger leave, only those that changed.
"""

from collections import Counter
from collections.abc import Iterator

from coordwatch.context.journal import Insertion
from coordwatch.engine.ledger import Counts, Name
from coordwatch.processor.detecting import rows
from coordwatch.processor.outcomes import CountLine, Line, TallyLine, line_key, line_value
from coordwatch.processor.stage import Output, Place

ROLE = "detect"


class Books:
    """The amounts of one partition; a row is written again when its amount changed."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.tallies: Counter[str] = Counter()
        self.counts: dict[Name, int] = {}
        self._tallied: set[str] = set()
        self._counted: set[Name] = set()

    @property
    def changed(self) -> bool:
        """Whether any amount is not durable yet."""
        return bool(self._tallied or self._counted)

    def tally(self, status: str, amount: int = 1, reason: str | None = None) -> None:
        """Count what became of messages; `in` is the sum of all statuses, always."""
        if not amount:
            return
        names = ["in", status, *([] if reason is None else [f"{status}.{reason}"])]
        for name in names:
            self.tallies[name] += amount
        self._tallied.update(names)

    def tally_insertion(self, insertion: Insertion | None) -> None:
        """Count what became of an event; None for one that no rule needs."""
        if insertion is Insertion.TOO_LATE:
            self.tally("dropped", 1, insertion.value)
            self.note("too_late", 1)
        elif insertion is not None and insertion is not Insertion.ADDED:
            self.tally("duplicate", 1, insertion.value)
        else:
            self.tally("applied")

    def note(self, name: str, amount: int) -> None:
        """Count something beside the accounting."""
        if amount:
            self.tallies[name] += amount
            self._tallied.add(name)

    def count(self, counts: Counts) -> None:
        """Add what was counted of acts."""
        for name, amount in counts.items():
            if amount:
                self.counts[name] = self.counts.get(name, 0) + amount
                self._counted.add(name)

    def tool_counts(self) -> Iterator[tuple[tuple[str, str, str, str], int]]:
        """The amounts by rule, tool pair and kind, an hour each; any thread may ask."""
        for (rule, _, act_tool, evidence_tool, kind), amount in list(self.counts.items()):
            yield (rule, act_tool, evidence_tool, kind), amount

    def restore(self, key: bytes, value: bytes) -> bool:
        """Take a row of the changelog. Gives: whether it is one of ours."""
        if key == rows.TALLIES:
            self.tallies.update(rows.unpack_row(key, value)[0])
        elif key.startswith(rows.COUNT):
            name, amount = rows.unpack_row(key, value)
            self.counts[tuple(name)] = amount
        else:
            return False
        return True

    def give(self, ledger: str) -> Iterator[tuple[bytes, bytes, Output]]:
        """Everything that changed: the key and value of its row, and its line of the ledger; afterwards nothing has."""
        part = str(self._place.partition)
        for name in sorted(self._counted):
            line = _output(ledger, CountLine(part, *name), self.counts[name])
            yield rows.COUNT + (line.key or b""), rows.pack_row(list(name), self.counts[name]), line
        tallies = rows.pack_row(dict(self.tallies))
        for word in sorted(self._tallied):
            yield rows.TALLIES, tallies, _output(ledger, TallyLine(ROLE, str(self._place), word), self.tallies[word])
        self._counted.clear()
        self._tallied.clear()


def _output(topic: str, line: Line, amount: int) -> Output:
    return Output(topic, line_key(line), line_value(amount))
