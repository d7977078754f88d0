"""The cross reference: what each identifier means now, and what a new link means for the events of the past.

What enters: Readings, exclusions and stored Teaching. What leaves: customer keys, and a Change: which customers became
another one, which must be asked again event by event, which identifiers were quarantined.
The next room: `identity`, which adds parking and the modes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coordwatch.identity.answers import STAMPED, Answer, QuarantineReason, customer_key, moves
from coordwatch.identity.belonging import Explained, explained, whole_groups
from coordwatch.identity.edges import NOTHING, EdgeSet, IdRow, Teaching, pair
from coordwatch.identity.identifier import IdClass
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader, Reading
from coordwatch.identity.resolve import Resolution
from coordwatch.identity.teaching import asking, teach


class Alias(NamedTuple):
    """A customer that became another one, whole: every event of `old` is now one of `new`."""

    old: str
    new: str


class Quarantine(NamedTuple):
    """An identifier that stopped linking and resolving."""

    digest: str
    type: str
    reason: QuarantineReason


@dataclass(frozen=True, slots=True)
class Change:
    """What an event or an exclusion changed for events of the past.

    Take `aliases` first; then ask `customer_of_ids` again for each fact of the customers in `divided`. `moved` are the
    identifiers whose answer changed, for whoever waits for one of them.
    """

    aliases: tuple[Alias, ...] = ()
    divided: tuple[str, ...] = ()
    quarantined: tuple[Quarantine, ...] = ()
    moved: tuple[str, ...] = ()


NO_CHANGE = Change()


class CrossReference:
    """Everything known about identifiers, under one policy."""

    def __init__(self, policy: IdentityPolicy, reader: Reader) -> None:
        self._reader = reader
        self._edges = EdgeSet()
        self._resolution = Resolution(self._edges, policy)
        self._keys: dict[str, str] = {}
        self._roots: dict[str, str] = {}

    def note(self, reading: Reading, seen: int, linked: bool) -> tuple[Teaching, Change]:
        """Take in what one event says; only look-ups when it says nothing new."""
        taught = self._teach(reading, seen, linked)
        return (taught, NO_CHANGE) if taught is NOTHING else (taught, self._settle(taught))

    def note_all(self, said: Iterable[tuple[Reading, int, bool]]) -> None:
        """Take in what many events say, before anybody asks for an answer."""
        for reading, seen, linked in said:
            self._teach(reading, seen, linked)
        self._settle_all()

    def of_ids(self, ids: Sequence[str]) -> Answer:
        """Give the answer of an event that names these identifiers."""
        return self._resolution.of_event(ids)

    def answer(self, digest: str) -> Answer:
        """Give the answer of one identifier."""
        return self._resolution.answer(digest)

    def key(self, root: str) -> str:
        """Give the customer key of a root: its own text if somebody stamped it, else one derived from its digest."""
        key = self._keys.get(root)
        if key is None:
            key = self._keys[root] = customer_key(root)
            self._roots[key] = root
        return key

    def current(self, key: str) -> str | None:
        """Give the key under which a customer is known now, None for one that is unknown or was divided."""
        root = self._root(key)
        now = None if root is None else self._resolution.answer(root).root
        return None if now is None else self.key(now)

    def exclude(self, pairs: Iterable[tuple[str, str]]) -> tuple[Teaching, Change]:
        """Keep identifiers apart; the answers are worked out anew where a trusted link was cut."""
        edges, resolution = self._edges, self._resolution
        before: dict[str, Answer | None] = {digest: resolution.answer(digest) for digest in edges.nodes}
        cut = tuple(pair(one, other) for one, other in pairs if edges.cut(one, other))
        settled = self._settle_all()
        return Teaching(apart=cut), self._change(before, {leader: before[leader] for leader in settled}, frozenset())

    def forms(self, digest: str) -> tuple[str, ...]:
        """Give an identifier and the other forms of the same e-mail address."""
        address = self._edges.aliases.get(digest, digest)
        return (address, *(hashed for hashed, of in self._edges.aliases.items() if of == address))

    def learn(self, taught: Iterable[Teaching]) -> None:
        """Take in stored rows, all of them at once."""
        taught, edges = list(taught), self._edges
        for row in (row for rows in taught for row in rows.ids):
            edges.know(row.digest, self._reader.kind(row.type, row.namespace), row.seen)
        for rows in taught:
            for one, other in rows.apart:
                edges.cut(one, other)
            for hashed, address in rows.aliases:
                edges.alias(hashed, address)
            for one, other in rows.links:
                edges.link(one, other)
        for one, other in (joined for rows in taught for joined in rows.edges):
            edges.join(one, other)
        self._settle_all()
        for leader, answer in self._resolution.answers.items():
            if answer.root == leader:
                self.key(leader)

    def everything(self) -> Teaching:
        """Give all rows, in one order."""
        return self._edges.everything()

    def explain(self, key: str) -> list[Explained]:
        """Give the edges through which the identifiers of a customer found each other, strongest first."""
        return explained(self._edges, self.belongings(key))

    def belongings(self, key: str) -> set[str]:
        """Give every identifier and ref of a customer, by digest."""
        edges, answer, stamped = self._edges, self._resolution.answer, self._root(key)
        root = None if stamped is None else answer(stamped).root
        return {digest for digest in edges.nodes if root is not None and answer(digest).root == root}

    def names(self, key: str) -> set[str]:
        """Give every key under which a customer was ever known here."""
        return {key, *map(customer_key, self.belongings(key))}

    def beside(self, digests: Iterable[str]) -> set[str]:
        """Give the customers of whom some identifier was seen together with one of these."""
        nodes = self._edges.nodes
        near = {one for digest in digests if digest in nodes for one in nodes[digest].neighbours()}
        return {self.key(root) for one in near if (root := self._resolution.answer(one).root) is not None}

    def known(self, digest: str) -> IdRow | None:
        """Give the row of an identifier, None for one never seen."""
        node = self._edges.nodes.get(digest)
        return None if node is None else IdRow(digest, node.kind.type, node.kind.namespace, node.seen)

    def keys_in_use(self) -> dict[str, int]:
        """Give how many identifiers are known under each key, by its id."""
        return dict(Counter(one.partition(":")[0] for one in self._edges.nodes if not one.startswith(STAMPED)))

    def forget(self, digests: Iterable[str]) -> tuple[Teaching, Change, set[str]]:
        """Forget identifiers with everything that is one with them; give the rows that are gone, and all digests."""
        edges, resolution = self._edges, self._resolution
        gone = whole_groups(edges, digests)
        near = {
            edges.leader(one) for digest in gone if digest in edges.nodes for one in edges.nodes[digest].neighbours()
        }
        rows = edges.erase(gone)
        for digest in gone:
            resolution.forget(digest)
        change = self._change({}, resolution.settle(near - gone), frozenset())
        for digest in gone:
            self._roots.pop(self._keys.pop(digest, ""), None)
        return rows, change, gone

    def prune(self, before: Callable[[str], int], reach: int, kept: Iterable[str]) -> Teaching:
        """Forget the refs that no event named since an instant, but none within `reach` of one that is still named.

        Takes: `before`, the instant for a type of refs
        Gives: the rows that are gone
        """
        edges, nodes = self._edges, self._edges.nodes
        refs = {digest for digest, node in nodes.items() if node.kind.rank.id_class is IdClass.REF}
        alive = {digest for digest in refs if nodes[digest].seen >= before(nodes[digest].kind.type)}.union(kept)
        border = alive & refs
        for _ in range(reach):
            border = {near for digest in border for near in edges.nodes[digest].refs} - alive
            alive |= border
        gone = sorted(refs - alive)
        touched = {near for digest in gone for near in edges.nodes[digest].refs}.difference(gone)
        rows = edges.erase(set(gone))
        for digest in gone:
            self._resolution.forget(digest)
        self._resolution.settle(touched)
        return rows

    def _root(self, key: str) -> str | None:
        stamped = STAMPED + key
        return stamped if stamped in self._edges.nodes else self._roots.get(key)

    def _teach(self, reading: Reading, seen: int, linked: bool) -> Teaching:
        edges = self._edges
        taught = teach(edges, reading.named, seen, linked)
        aliases = [
            (form, one.digest)
            for one in reading.named
            if one.clear is not None and not edges.has_aliases(one.digest)
            for form in self._reader.aliases(one)
            if (form in edges.nodes or _one_key(form, one.digest)) and edges.alias(form, one.digest)
        ]
        return taught._replace(aliases=tuple(aliases)) if aliases else taught

    def _settle_all(self) -> Mapping[str, Answer | None]:
        """Work all answers out anew."""
        edges = self._edges
        edges.followed()
        self._resolution.clear()
        return self._resolution.settle(map(edges.leader, edges.nodes))

    def _settle(self, taught: Teaching) -> Change:
        """Bring the answers up to date after new rows, and say what that means for the past."""
        edges, resolution = self._edges, self._resolution
        before: dict[str, Answer | None] = dict.fromkeys(row.digest for row in taught.ids)
        touched = {edges.leader(row.digest) for row in taught.ids}
        touched |= asking(edges, taught.edges)
        for follower, brought in edges.followed():
            old = resolution.answers.get(follower)
            for member in brought:
                before.setdefault(member, old)
            resolution.forget(follower)
            leader = edges.leader(follower)
            touched.add(leader)
            touched.update(resolution.dependents(leader))
        return self._change(before, resolution.settle(touched), frozenset(taught.edges))

    def _change(
        self, before: dict[str, Answer | None], changed: Mapping[str, Answer | None], fresh: frozenset[tuple[str, str]]
    ) -> Change:
        """Compare answers before and after. `before` names followers and new ones; `fresh` edges have no past."""
        edges, answer = self._edges, self._resolution.answer
        quarantined = []
        for leader, old in changed.items():
            for member in edges.members(leader):
                before.setdefault(member, old)
            reason = answer(leader).reason
            if reason is not None and (old is None or old.reason is None):
                quarantined.append(Quarantine(leader, edges.kind(leader).type, reason))
        past = {member: old for member, old in before.items() if old is not None}
        moved = {member: old for member, old in past.items() if moves(old, answer(member))}
        if not moved and not quarantined:
            return NO_CHANGE
        became = self._became(moved)
        asked = self._asked_again(moved, before, became, fresh)
        aliases = {Alias(self.key(old), self.key(new)) for old, new in became.items()}
        return Change(
            tuple(sorted(alias for alias in aliases if alias.old != alias.new)),
            tuple(sorted({self.key(became.get(root, root)) for root in asked})),
            tuple(sorted(quarantined)),
            tuple(sorted(moved)),
        )

    def _became(self, moved: Mapping[str, Answer]) -> dict[str, str]:
        """Give each root that is no customer any more, with the root that took all of it over."""
        now = {member: self._resolution.answer(member).root for member, old in moved.items() if old.root == member}
        return {old: new for old, new in now.items() if new is not None and new != old}

    def _asked_again(
        self,
        moved: Mapping[str, Answer],
        before: Mapping[str, Answer | None],
        became: Mapping[str, str],
        fresh: frozenset[tuple[str, str]],
    ) -> set[str]:
        """Give the customers (by their roots before) of whom some event may now belong to another, or to none.

        An event that names a moved identifier was filed under that identifier's customer or under that of one seen
        with it. If all of the customer moves as one, its alias says so already.
        """
        asked: set[str] = set()
        for member, old in moved.items():
            now = self._resolution.answer(member)
            taken_over = None if old.root is None else became.get(old.root)
            whole = taken_over is not None and (taken_over, old.layer) == (now.root, now.layer)
            if old.root is not None and not whole:
                asked.add(old.root)
            for near in self._edges.nodes[member].neighbours():
                if pair(member, near) in fresh:
                    continue
                was = before[near] if near in before else self._resolution.answer(near)
                if was is not None and was.root is not None and not (whole and was.root == old.root):
                    asked.add(was.root)
        return asked


def _one_key(one: str, other: str) -> bool:
    """Say whether two digests are of one key: what an older one wrote is only looked for, never made."""
    return one.partition(":")[0] == other.partition(":")[0]
