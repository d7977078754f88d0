"""The stage `identity`: the nodes of identifiers over the partitions of one topic, which find whose each event is.

Messages between nodes enter, and marks. What leaves: messages onward, events under their customers, requests to send events
of the past again, customer keys that became others, dead letters of what waited too long, and marks.
The next room: `detecting`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.codec import encode_json, pack, unpack
from coordwatch.events.filed import encode_filed, filed_to_plain
from coordwatch.events.times import DAY, SECOND
from coordwatch.events.wire import encode_event, event_to_plain
from coordwatch.identity.hops.anchors import Effect, FileEvent, GiveUp, Reask
from coordwatch.identity.hops.messages import BadHop, encode
from coordwatch.identity.hops.parting import Forgotten, Heard, Unnamed
from coordwatch.identity.hops.rows import Node, UnknownRow, row_key
from coordwatch.identity.hops.system import Hops
from coordwatch.identity.observation import IDENTITY_UNRESOLVED
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor.forgetting import away_output, forget_customer, forget_everywhere, unname
from coordwatch.processor.letters import Origin, letters_of
from coordwatch.processor.levels import LEVELS, Levels
from coordwatch.processor.marks import MARK, mark_of
from coordwatch.processor.outcomes import BadRecord, TallyLine, alias_value, line_key, line_value
from coordwatch.processor.records import Refusal
from coordwatch.processor.stage import KIND, Output, Place, Slice
from coordwatch.processor.topics import Topics

ROLE = "identity"
REASK, MOVE, LOST = "reask", "move", "lost"

_PLACE, _LEVEL = "f", "l"
_VERSION = 1
_LOOK_AT_ONCE = 500
_FALLS_AWAY_FOR = DAY
"""For how long messages to a forgotten identifier fall away; by then everybody who sends them knows that it is."""


@dataclass(frozen=True, slots=True)
class ResolvingSettings:
    """What a site decides about this stage.

    `forget_after` is how long the word that a customer is forgotten may go round before they are.

    Units: that, `lateness`, `keep_refs` (how long a ref is kept that no event names) and `keep_types` (the same for one type) in
    microseconds; a ref must be kept longer than journals keep the events that name it, for an event whose refs are
    forgotten stays where it is
    """

    topics: Topics
    identity: IdentityPolicy
    lateness: int
    keep_refs: int = 400 * DAY
    forget_after: int = 10 * SECOND
    keep_types: Mapping[str, int] = field(default_factory=lambda: {"message": 180 * DAY})


class Part:
    """One partition of the identity topic, and everything that came of what was taken since the last `give`."""

    def __init__(self, place: Place, settings: ResolvingSettings, stored: Mapping[bytes, bytes]) -> None:
        """Take over what is stored. Raises: UnknownRow."""
        self.place, self._topics, self._digester = place, settings.topics, settings.identity.digester
        self.fence: int | None = None
        self.tallies: Counter[str] = Counter()
        self._counted: set[str] = set()
        self._letters: list[Output] = []
        self.taken = False
        levels: dict[str, bytes] = {}
        hops: list[tuple[Sequence[str], bytes]] = []
        for key, value in stored.items():
            parts: list[str] = unpack(key)
            if parts[0] == _PLACE:
                self._restore(value)
            elif parts[0] == _LEVEL:
                levels[parts[1]] = value
            else:
                hops.append((parts, value))
        self.levels = Levels(place.partition, settings.topics.partitions, levels)
        self.hops = Hops(settings.identity, hops)

    def message(self, records: Slice, index: int) -> None:
        """Take one message; what cannot be read is a dead letter."""
        kind, key, value = _kind_of(records, index), records.keys[index], records.values[index] or b""
        try:
            if kind == MARK:
                self.levels.mark(mark_of(value))
            elif kind == LEVELS:
                self.levels.hear(value)
            elif kind is None or key is None:
                raise BadHop("a message without a kind or a key")
            else:
                self.hops.take(kind, key.decode("utf-8"), value)
        except (BadHop, BadRecord, UnicodeDecodeError) as error:
            refusal = Refusal(ROLE, "message", str(error))
            self._letters += letters_of(self._topics.dead_letters, _origin(records, index), [refusal])
            self._count({"in": 1, "dead_lettered": 1, f"dead_lettered.{ROLE}.message": 1})

    def tick(self, now: int, settings: ResolvingSettings) -> None:
        """Let time pass."""
        if now > settings.lateness:
            self.taken = self.hops.expire(now - settings.lateness) or self.taken
        self.taken = self.hops.forget(now, settings.forget_after) or self.taken
        self.hops.tidy(now, _FALLS_AWAY_FOR)
        keep, otherwise = settings.keep_types, settings.keep_refs
        gone = self.hops.prune(lambda ref: now - keep.get(ref, otherwise), _LOOK_AT_ONCE)
        if gone:
            self._count({"forgotten": gone})
            self.taken = True

    def give(self, now: int) -> list[Output]:
        """Everything that is not durable yet; the levels, which speak of all of it, stand last."""
        topics, done = self._topics, self.hops.done()
        self._count(done.counts)
        outputs = [
            Output(topics.identity, to.encode(), value, None, ((KIND, kind.encode()),))
            for to, message in done.hops
            for kind, value in (encode(message),)
        ]
        outputs += [output for effect in done.effects for output in self._effect(effect, now)]
        outputs += [
            Output(topics.aliases, old.encode(), None if new is None else alias_value(new)) for old, new in done.aliases
        ]
        outputs += self._letters
        outputs += self._tally_lines()
        rows = dict(done.rows)
        rows.update({row_key(_LEVEL, name): value for name, value in self.levels.rows().items()})
        rows[row_key(_PLACE)] = pack([_VERSION, self.fence, dict(self.tallies)])
        outputs += [Output(topics.identity_state, key, value, self.place.partition) for key, value in rows.items()]
        outputs += self.levels.give(topics, now)
        self._letters, self.taken = [], False
        return outputs

    def _effect(self, effect: Effect, now: int) -> list[Output]:
        topics = self._topics
        match effect:
            case FileEvent(event, customer, None):
                return [Output(topics.events, customer.encode(), encode_filed(event, customer))]
            case FileEvent(event, customer, said):
                return [self._about(customer, MOVE, {"event": filed_to_plain(event, customer), "said": said})]
            case Reask(customer, anchor, about):
                return [self._about(customer, REASK, {"anchor": anchor, "about": about})]
            case Forgotten(digest, kind, customer, _):
                entry = self._digester.kept_away(digest)
                owner = [] if customer is None else [forget_customer(topics, customer)]
                return [away_output(topics, entry, now, kind), *owner]
            case Heard(word):
                return forget_everywhere(topics, word)
            case Unnamed(digest, customers):
                return [unname(topics, customer, digest) for customer in customers]
            case GiveUp(event, why, said):
                origin = Origin(self.place, 0, 0, encode_event(event), input=event.source)
                letters = letters_of(topics.dead_letters, origin, [Refusal(ROLE, IDENTITY_UNRESOLVED, why)])
                if said is not None:
                    letters.append(
                        self._about(f"{event.source}/{event.id}", LOST, {"event": event_to_plain(event), "said": said})
                    )
                return letters

    def _about(self, key: str, kind: str, plain: Mapping[str, Any]) -> Output:
        return Output(self._topics.events, key.encode(), encode_json(plain), None, ((KIND, kind.encode()),))

    def _tally_lines(self) -> list[Output]:
        names, self._counted = sorted(self._counted), set()
        return [
            Output(
                self._topics.ledger,
                line_key(TallyLine(ROLE, str(self.place), name)),
                line_value(self.tallies[name]),
            )
            for name in names
        ]

    def _count(self, counts: Mapping[str, int]) -> None:
        for name, amount in counts.items():
            self.tallies[name] += amount
            self._counted.add(name)

    def _restore(self, value: bytes) -> None:
        version, *rest = unpack(value)
        if version != _VERSION:
            raise UnknownRow(
                f"the identity state of {self.place} was written by version {version}, this program reads {_VERSION}: "
                "upgrade it"
            )
        self.fence, tallies = rest
        self.tallies.update(tallies)


@dataclass(slots=True)
class Resolving:
    """The stage, as `processor/stage.py` asks for it."""

    settings: ResolvingSettings
    role: str = field(default=ROLE, init=False)
    broadcast: None = field(default=None, init=False)
    _parts: dict[Place, Part] = field(default_factory=dict, init=False)
    _now: int = field(default=0, init=False)

    @property
    def inputs(self) -> Sequence[str]:
        """The hops between the owners of identifiers."""
        return (self.settings.topics.identity,)

    @property
    def changelog(self) -> str:
        """What each owner of identifiers knows."""
        return self.settings.topics.identity_state

    @property
    def stopped(self) -> Mapping[Place, str]:
        """Never: what cannot be used is a dead letter."""
        return {}

    @property
    def pending(self) -> bool:
        """Whether anything was taken, or levels rose a second ago."""
        return any(part.taken or part.levels.may_give(self._now) for part in self._parts.values())

    def state_partition(self, place: Place) -> int:
        """The state of a partition lies in the partition of the same number."""
        return place.partition

    def assign(self, place: Place, rows: Mapping[bytes, bytes]) -> int | None:
        """Take over a partition.

        Raises: UnknownRow when another version of the program wrote a row
        """
        part = self._parts[place] = Part(place, self.settings, rows)
        return part.fence

    def revoke(self, places: Sequence[Place]) -> None:
        """Forget partitions."""
        for place in places:
            self._parts.pop(place, None)

    def take(self, records: Slice, now: int) -> int:
        """Take messages in order; those below the fence were taken before."""
        self._now = max(self._now, now)
        part = self._parts[records.place]
        for index, offset in enumerate(records.offsets):
            if part.fence is not None and offset < part.fence:
                continue
            part.message(records, index)
            part.fence, part.taken = offset + 1, True
        return len(records)

    def hear(self, records: Slice, now: int) -> None:
        """There is no broadcast topic."""

    def caught_up(self, place: Place, now: int) -> None:
        """Nothing: how far sources are read is told in band, by marks."""

    def tick(self, now: int) -> None:
        """Give up what waited too long for a customer; forget refs that are long out of use, some at a time."""
        self._now = max(self._now, now)
        for part in self._parts.values():
            part.tick(self._now, self.settings)

    def node(self, partition: int, digest: str) -> Node | None:
        """Give a node to look at, from any thread. Raises: LookupError when its partition is not held here."""
        return self._parts[Place(self.settings.topics.identity, partition)].hops.peek(digest)

    def give(self, now: int) -> Sequence[Output]:
        """Everything that is not durable yet."""
        self._now = max(self._now, now)
        parts = [part for part in self._parts.values() if part.taken or part.levels.may_give(self._now)]
        return [output for part in parts for output in part.give(self._now)]


def _kind_of(records: Slice, index: int) -> str | None:
    for name, value in records.headers[index] or ():
        if name == KIND:
            return (value or b"").decode("utf-8", "replace")
    return None


def _origin(records: Slice, index: int) -> Origin:
    return Origin(
        records.place,
        records.offsets[index],
        records.timestamps[index],
        records.values[index],
        records.keys[index],
        records.headers[index] or (),
    )
