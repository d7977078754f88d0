"""People of a site beside a Kafka: requests to forget somebody for the workers, and looking whether anything is left.

What enters: settings, customer keys or identifiers.
What leaves: records on our topics; receipts, with what was still found in compacted topics, dead letters and the database.
The next room: the commands `forget` and `identity`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.ranges import Range, is_there, read_range
from coordwatch.adapters.kafka.sending import send
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.content import identity_policy, kafka_access, keys_of
from coordwatch.app.databases import open_store
from coordwatch.codec import decode_json
from coordwatch.errors import PermanentError
from coordwatch.identity.hops.messages import Apart, encode
from coordwatch.identity.identity import Identity
from coordwatch.identity.kept_away import KeptAway
from coordwatch.identity.policy import SUBJECT, IdentityMode
from coordwatch.identity.reading import Named
from coordwatch.ports import Effects
from coordwatch.processor.detecting.rows import CUSTOMER, HELD
from coordwatch.processor.forgetting import (
    RECEIPT,
    away_output,
    forget_customer,
    forget_nodes,
    lifted_output,
    read_away,
    receipt_output,
)
from coordwatch.processor.requests import Receipt, Request, RequestKind, waiting_of
from coordwatch.processor.stage import KIND, Output
from coordwatch.processor.topics import Topics
from coordwatch.processor.traces import Traces, names_in
from coordwatch.settings import Settings, for_worker
from coordwatch.sources.record import Record

_STAMPED = f"{SUBJECT}:"
_NUDGE = b"verify"


@dataclass(frozen=True, slots=True)
class OverKafka:
    """The topics of a site, and its identity without anybody in it."""

    settings: Settings
    access: KafkaAccess
    topics: Topics
    identity: Identity

    def ask(self, request: Request) -> Receipt:
        """Send a request to whoever can carry it out; the receipt says that it was sent.

        Raises: PermanentError when it names nobody who can be found, TemporaryError when it could not be sent
        """
        does = {RequestKind.FORGET: self._forget, RequestKind.LIFT: self._lift, RequestKind.SPLIT: self._split}
        outputs = does[request.kind](request)
        reference = self.identity.policy.digester.kept_away("\x1f".join(sorted(request.who)))
        receipt = Receipt(request.id, request.kind, request.by, request.at, request.at, reference)
        send(self.access, [*outputs, receipt_output(self.topics, receipt.id, receipt.plain())])
        return receipt

    def receipts(self) -> list[Receipt]:
        """Everything that was ever asked, oldest first."""
        found: dict[str, Receipt] = {}
        for record in self._all(self.topics.forgotten):
            key = (record.key or b"").decode("utf-8", "replace")
            if key.startswith(RECEIPT) and record.value is not None:
                plain = decode_json(record.value)
                found[key] = Receipt(**plain | {"kind": RequestKind(plain["kind"])})
        return sorted(found.values(), key=lambda one: (one.asked_at, one.id))

    def verify(self, now: int, store: SqlStore | None = None) -> list[Receipt]:
        """Delete the dead letters of those who were forgotten, then look at all that is kept; note it in the receipts.

        What the brokers have not compacted yet counts as left, for it can still be read.

        Takes: `store`, the database of the alerts where it is open already
        """
        kept, kinds = self._kept_away()
        left = self._letters(kept, kinds)
        names = self.topics
        # Also of a site that asks for no suppressions any more.
        told = [names.suppressions] if is_there(self.access, names.suppressions) else []
        for topic in (names.identity_state, names.detect_state, names.aliases, names.facts, *told):
            left += sum(names_of(record, kept) for record in self._all(topic))
        left += self._in_own_database(kept, now) if store is None else self._in_database(store, kept, now)
        checked = [one.checked(left, now) for one in waiting_of(self.receipts())]
        # A topic that nobody writes to keeps its newest segment, and in it what was deleted: one more record lets it go.
        places = [
            (names.aliases, 0),
            (names.dead_letters, 0),
            *((topic, at) for topic in told for at in range(names.partitions)),
        ]
        nudges = [Output(topic, _NUDGE, None, partition) for topic, partition in places if left]
        send(self.access, [*nudges, *(receipt_output(self.topics, one.id, one.plain()) for one in checked)])
        return checked

    def _forget(self, request: Request) -> list[Output]:
        outputs: list[Output] = []
        digester, trusted = self.identity.policy.digester, self.identity.policy.mode is IdentityMode.TRUSTED_ID
        for text in request.who:
            named = self._named(text)
            if named is None or trusted:
                outputs.append(forget_customer(self.topics, text))
                outputs.append(away_output(self.topics, digester.kept_away(text), request.at))
            if named is not None:
                forms = (named.digest, *self.identity.reader.aliases(named))
                outputs += forget_nodes(self.topics, () if trusted else forms)
                outputs += [
                    away_output(self.topics, digester.kept_away(one.removeprefix(_STAMPED)), request.at, named.kind)
                    for one in forms
                ]
        return outputs

    def _lift(self, request: Request) -> list[Output]:
        names = {one for text in request.who for one in (text, *self.identity.forms(text))}
        digester = self.identity.policy.digester
        entries = {entry for name in names for entry in digester.every_kept_away(name.removeprefix(_STAMPED))}
        return [lifted_output(self.topics, entry) for entry in sorted(entries)]

    def _split(self, request: Request) -> list[Output]:
        ends = [self._named(text) for text in request.who]
        if len(ends) != 2 or None in ends or ends[0] == ends[1]:
            raise PermanentError("give two different identifiers, such as email:ann@example.com cookie:K-7")
        one, other = (end for end in ends if end is not None)
        outputs = []
        for near, far in ((one, other), (other, one)):
            for digest in (near.digest, *self.identity.reader.aliases(near)):
                kind, value = encode(Apart(near.kind, far.digest, far.kind))
                header = ((KIND, kind.encode()),)
                outputs.append(Output(self.topics.identity, digest.encode(), value, None, header))
        return outputs

    def _named(self, text: str) -> Named | None:
        one = self.identity.reader.one(text, None)
        return one if isinstance(one, Named) else None

    def _kept_away(self) -> tuple[KeptAway, set[tuple[str, str]]]:
        """Who is kept away, and of which types their identifiers are."""
        entries: dict[str, int] = {}
        kinds: set[tuple[str, str]] = set()
        for record in self._all(self.topics.forgotten):
            heard = read_away(record.key, record.value)
            if heard is None:
                continue
            entry, away = heard
            entries.pop(entry, None)
            if away is not None:
                entries[entry] = away.at
                kinds |= {(away.type, away.namespace)} if away.type else set()
        return KeptAway(self.identity.policy, entries), kinds

    def _letters(self, kept: KeptAway, kinds: set[tuple[str, str]]) -> int:
        """Delete the dead letters that name somebody who is kept away; give how many can still be read."""
        traces = Traces(self.identity, kept.holds, kinds)
        topic = self.topics.dead_letters
        theirs = [
            one.key for one in self._all(topic) if one.value is not None and one.key and traces.in_bytes(one.value)
        ]
        send(self.access, [Output(topic, key, None, 0) for key in dict.fromkeys(theirs)])
        return len(theirs)

    def _in_own_database(self, kept: KeptAway, now: int) -> int:
        """The same in a database that is not open yet; nothing where there is none here."""
        if isinstance(self.settings.database, Path) and not self.settings.database.is_file():
            return 0
        with ExitStack() as undo:
            return self._in_database(open_store(self.settings, {}, undo), kept, now)

    def _in_database(self, store: SqlStore, kept: KeptAway, now: int) -> int:
        """Write the database of the alerts anew, and give how many names are left in it."""
        traces = Traces(self.identity, kept.holds, {("email", ""), ("phone", "")})
        gone = [letter.id for letter in store.letters() if traces.in_bytes(letter.original)]
        store.commit(Effects(letters_gone=gone), now)
        store.compact()
        return len({name for name in store.names_left() if kept.holds(name)})

    def _all(self, topic: str) -> Iterator[Record]:
        _, records = read_range(self.access, Range(topic))
        yield from records


def over_kafka(settings: Settings) -> OverKafka:
    """The people of a site beside a Kafka. Raises: PermanentError when the settings are not for a worker."""
    kafka = for_worker(settings)
    if settings.identity.key is None:
        raise PermanentError("the workers' identity key is needed to find anybody: set COORDWATCH_IDENTITY__KEY")
    policy = identity_policy(settings, keys_of(settings))
    return OverKafka(settings, kafka_access(kafka), kafka.topics, Identity(policy))


def names_of(record: Record, kept: KeptAway) -> int:
    """How many names of somebody who is kept away a record holds; one that only deletes holds none."""
    if record.value is None:
        return 0
    key = record.key or b""
    bare = key.removeprefix(CUSTOMER).removeprefix(HELD)
    names = {*names_in(key + b"\n" + record.value), bare.decode("utf-8", "replace")}
    return sum(map(kept.holds, names))
