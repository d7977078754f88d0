"""Erasing: a person is forgotten in everything that the one writer holds, in the commit of the batch that says so.

What enters: customer keys and digests of identifiers. What leaves: rows, parked events, dead letters and alerts that go with
them; entries by which what still comes about them is left aside; and for others what that changed.
The next room: `processor`, which commits it and looks afterwards whether anything is left.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace

from coordwatch.codec import pack, unpack
from coordwatch.context.fact import ID, SOURCE, TYPE
from coordwatch.engine.batch import CUSTOMER, FACTS, GIVEN
from coordwatch.engine.rows import parked_row, taught_rows
from coordwatch.engine.state import event_of, fact_from_plain
from coordwatch.engine.unnaming import unname
from coordwatch.events.event import Event
from coordwatch.identity.cross_reference import Change
from coordwatch.identity.policy import SUBJECT, IdentityMode
from coordwatch.processor.forgetting import FORGOTTEN
from coordwatch.processor.records import ResultStatus
from coordwatch.processor.requests import KEPT
from coordwatch.processor.traces import Traces
from coordwatch.processor.work import Work

_STAMPED = f"{SUBJECT}:"


class Erasing:
    """Who is forgotten in one batch."""

    def __init__(self, work: Work) -> None:
        self._work, self._identity = work, work.identity
        self.erased: Counter[str] = Counter()

    def who(self, text: str) -> tuple[set[str], set[str]]:
        """The customers and the digests that a customer key or an identifier names; nothing when nobody is called so."""
        identity, store = self._identity, self._work.rooms.store
        key = f"{CUSTOMER}{text}"
        if identity.current(text) is not None or text in self._work.rooms.desk.states or store.load([key]):
            return {text, identity.current(text) or text}, set()
        forms = identity.forms(text)
        customers = {found for form in forms if (found := identity.customer_of_ids([form])) is not None}
        if identity.policy.mode is IdentityMode.TRUSTED_ID and not forms:
            customers = {text}
        return customers, set(forms)

    def named_by(self, event: Event) -> tuple[set[str], set[str]]:
        """The customers and the digests that an event names, the persons only."""
        identity = self._identity
        found = identity.customer_of(event)
        digests = set(identity.persons(event))
        customers = {one for digest in digests if (one := identity.customer_of_ids([digest])) is not None}
        return customers | ({found} if found is not None else set()), digests

    def forget(self, customers: Iterable[str], digests: Iterable[str]) -> list[str]:
        """Forget these; give all their names: customer keys and digests."""
        identity, ids = self._identity, set(digests)
        keys: set[str] = set()
        for customer in customers:
            ids |= identity.belongings(customer)
            keys |= identity.names(customer)
        ids |= set(self._only_in_journals(keys))
        kinds = {row.digest: (row.type, row.namespace) for one in ids if (row := identity.known(one)) is not None}
        beside = identity.beside(ids) - keys
        gone = identity.forget(ids)
        ids |= gone.digests
        rows = taught_rows(gone.rows)
        self._work.batch.values.update(dict.fromkeys(rows))
        self.erased["identifiers"] += len(gone.rows.ids)
        for event in gone.parked:
            self._drop_parked(event)
        self._work.refile(_of_others(gone.change, keys))
        self._work.release(gone.released)
        for key in keys:
            self._drop_customer(key)
        self._unname(beside, ids)
        self._drop_facts(ids)
        names = sorted({*keys, *(one.removeprefix(_STAMPED) for one in ids)})
        self._drop_letters(ids, keys, set(kinds.values()))
        self.keep_away(names)
        return names

    def keep_away(self, names: Iterable[str]) -> None:
        """Remember these names only as far as it takes to leave aside what still comes about them."""
        now = self._work.now
        for entry in self._work.rooms.kept.add(names, now):
            self._work.batch.values[f"{KEPT}{entry}"] = pack(now)

    def _only_in_journals(self, keys: Iterable[str]) -> Iterator[str]:
        """What facts of these customers name that identity does not know any more."""
        self._work.load(keys)
        for key in keys:
            for fact in self._work.rooms.desk.states[key].journal.facts:
                for digest in self._identity.ids_of(event_of(fact)):
                    if self._identity.known(digest) is None:
                        yield digest

    def _drop_parked(self, event: Event) -> None:
        work = self._work
        work.batch.values[parked_row(event)] = None
        work.tallies[ResultStatus.PARKED.value] -= 1
        work.tallies[ResultStatus.DROPPED.value] += 1
        work.tallies[f"{ResultStatus.DROPPED.value}.{FORGOTTEN}"] += 1
        self.erased["parked_events"] += 1

    def _drop_customer(self, key: str) -> None:
        work, desk = self._work, self._work.rooms.desk
        state = desk.states.pop(key, None)
        if state is not None and state.journal.facts:
            self.erased["customers"] += 1
            self.erased["events"] += len(state.journal.facts)
        work.batch.drop(key)
        for event_type, readers in desk.readers.items():
            if readers.pop(key, None) is not None:
                work.batch.values[f"{GIVEN}{event_type}/{key}"] = None
        work.forgotten.append(key)

    def _unname(self, customers: Set[str], ids: Set[str]) -> None:
        """Take these out of the events of others, which named them too."""
        work, desk = self._work, self._work.rooms.desk
        work.load(customers)
        for customer in customers:
            named = unname(desk.states[customer].journal, ids, self._identity.reader, desk.engine.plan)
            if named:
                work.batch.touched.add(customer)
                self.erased["named_beside_others"] += named

    def _drop_facts(self, ids: Set[str]) -> None:
        """Drop what concerns everybody and yet names one of these."""
        work, desk = self._work, self._work.rooms.desk
        for key, value in work.rooms.store.scan(FACTS):
            fact = fact_from_plain(unpack(value), desk.engine.plan)
            if fact is not None and not ids.isdisjoint(self._identity.persons(event_of(fact))):
                desk.reference.forget(fact[TYPE], fact[SOURCE], fact[ID])
                work.batch.values[key] = None
                self.erased["facts"] += 1

    def _drop_letters(self, ids: set[str], keys: set[str], kinds: Set[tuple[str, str]]) -> None:
        """Drop the dead letters that name one of these, those of this batch too."""
        work = self._work
        theirs = Traces(self._identity, (ids | keys).__contains__, kinds).in_bytes
        gone = [letter.id for letter in work.rooms.store.letters() if theirs(letter.original)]
        kept = [letter for letter in work.dead_letters if not theirs(letter.original)]
        self.erased["dead_letters"] += len(gone) + len(work.dead_letters) - len(kept)
        work.letters_gone += gone
        work.dead_letters[:] = kept


def _of_others(change: Change, keys: Set[str]) -> Change:
    """What the forgetting of some customers changed for the rest."""
    aliases = tuple(alias for alias in change.aliases if alias.old not in keys)
    return replace(change, aliases=aliases, divided=tuple(one for one in change.divided if one not in keys))
