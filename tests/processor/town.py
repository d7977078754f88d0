"""A town of partitions without a broker: logs that keep the order of each writer, and owners that come and go.

Real stages `identity`, one for each partition, and of ingest and detect as little as can be: sources that place events and say
how far they are read, and journals that answer `reask` and take `move`. Whoever takes over a partition has its committed rows;
what was not committed is lost and taken again.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from coordwatch.codec import decode_json, unpack
from coordwatch.engine.ledger import Reach
from coordwatch.events.event import Event, event_with
from coordwatch.events.filed import Filed, decode_filed, filed_from
from coordwatch.events.times import SECOND
from coordwatch.identity.hops.routing import PLACE, Router
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor.letters import Letter, read_letter
from coordwatch.processor.marks import Mark, later, mark_of, mark_records
from coordwatch.processor.outcomes import TallyLine, amount_of, line_of
from coordwatch.processor.resolving import Resolving, ResolvingSettings
from coordwatch.processor.stage import KIND, Output, Place, Slice
from coordwatch.processor.topics import Topics

Name = tuple[str, str]
SOURCE = "source"


@dataclass
class Journals:
    """The least that detect must do, for one partition of the events. `late` is what a mark had claimed before it came."""

    number: int
    router: Router
    kept: dict[str, dict[Name, tuple[Event, list[Any]]]] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    late: list[Name] = field(default_factory=list)
    lost: list[Any] = field(default_factory=list)

    def take(self, key: str, kind: str | None, value: bytes) -> Iterable[tuple[str, bytes]]:
        """Take one record; give what goes back to identity, each with its key."""
        if kind is None:
            filed = decode_filed(value)
            assert isinstance(filed, Filed)
            assert key == filed.customer
            if filed.event.data["nth"] <= self.claimed(filed.event.data["from"]):
                self.late.append((filed.event.source, filed.event.id))
            self.keep(filed, ())
        elif kind == "move":
            plain = decode_json(value)
            filed = filed_from(plain["event"])
            assert isinstance(filed, Filed)
            self.keep(filed, plain["said"])
        elif kind == "mark":
            mark = mark_of(value)
            known = self.marks.get(mark.by)
            for name, places in mark.progress.items() if known else ():
                for place, reach in places.items():
                    before = known.progress.get(name, {}).get(place) if known else None
                    assert before is None or later(before, reach) == reach, "a mark went back"
            merged = {**(known.progress.get(SOURCE, {}) if known else {}), **mark.progress.get(SOURCE, {})}
            self.marks[mark.by] = replace(mark, progress={SOURCE: merged})
        elif kind == "reask":
            plain = decode_json(value)
            yield from self.give_back(key, plain["anchor"], plain["about"])
        else:
            assert kind == "lost"
            self.lost.append(decode_json(value))

    def keep(self, filed: Filed, said: Iterable[Any]) -> None:
        journal = self.kept.setdefault(filed.customer, {})
        name = (filed.event.source, filed.event.id)
        known, before = journal.get(name, (filed.event, []))
        event = event_with(known, observed_at=min(known.observed_at, filed.event.observed_at))
        journal[name] = (event, [*before, *said, [filed.customer]])

    def give_back(self, customer: str, anchor: str, about: str | None) -> Iterable[tuple[str, bytes]]:
        journal = self.kept.get(customer, {})
        for name, (event, said) in list(journal.items()):
            route = self.router.route(event)
            if route.anchor == anchor and (about is None or about in route.ids):
                del journal[name]
                yield anchor, self.router.place(event, said)

    def claimed(self, place: str) -> int:
        """How far a source partition is proven read."""
        told = [mark.progress[SOURCE].get(place) for mark in self.marks.values()]
        of = max((mark.of for mark in self.marks.values()), default=1)
        through = [reach.through for reach in told if reach is not None]
        return min(through) if len(through) == of else 0


class Town:
    """`partitions` of identity and of the events, driven by chance and time that are passed in."""

    def __init__(self, policy: IdentityPolicy, partitions: int, chance: random.Random, lateness: int = 0) -> None:
        self.topics, self.chance, self.now = Topics("t", partitions), chance, SECOND
        self.settings = ResolvingSettings(self.topics, policy, lateness)
        self.router = Router(policy)
        self.channels: dict[tuple[str, Place], deque[Output]] = defaultdict(deque)
        self.logs: dict[Place, list[Output]] = {place: [] for place in self.places()}
        self.rows: list[dict[bytes, bytes]] = [{} for _ in range(partitions)]
        self.offsets: Counter[Place] = Counter()
        self.journals = [Journals(number, self.router) for number in range(partitions)]
        self.placed: Counter[str] = Counter()
        self.aliases: dict[bytes, bytes] = {}
        self.letters: list[Letter] = []
        self.tallies: dict[str, Counter[str]] = defaultdict(Counter)
        self.messages: Counter[str] = Counter()
        self.were_parked: set[Name] = set()
        self.taken: Counter[Place] = Counter()
        self.owners: dict[Place, Resolving] = {}
        for place in self.logs:
            self.hand_over(place)

    def places(self) -> list[Place]:
        return [Place(self.topics.identity, number) for number in range(self.topics.partitions)]

    # ---- chance

    def hand_over(self, place: Place) -> None:
        """Another process takes over a partition."""
        self.owners[place] = Resolving(self.settings)
        fence = self.owners[place].assign(place, dict(self.rows[place.partition]))
        assert (fence or 0) == self.offsets[place]
        self.taken[place] = self.offsets[place]

    def steps(self, most: int) -> None:
        """Let chance do some steps."""
        for _ in range(most):
            what = self.chance.random()
            busy = [channel for channel, waiting in self.channels.items() if waiting]
            if busy and what < 0.5:
                self.arrive(self.chance.choice(busy))
            elif what < 0.75:
                self.take(self.chance.choice(self.places()), self.chance.randint(1, 5))
            elif what < 0.93:
                self.give(self.chance.choice(self.places()))
            elif what < 0.97:
                self.hand_over(self.chance.choice(self.places()))
            else:
                self.pass_time(SECOND)

    def settle(self) -> None:
        """Let everything arrive, and time pass until nobody has anything to say."""
        quiet = 0
        while quiet < 8:
            busy = [channel for channel, waiting in self.channels.items() if waiting]
            behind = [place for place, log in self.logs.items() if self.taken[place] < len(log)]
            if busy:
                self.arrive(self.chance.choice(busy))
            elif behind:
                self.take(self.chance.choice(behind), 5)
            else:
                before = sum(self.messages.values())
                self.pass_time(SECOND)
                for place in self.places():
                    self.give(place)
                quiet = quiet + 1 if before == sum(self.messages.values()) else 0

    def pass_time(self, amount: int) -> None:
        self.now += amount
        for owner in self.owners.values():
            owner.tick(self.now)

    # ---- what ingest does

    def bring(self, event: Event, part: int = 0, *, astray: bool = False) -> None:
        """An event is read from a source partition and goes to its anchor; `astray`: to what it is under an older policy."""
        self.placed[f"p/{part}"] += 1
        event = event_with(event, data={**event.data, "from": f"p/{part}", "nth": self.placed[f"p/{part}"]})
        route = self.router.route(event)
        if route.anchor is not None:
            kind = ((KIND, PLACE.encode()),)
            key = (route.ids[-1] if astray else route.anchor).encode()
            self.write(f"ingest-{part}", Output(self.topics.identity, key, self.router.place(event), None, kind))

    def mark(self, part: int = 0) -> None:
        """A source partition says how far it is read."""
        nth = self.placed[f"p/{part}"]
        mark = Mark({SOURCE: {f"p/{part}": Reach(nth, nth, nth)}})
        for output in mark_records(self.topics.identity, self.topics.partitions, mark):
            self.write(f"ingest-{part}", output)

    # ---- the logs

    def write(self, by: str, output: Output) -> None:
        kind = dict(output.headers).get(KIND)
        self.messages[f"{output.topic.removeprefix('t.')}.{(kind or b'event').decode()}"] += 1
        partition = output.partition
        if partition is None:
            partition = crc32(output.key or b"") % self.topics.partitions
        self.channels[by, Place(output.topic, partition)].append(output)

    def arrive(self, channel: tuple[str, Place]) -> None:
        output, place = self.channels[channel].popleft(), channel[1]
        if place.topic == self.topics.identity:
            self.logs[place].append(output)
            return
        kind = dict(output.headers).get(KIND)
        key, journals = (output.key or b"").decode(), self.journals[place.partition]
        for anchor, value in list(journals.take(key, kind and kind.decode(), output.value or b"")):
            back = Output(self.topics.identity, anchor.encode(), value, None, ((KIND, PLACE.encode()),))
            self.write(f"detect-{place.partition}", back)

    def take(self, place: Place, most: int) -> None:
        records, start = Slice(place), self.taken[place]
        for offset, output in enumerate(self.logs[place][start : start + most], start):
            records.offsets.append(offset)
            records.keys.append(output.key)
            records.values.append(output.value)
            records.headers.append(output.headers)
            records.timestamps.append(self.now)
        if len(records):
            self.taken[place] += self.owners[place].take(records, self.now)

    def give(self, place: Place) -> None:
        """One commit of one owner: outputs, rows and offsets."""
        topics, owner, rows = self.topics, self.owners[place], self.rows[place.partition]
        for output in owner.give(self.now):
            key = output.key or b""
            if output.topic == topics.identity_state:
                assert output.partition == place.partition
                put(rows, output)
            elif output.topic == topics.ledger:
                line = line_of(key)
                assert isinstance(line, TallyLine)
                assert line.place == str(place)
                self.tallies[line.place][line.name] = amount_of(output.value or b"")
            elif output.topic == topics.aliases:
                put(self.aliases, output)
            elif output.topic == topics.dead_letters:
                letter = read_letter(output.value, output.headers)
                assert letter is not None
                self.letters.append(letter)
            else:
                self.write(f"identity-{place.partition}", output)
        assert not owner.pending
        self.offsets[place] = self.taken[place]
        self.were_parked |= {name for name, why in self.waiting(place.partition).items() if why is not None}

    # ---- what became of it

    def waiting(self, partition: int) -> dict[Name, str | None]:
        """The events that wait in a partition, and why; None for those that only wait for an answer."""
        rows = ((unpack(key), unpack(value)) for key, value in self.rows[partition].items())
        return {(value[1][0], value[1][1]): value[3] for key, value in rows if key[0] == "p"}

    def parked(self) -> list[Name]:
        return [name for number in range(self.topics.partitions) for name in self.waiting(number)]

    def filed(self) -> dict[Name, str]:
        """The customer of each event that has one."""
        every = [
            (name, customer)
            for journals in self.journals
            for customer, journal in journals.kept.items()
            for name in journal
        ]
        assert len(every) == len(dict(every)), "one event in two journals"
        return dict(every)

    def late(self) -> list[Name]:
        """The events that came behind a mark that spoke of them, and had never been parked."""
        return [name for journals in self.journals for name in journals.late if name not in self.were_parked]

    def check_the_books(self) -> None:
        """`in` is the sum of what became of everything, for each partition."""
        for place, names in self.tallies.items():
            parts = [names[name] for name in ("passed", "parked", "dropped", "dead_lettered")]
            assert names["in"] == sum(parts), (place, names)
        assert sum(names["parked"] for names in self.tallies.values()) == len(self.parked())


def put(rows: dict[bytes, bytes], output: Output) -> None:
    """Keep a record of a compacted topic."""
    if output.value is None:
        rows.pop(output.key or b"", None)
    else:
        rows[output.key or b""] = output.value
