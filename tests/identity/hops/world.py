"""A world of partitions: logs that keep the order of each sender, owners that crash, and the smallest possible detect.

Each identity partition reads its log; what it gives goes into channels, one for each pair of sender and receiver, and from
there into the receiver's log, in any order that keeps each channel's own. A crash loses what was not given: the owner begins
again from its rows, at the record behind the last one that a commit has taken.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from coordwatch.codec import unpack
from coordwatch.events.event import Event, event_with
from coordwatch.identity.answers import Answer
from coordwatch.identity.hops.anchors import Effect, FileEvent, GiveUp, Reask
from coordwatch.identity.hops.messages import Apart, Forget, HopKind, encode
from coordwatch.identity.hops.parting import Forgotten, Heard, Unnamed
from coordwatch.identity.hops.routing import PLACE, Router
from coordwatch.identity.hops.system import EVERYBODY, Hops
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Named, Reader
from tests.identity.build import LINKED, event, md5, sha1

Name = tuple[str, str]
Message = tuple[str, str, bytes]


@dataclass
class Owner:
    """One identity partition: its log, its committed rows, and whoever owns it now."""

    hops: Hops
    log: list[Message] = field(default_factory=list)
    rows: dict[bytes, bytes] = field(default_factory=dict)
    taken: int = 0
    committed: int = 0


class World:
    """`partitions` of identity and as many of detect, driven by chance that is passed in."""

    def __init__(self, policy: IdentityPolicy, partitions: int, chance: random.Random) -> None:
        self.policy, self.partitions, self.chance = policy, partitions, chance
        self.router, self.reader = Router(policy), Reader(policy)
        self.owners = [Owner(Hops(policy)) for _ in range(partitions)]
        self.channels: dict[tuple[str, str, int], deque[Any]] = defaultdict(deque)
        self.journals: list[dict[str, dict[Name, tuple[Event, list[Any]]]]] = [{} for _ in range(partitions)]
        self.gone: list[GiveUp] = []
        self.forgotten: list[str] = []
        self.aliases: dict[str, str | None] = {}
        self.counts: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()

    def partition(self, key: str) -> int:
        return crc32(key.encode()) % self.partitions

    def bring(self, event: Event, by: str = "ingest") -> None:
        """An event comes from ingest; one that names nobody does not come here."""
        route = self.router.route(event)
        if route.anchor is not None:
            self.send(by, route.anchor, PLACE, self.router.place(event))

    def forget(self, customer: str) -> None:
        """A person is forgotten by the key."""
        self.channels["ops", "events", self.partition(customer)].append(customer)

    def reap(self) -> None:
        """The word has gone round: the doomed are gone, those of one owner perhaps long before those of the next."""
        for now in (1, 100):
            for owner in self.chance.sample(self.owners, len(self.owners)):
                owner.hops.forget(now, 10)
                self.give(owner)
                if self.chance.random() < 0.5:
                    self.settle()
        self.settle()

    def split(self, one: Named, other: Named) -> None:
        """Two identifiers are not one, in any of their forms."""
        for near, far in ((one, other), (other, one)):
            said = Apart(near.kind, far.digest, far.kind)
            self.send("ops", near.digest, *encode(said))

    def send(self, by: str, to: str, kind: str, value: bytes) -> None:
        self.messages[kind] += 1
        self.channels[by, "identity", self.partition(to)].append((kind, to, value))

    def steps(self, most: int, crashes: bool = True) -> None:
        """Let chance do some steps."""
        for _ in range(most):
            busy = [channel for channel, waiting in self.channels.items() if waiting]
            what = self.chance.random()
            if busy and what < 0.5:
                self.arrive(self.chance.choice(busy))
                continue
            owner = self.chance.choice(self.owners)
            if what < 0.75:
                self.take(owner, self.chance.randint(1, 4))
            elif what < 0.95 or not crashes:
                self.give(owner)
            else:
                self.crash(owner)

    def prune(self, before: int) -> None:
        """Every owner forgets the refs that no event named since an instant."""
        for owner in self.owners:
            owner.hops.prune(lambda _: before, owner.hops.size + 1)
            self.give(owner)

    def settle(self) -> None:
        """Let everything arrive."""
        for _ in range(100_000):
            busy = [channel for channel, waiting in self.channels.items() if waiting]
            behind = [owner for owner in self.owners if owner.taken < len(owner.log)]
            if busy:
                self.arrive(self.chance.choice(busy))
            elif behind:
                self.take(self.chance.choice(behind), 3)
            else:
                for owner in self.owners:
                    self.give(owner)
                if not any(self.channels.values()):
                    return
        raise AssertionError("it never comes to rest")

    def check_the_books(self) -> None:
        """`in` is the sum of what became of everything."""
        counts = self.counts
        assert counts["in"] == sum(counts[name] for name in ("passed", "parked", "dropped", "dead_lettered")), counts
        assert counts["parked"] == len(self.parked())

    def arrive(self, channel: tuple[str, str, int]) -> None:
        _, topic, partition = channel
        one = self.channels[channel].popleft()
        if topic == "identity":
            again = one[0] != PLACE and self.chance.random() < 0.03
            self.owners[partition].log += [one, one] if again else [one]
        else:
            self.detect(partition, one)

    def take(self, owner: Owner, most: int) -> None:
        for kind, to, value in owner.log[owner.taken : owner.taken + most]:
            owner.hops.take(kind, to, value)
            owner.taken += 1

    def give(self, owner: Owner) -> None:
        done, by = owner.hops.done(), f"identity-{self.owners.index(owner)}"
        for key, value in done.rows.items():
            if value is None:
                owner.rows.pop(key, None)
            else:
                owner.rows[key] = value
        for to, message in done.hops:
            self.send(by, to, *encode(message))
        for effect in done.effects:
            self.follow(by, effect)
        self.aliases.update(done.aliases)
        self.counts.update(done.counts)
        owner.committed = owner.taken

    def crash(self, owner: Owner) -> None:
        owner.hops = Hops(self.policy, ((unpack(key), value) for key, value in owner.rows.items()))
        owner.taken = owner.committed

    def follow(self, by: str, effect: Effect) -> None:
        if isinstance(effect, GiveUp):
            self.gone.append(effect)
        elif isinstance(effect, Heard):
            for partition in range(self.partitions):
                self.channels[by, "identity", partition].append((HopKind.FORGET, EVERYBODY, encode(effect.word)[1]))
        elif isinstance(effect, Unnamed):
            for customer in effect.customers:
                self.channels[by, "events", self.partition(customer)].append((customer, effect.digest))
        elif isinstance(effect, Forgotten):
            self.forgotten.append(effect.digest)
            if effect.customer is not None:
                self.channels[by, "events", self.partition(effect.customer)].append(effect.customer)
        else:
            self.messages[
                "move" if isinstance(effect, FileEvent) and effect.said is not None else type(effect).__name__
            ] += 1
            self.channels[by, "events", self.partition(effect.customer)].append(effect)

    def detect(self, partition: int, effect: FileEvent | Reask | str | tuple[str, str]) -> None:
        """The least that detect must do: keep journals, send back what it is asked for, forget a customer by the key."""
        journals = self.journals[partition]
        if isinstance(effect, tuple) and len(effect) == 2:
            customer, digest = effect
            for name, (event, said) in list(journals.get(customer, {}).items()):
                left = self.reader.without(event, {digest}.__contains__)
                journals[customer][name] = (left, said)
                anchor = self.router.route(left).anchor
                if self.router.route(event).anchor == digest:
                    del journals[customer][name]
                    if anchor is not None:
                        self.send(f"detect-{partition}", anchor, PLACE, self.router.place(left, said))
                    else:
                        self.counts.update({"passed": -1, "dropped": 1})
            return
        if isinstance(effect, str):
            gone = journals.pop(effect, {})
            for digest in {one for event, _ in gone.values() for one in self.router.route(event).ids}:
                self.send(f"detect-{partition}", digest, *encode(Forget(effect)))
            return
        journal = journals.setdefault(effect.customer, {})
        if isinstance(effect, FileEvent):
            event, _, said = effect
            name = (event.source, event.id)
            known = journal.get(name)
            before = [] if known is None else known[1]
            if known is not None and known[0].observed_at < event.observed_at:
                event = known[0]
            journal[name] = (event, [*before, *(said or ()), f"seen by {effect.customer}"])
            return
        for name, (event, said) in list(journal.items()):
            route = self.router.route(event)
            if route.anchor == effect.anchor and (effect.about is None or effect.about in route.ids):
                del journal[name]
                self.send(f"detect-{partition}", effect.anchor, PLACE, self.router.place(event, said))

    def filed(self) -> dict[Name, str]:
        """Give the customer of each event that has one."""
        every = [
            (name, customer) for journals in self.journals for customer, journal in journals.items() for name in journal
        ]
        assert len(every) == len(dict(every)), "one event in two journals"
        return dict(every)

    def parked(self) -> list[Name]:
        """Give the events that wait."""
        rows = [(unpack(key), unpack(value)) for owner in self.owners for key, value in owner.rows.items()]
        return [(value[1][0], value[1][1]) for key, value in rows if key[0] == "p"]

    def answers(self) -> dict[str, Answer]:
        """Give the answers of all nodes."""
        return {digest: answer for owner in self.owners for digest, answer in owner.hops.answers().items()}


def copies(events: Sequence[Event], chance: random.Random) -> list[Event]:
    """Give the events in any order, some of them again, observed earlier or later."""
    again = [
        event_with(one, observed_at=one.observed_at + chance.randint(-5, 5)) for one in events if chance.random() < 0.2
    ]
    every = [*events, *again]
    chance.shuffle(every)
    return every


_POOL = [
    *(f"customer_id:C{number}" for number in range(4)),
    *(f"email:p{number % 4}@example.com" for number in range(8)),
    *(f"email_md5:{md5(f'p{number}@example.com')}" for number in range(4)),
    *(f"email_sha1:{sha1(f'p{number}@example.com')}" for number in range(2)),
    *(f"phone:+3312345670{number}" for number in range(3)),
    *(f"requester:desk:R{number}" for number in range(3)),
    *(f"contact_id:crm:X{number}" for number in range(3)),
    *(f"anonymous_id:A{number}" for number in range(3)),
    *(f"device_id:D{number}" for number in range(2)),
]
_REFS: dict[str, list[Any]] = {
    "order": ["O1", "O2", "O3"],
    "shipment": ["S1", "S2", ["S1", "S3"]],
    "case": ["K1", "K2"],
    "conversation": ["V1", "V2"],
}


def crowd(chance: random.Random) -> list[Event]:
    """Give a history in which few identifiers meet all the time, longer and denser than what shrinks well."""
    links, refs, most = chance.choice([0.05, 0.2]), chance.choice([0.2, 0.5]), chance.choice([1, 2, 4])
    events = []
    for number in range(chance.choice([6, 12, 25, 60])):
        named = dict.fromkeys(chance.sample(_POOL, chance.randint(0, most)))
        data = {name: chance.choice(values) for name, values in _REFS.items() if chance.random() < refs}
        if chance.random() < links:
            data["type"] = LINKED
        subject = chance.choice([None] * 6 + ["S-1", "S-2"])
        events.append(event(number, *named, subject=subject, **data))
    return events


def policies(chance: random.Random) -> IdentityPolicy:
    """Give a policy under which what is rare happens often."""
    return IdentityPolicy(fanout_max=chance.choice([2, 3, 20]), ref_hops=chance.choice([0, 1, 2, 3]), park_for=10**18)
