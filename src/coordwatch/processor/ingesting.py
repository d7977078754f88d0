"""The stage `ingest`: records of any tool in; canonical events under their customers, facts, dead letters and marks out.

Slices of source partitions enter, and of the topic of dead letters that are sent round again. What leaves goes to the next
stage: `detect` where every event carries a trusted id, else `identity`, which finds the customer.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.context.progress import SourceProgress
from coordwatch.errors import PermanentError
from coordwatch.events.event import Event
from coordwatch.events.filed import encode_filed
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import SECOND
from coordwatch.events.wire import encode_event
from coordwatch.identity.hops.routing import PLACE, Router, place_bytes
from coordwatch.identity.observation import ByTool, Found, Outcome, unusable_name
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.kept_at_the_door import KeptAtTheDoor
from coordwatch.processor.letter_limit import LetterLimit
from coordwatch.processor.letters import Origin, letters_of, read_again
from coordwatch.processor.mapping import map_input, tally, tally_mapped
from coordwatch.processor.marks import Mark, mark_records
from coordwatch.processor.outcomes import Reach
from coordwatch.processor.records import CANONICAL, Input, Refusal, ResultStatus
from coordwatch.processor.source_part import STAGE, SourcePart, Walked, restored
from coordwatch.processor.stage import KIND, Output, Place, Slice
from coordwatch.processor.topics import Topics
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapRejectReason, Record, Stage

PASSED, FACTS, NO_CUSTOMER = "passed", "facts", "no_customer"
_FOUND = {Outcome.RESOLVED: Found.RESOLVED, Outcome.UNIDENTIFIED: Found.UNIDENTIFIED}


@dataclass(frozen=True, slots=True)
class SourceTopic:
    """A topic that is read: the mapping of its records (None: the mapper finds out), and what its source declares.

    The name of `progress` is the name of the input.
    """

    topic: str
    source: str | None
    progress: SourceProgress


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """What a site decides about this stage."""

    topics: Topics
    sources: tuple[SourceTopic, ...]
    identity: IdentityPolicy = field(default_factory=IdentityPolicy)
    limit: LetterLimit = field(default_factory=LetterLimit)


class Ingest:
    """The stage, as `processor/stage.py` asks for it.

    Raises: PermanentError when two inputs name one topic
    """

    role = STAGE

    def __init__(self, settings: IngestSettings, mapper: Mapper | None) -> None:
        self._settings, self._mapper, self._topics = settings, mapper, settings.topics
        self._sources = _by_topic(settings.sources)
        self._router = Router(settings.identity)
        trusted = settings.identity.mode is IdentityMode.TRUSTED_ID
        self._next = settings.topics.events if trusted else settings.topics.identity
        self._facts, self._replayed = settings.topics.facts, settings.topics.replayed
        self._ours = f"{settings.topics.prefix}."
        self._parts: dict[Place, SourcePart] = {}
        self._stopped: dict[Place, str] = {}
        self._by_tool, self._door = ByTool(), KeptAtTheDoor(settings.topics, settings.identity, self._router)
        self._now = self._told_at = 0

    @property
    def inputs(self) -> Sequence[str]:
        """The topics that the settings name, and the one of dead letters that are sent round again."""
        return (*self._sources, self._topics.replayed)

    @property
    def broadcast(self) -> str:
        """Who is kept away."""
        return self._topics.forgotten

    @property
    def changelog(self) -> str:
        """One row for each source partition."""
        return self._topics.ingest_state

    @property
    def stopped(self) -> Mapping[Place, str]:
        """The partitions of which too much cannot be used, and what to do."""
        return self._stopped

    @property
    def pending(self) -> bool:
        """Records were taken, or time went on and that was not told for a second."""
        parts = self._parts.values()
        return any(part.changed for part in parts) or (self._may_tell(self._now) and any(part.moved for part in parts))

    def state_partition(self, place: Place) -> int:
        """All rows stand in one partition: there are few."""
        return 0

    def assign(self, place: Place, rows: Mapping[bytes, bytes]) -> int | None:
        """Take over a source partition; the rows of others are passed over."""
        source = self._sources.get(place.topic)
        progress = None if source is None else source.progress
        part = self._parts[place] = restored(place, progress, rows.get(str(place).encode()))
        return part.fence

    def revoke(self, places: Sequence[Place]) -> None:
        """Forget partitions."""
        for place in places:
            self._parts.pop(place, None)
            self._stopped.pop(place, None)

    def take(self, records: Slice, now: int) -> int:
        """Take records; stops before the one that would break the limit on dead letters.

        Raises: TemporaryError while the registry that knows a record's schema does not answer
        """
        self._now = max(self._now, now)
        part, taken = self._parts[records.place], Walked()
        try:
            return self._take(records, part, taken, now)
        finally:
            part.saw(taken, now)
            part.outputs += taken.outputs
            part.count(taken.tallies)
            if self._mapper is not None:
                part.count(self._mapper.lookups.take())

    def _take(self, records: Slice, part: SourcePart, taken: Walked, now: int) -> int:
        limit, counts = self._settings.limit, records.place.topic in self._sources
        for index, offset in enumerate(records.offsets):
            if part.fence is not None and offset < part.fence:
                continue
            origin = self._origin(records, index)
            # While one more refusal would break the limit, what a record came to stays apart until it is known.
            broken = part.window.breaks(limit) if counts else None
            walked = taken if broken is None else Walked()
            refused = self._walk(origin, walked, now)
            reason = f"{refused[0].stage}.{refused[0].reason}" if refused else None
            if broken is not None:
                if reason is not None:
                    self._stopped[part.place] = self._advice(part, origin, broken, reason)
                    return index
                taken.add(walked)
            if counts:
                part.window.note(reason, limit)
            part.fence, part.changed = offset + 1, True
        return len(records)

    def hear(self, records: Slice, now: int) -> None:
        """Learn who is kept away, and who no longer is."""
        self._door.hear(records)

    def caught_up(self, place: Place, now: int) -> None:
        """Everything that was published is taken, so the source is read up to its publishing delay."""
        self._now = max(self._now, now)
        self._parts[place].caught_up(now)

    def tick(self, now: int) -> None:
        """Only `pending` depends on it."""
        self._now = max(self._now, now)

    def give(self, now: int) -> Sequence[Output]:
        """Events, facts, letters, rows; and behind them the marks that speak of them."""
        parts = list(self._parts.values())
        if not any(part.changed for part in parts) and not self._may_tell(now):
            return ()
        outputs: list[Output] = []
        progress: dict[str, dict[str, Reach]] = {}
        for part in parts:
            if not part.changed and not part.moved:
                continue
            outputs += part.give(self._topics)
            if part.progress is not None and part.reach is not None:
                progress.setdefault(part.progress.name, {})[str(part.place)] = part.reach
        if progress:
            outputs += mark_records(self._next, self._topics.partitions, Mark(progress))
            self._told_at = now
        return outputs

    def _may_tell(self, now: int) -> bool:
        return now - self._told_at >= SECOND

    def _origin(self, records: Slice, index: int) -> Origin:
        """Where a record stood first, with its bytes."""
        value, headers = records.values[index], records.headers[index]
        if records.place.topic == self._replayed:
            origin = read_again(value, headers)
            if origin is not None:
                return origin
        source = self._sources.get(records.place.topic)
        return Origin(
            records.place,
            records.offsets[index],
            records.timestamps[index],
            value,
            records.keys[index],
            headers or (),
            "" if source is None else source.progress.name,
        )

    def _walk(self, origin: Origin, walked: Walked, now: int) -> Sequence[Refusal]:
        """Map one record and send on what it came to; why any of it was refused. Raises: TemporaryError as `take`."""
        mapped = map_input(self._input(origin), self._mapper, now)
        refused, tallies = mapped.refused, walked.tallies
        tally_mapped(tallies, mapped)
        for event in mapped.events:
            try:
                passed, outputs = self._door.pass_on(event, tallies, now)
                if passed is not None:
                    outputs = self._send_on(passed, tallies)
            except Exception as error:  # the last belt: whatever we did not foresee is a dead letter, not a crash
                detail = f"{type(error).__name__}: {error}"[:500]
                refusal = Refusal(Stage.VALIDATE.value, MapRejectReason.INTERNAL.value, detail)
                refused = (*refused, refusal)
                reasons = [f"{refusal.stage}.{refusal.reason}"]
                tally(tallies, ResultStatus.DEAD_LETTERED.value, reasons=reasons)
                continue
            walked.outputs += outputs
            if passed is not None and outputs:
                tally(tallies, PASSED)
                if outputs[0].topic == self._facts:
                    # Of what was passed on, this much has arrived already: no stage behind this one takes it.
                    tallies[FACTS] += 1
            elif passed is not None:
                tally(tallies, ResultStatus.DROPPED.value, reasons=[NO_CUSTOMER])
            walked.note(event.time, origin.timestamp, now)
        if refused:
            walked.outputs += letters_of(self._topics.dead_letters, origin, refused)
        return refused

    def _input(self, origin: Origin) -> Input:
        topic, partition = origin.place
        source = self._sources.get(topic)
        name = None if source is None else source.source
        if source is None and topic.startswith(self._ours) and topic != self._replayed:
            # What a later stage could not use was canonical already, and on one of our own topics.
            name = CANONICAL
        record = Record(
            origin.value,
            topic,
            partition,
            origin.offset,
            origin.key,
            origin.headers,
            origin.timestamp if origin.timestamp > 0 else None,
        )
        return Input(record, name, origin.input)

    def _send_on(self, event: Event, tallies: Counter[str]) -> list[Output]:
        """The event on its way to its customer, nothing if it has none; behind it a fact for everybody where its type says so."""
        route, safe = self._router.route(event), self._router.pseudonymous(event)
        outputs: list[Output] = []
        for one in route.unusable:
            tallies[unusable_name(one)] += 1
        found = None if route.outcome is None else _FOUND.get(route.outcome)
        if found is not None:
            tallies[self._by_tool.name(event, found)] += 1
        if route.customer is not None:
            outputs.append(Output(self._next, route.customer.encode(), encode_filed(safe, route.customer)))
        elif route.anchor is not None:
            kind = ((KIND, PLACE.encode()),)
            outputs.append(Output(self._next, route.anchor.encode(), place_bytes(safe, None), headers=kind))
        if TYPES[event.type].broadcast:
            key = f"{event.type}\x1f{event.source}\x1f{event.id}"
            outputs.append(Output(self._facts, key.encode(), encode_event(safe)))
        return outputs

    def _advice(self, part: SourcePart, origin: Origin, broken: str, reason: str) -> str:
        source = self._sources[part.place.topic]
        mapping = f"the mapping '{source.source}'" if source.source else "its mapping"
        return (
            f"{part.place} stands at offset {origin.offset}: {broken}, most often because of "
            f"{part.window.commonest(reason)}. Nothing is lost: what was refused is listed by "
            f"'coordwatch dead-letters list --topic {part.place.topic}'. Correct {mapping} and start again, which tries "
            f"this record anew; or, to go on as it is, raise kafka.dead_letter_limit"
        )


def _by_topic(sources: Sequence[SourceTopic]) -> Mapping[str, SourceTopic]:
    found: dict[str, SourceTopic] = {}
    for source in sources:
        if source.topic in found:
            raise PermanentError(f"two inputs read the topic '{source.topic}': name it once")
        found[source.topic] = source
    return found
