"""The stage `alerts`: what detect found and every stage counted, written into the database that pages and metrics read.

What enters: detections, ledger rows, dead letters and aliases, in the order of their logs.
What leaves: nothing for Kafka; the database, where each commit also says how far every partition was read.
The next room: the pages, the API and the metrics, which read the same database as those of `serve`.

Each record is written once, whatever the offsets of the group say: the positions in the database are the fence.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from coordwatch.codec import pack
from coordwatch.context.progress import Progress, SourceProgress
from coordwatch.engine.ledger import CountLine, Reach, ReachLine, TallyLine
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.ports import Books, BookStore
from coordwatch.processor.detecting import Watched
from coordwatch.processor.forgetting import FORGET, deed_in, is_receipt, read_away
from coordwatch.processor.letters import kept_letter
from coordwatch.processor.outcomes import BadRecord, alias_of, amount_of, change_of, line_of, reach_of
from coordwatch.processor.records import DAY, Keep
from coordwatch.processor.requests import KEPT
from coordwatch.processor.stage import KIND, Output, Place, Slice
from coordwatch.processor.telling import Alerting, Telling
from coordwatch.processor.topics import Topics
from coordwatch.worker.exits import Ending, ExitCode

ROLE = "alerts"


class AlertsStore(BookStore, Alerting, Protocol):
    """Where this stage writes."""

    def expire(self, alerts: int, letters: int) -> None:
        """Delete closed alerts that were last seen, and dead letters that were put aside, before these instants."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a forgotten customer is remembered by, and how long alerts and dead letters are kept."""

    kept_away: Callable[[str], str] = str
    keep: Keep = field(default_factory=Keep)


class Alerts:
    """The one stage that is not pure: `give` waits for the database. One thread calls it; any may read `sources`.

    Takes: `watched`, the inputs with their partitions; how far those are read stands in the ledger
    """

    role = ROLE
    changelog: str | None = None
    broadcast: str | None = None
    blocking = True

    def __init__(
        self,
        topics: Topics,
        store: AlertsStore,
        telling: Telling,
        watched: Sequence[Watched] = (),
        keeping: Keeping | None = None,
    ) -> None:
        self._store, self._telling, self._watched = store, telling, tuple(watched)
        self._take: Mapping[str, Callable[[Books, Slice, int], None]] = {
            topics.detections: _detection,
            topics.ledger: _line,
            topics.dead_letters: _letter,
            topics.aliases: _alias,
            topics.forgotten: _away,
        }
        self._keeping, self._expired_at = keeping or Keeping(), 0
        self._taken: dict[Place, Books] = {}
        self._after: dict[Place, int] = {}
        self._held: dict[Place, int | None] = {}
        self._stopped: dict[Place, str] = {}
        self._chores_due = False
        self._reaches = store.reaches()
        self.sources = self._read_so_far()

    @property
    def inputs(self) -> Sequence[str]:
        """The topics of the consumer group."""
        return tuple(self._take)

    @property
    def stopped(self) -> Mapping[Place, str]:
        """The partitions with a record that cannot be read, and which."""
        return self._stopped

    @property
    def pending(self) -> bool:
        """Whether there is something to write, or somebody to tell."""
        return self._chores_due or any(self._has_moved(place) for place in self._taken)

    def _has_moved(self, place: Place) -> bool:
        return self._after[place] > (self._held[place] or 0)

    def state_partition(self, place: Place) -> int:
        """There is no changelog."""
        return 0

    def assign(self, place: Place, rows: Mapping[bytes, bytes]) -> int | None:
        """Take over a partition where the database stands; the group's offsets may stand elsewhere."""
        written = self._store.positions().get(str(place))
        held = None if written is None else int(written)
        self._held[place], self._after[place] = held, held or 0
        return held

    def revoke(self, places: Sequence[Place]) -> None:
        """Forget partitions, with what was not written yet."""
        for place in places:
            for kept in (self._taken, self._after, self._held, self._stopped):
                kept.pop(place, None)

    def take(self, records: Slice, now: int) -> int:
        """Read records; one that cannot be read stops its partition, since its author may be a newer program."""
        place = records.place
        take, books = self._take[place.topic], self._taken.setdefault(place, Books())
        for index, offset in enumerate(records.offsets):
            if offset < self._after[place]:
                continue
            try:
                take(books, records, index)
            except BadRecord as error:
                self._stopped[place] = (
                    f"{place} stops at offset {offset}: {error}. If a newer coordwatch wrote it, start that one here too"
                )
                return index
            self._after[place] = offset + 1
        return len(records)

    def hear(self, records: Slice, now: int) -> None:
        """Nothing is broadcast to this stage."""

    def caught_up(self, place: Place, now: int) -> None:
        """What is written does not depend on it."""

    def tick(self, now: int) -> None:
        """Time to wake what slept and to decide who is told; `give` does it, since it may wait for the database."""
        self._chores_due = True

    def give(self, now: int) -> Sequence[Output]:
        """Write what was taken in one transaction, then tell people.

        Raises: Ending when the database refuses; whoever starts again goes on where it stands
        """
        try:
            self._write(now)
        except TemporaryError as error:
            raise Ending(ExitCode.AGAIN, str(error)) from error
        except PermanentError as error:
            raise Ending(ExitCode.BROKEN, str(error)) from error
        return ()

    def _write(self, now: int) -> None:
        books = self._books()
        if books.positions:
            self._leave_aside(books)
            self._store.keep(books, now)
            self._held.update({place: self._after[place] for place in self._taken if self._has_moved(place)})
            self._note(books.reaches)
        self._taken.clear()
        if self._chores_due:
            self._telling.chores(self._store, self._proven, now)
            if now - self._expired_at >= DAY:
                keep, self._expired_at = self._keeping.keep, now
                self._store.expire(now - keep.alerts, now - keep.dead_letters)
            self._chores_due = False

    def _leave_aside(self, books: Books) -> None:
        """Take out what was said of customers who are forgotten: it may have been on its way behind the request."""
        if not books.changes:
            return
        names = {customer: f"{KEPT}{self._keeping.kept_away(customer)}" for customer in {
            change.detection.customer for change in books.changes}}  # fmt: skip
        away = {*self._store.load(names.values()), *(key for key, value in books.kept.items() if value is not None)}
        if away:
            books.changes = [one for one in books.changes if names[one.detection.customer] not in away]

    def _books(self) -> Books:
        """Everything taken, as one; a place that gave nothing new is left out."""
        whole = Books()
        for place, books in self._taken.items():
            if not self._has_moved(place):
                continue
            held = self._held[place]
            whole.positions[str(place)] = (None if held is None else str(held), str(self._after[place]))
            whole.changes += books.changes
            whole.dead_letters += books.dead_letters
            whole.counts.update(books.counts)
            whole.tallies.update(books.tallies)
            whole.reaches.update(books.reaches)
            whole.aliases.update(books.aliases)
            whole.forgotten += books.forgotten
            whole.letters_gone += books.letters_gone
            whole.kept.update(books.kept)
            whole.deeds += books.deeds
        return whole

    def _note(self, reaches: Mapping[ReachLine, Reach | None]) -> None:
        for line, reach in reaches.items():
            if reach is None:
                self._reaches.pop(line, None)
            else:
                self._reaches[line] = reach
        self.sources = self._read_so_far()

    def _read_so_far(self) -> tuple[SourceProgress, ...]:
        """The sources as far as the ledger says; made anew, because other threads read them."""
        return tuple(one.source.together(self._parts(one)) for one in self._watched)

    def _parts(self, one: Watched) -> Iterable[SourceProgress]:
        for place in one.places:
            reach = self._reaches.get(ReachLine(one.source.name, place))
            yield one.source if reach is None else replace(one.source, **reach._asdict())

    def _proven(self, types: Iterable[str], now: int) -> int:
        return min(Progress(self.sources).proof(types, now).through, now)


def _detection(books: Books, records: Slice, index: int) -> None:
    if any(name == KIND and value == FORGET.encode() for name, value in records.headers[index] or ()):
        books.forgotten.append(_key(records, index).decode("utf-8", "replace"))
        return
    books.changes.append(change_of(_value(records, index)))


def _line(books: Books, records: Slice, index: int) -> None:
    """An amount that stands; a row without a value is gone."""
    line, value = line_of(_key(records, index)), records.values[index]
    if isinstance(line, ReachLine):
        books.reaches[line] = None if value is None else reach_of(value)
        return
    amount = None if value is None else amount_of(value)
    if isinstance(line, CountLine):
        books.counts[line] = amount
    elif isinstance(line, TallyLine):
        books.tallies[line] = amount


def _away(books: Books, records: Slice, index: int) -> None:
    """Who is kept away, and what was said of a request; a row without a value is gone."""
    if is_receipt(records.keys[index]):
        deed = deed_in(records.values[index])
        books.deeds += [] if deed is None else [deed]
    heard = read_away(records.keys[index], records.values[index])
    if heard is not None:
        entry, away = heard
        books.kept[f"{KEPT}{entry}"] = None if away is None else pack(away.at)


def _letter(books: Books, records: Slice, index: int) -> None:
    if records.values[index] is None and not records.headers[index]:
        books.letters_gone.append(_key(records, index).decode("utf-8", "replace"))
        return
    letter = kept_letter(records.values[index], records.headers[index], records.timestamps[index])
    if letter is None:
        raise BadRecord("not a dead letter: it does not say where it stood first")
    books.dead_letters.append(letter)


def _alias(books: Books, records: Slice, index: int) -> None:
    value = records.values[index]
    books.aliases[_key(records, index).decode("utf-8", "replace")] = None if value is None else alias_of(value)


def _key(records: Slice, index: int) -> bytes:
    key = records.keys[index]
    if key is None:
        raise BadRecord("it has no key")
    return key


def _value(records: Slice, index: int) -> bytes:
    value = records.values[index]
    if value is None:
        raise BadRecord("it has no value")
    return value
