"""Anchors: the one node that decides whose an event is, files it, and asks for it again when it may be another's.

What enters: `place` messages, and what changed at a node. What leaves: events filed under customers, requests to send events
of the past again, events that waited too long.

The anchor is the strongest person that an event names, so its own answer nearly always decides. Of the others it asks as
many as count: those of its own class, and everybody while it knows no customer itself. Until they have answered the event
waits here, as a row. A decision need not be right at once: when an answer changes on which one rested, its events are asked
for again, and the log keeps the request behind them. The next room: `system`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from coordwatch.codec import pack
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.identity.answers import UNKNOWN, Answer, customer_key, moves, of_event, of_stamped
from coordwatch.identity.hops.introduction import introduce
from coordwatch.identity.hops.matter import Matter
from coordwatch.identity.hops.messages import Place
from coordwatch.identity.hops.nodes import News, Nodes
from coordwatch.identity.hops.parting import Forgotten, Heard, Unnamed
from coordwatch.identity.hops.routing import anchor_of
from coordwatch.identity.hops.rows import CUSTOMER, VERSION, Node
from coordwatch.identity.hops.waiting import Waiting, Waits, name_of
from coordwatch.identity.identifier import IdClass, Rank
from coordwatch.identity.observation import IDENTITY_UNRESOLVED, ByTool, Found, gap_name
from coordwatch.identity.parking import park_reason
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Named, Reader

_REMEMBERED = 50_000
FORGOTTEN = "forgotten"
_NOBODY = "it names nobody that can be read under this key"


class FileEvent(NamedTuple):
    """An event of this customer. `said` is None the first time, else what was said of its act where it was before."""

    event: Event
    customer: str
    said: Sequence[Any] | None


class Reask(NamedTuple):
    """Events of this customer may be another's: those with this anchor that name `about`, all of them when it is None."""

    customer: str
    anchor: str
    about: str | None


class GiveUp(NamedTuple):
    """An event that nobody can be found for; `said` is what was said of its act while somebody was."""

    event: Event
    why: str
    said: Sequence[Any] | None


Effect = FileEvent | Reask | GiveUp | Forgotten | Unnamed | Heard


class Anchors:
    """What the nodes of one partition decide about events."""

    def __init__(self, policy: IdentityPolicy, nodes: Nodes, reader: Reader) -> None:
        self._policy, self._nodes, self._rows, self._reader = policy, nodes, nodes.rows, reader
        self._effects: list[Effect] = []
        self._counts: Counter[str] = Counter()
        self._waits = Waits(self._rows, reader, policy.park_for)
        self._keys: dict[str, str] = {}
        self._by_tool = ByTool()

    def effects(self) -> list[Effect]:
        """Give, once, what was decided, in order."""
        effects, self._effects = self._effects, []
        return effects

    def counts(self) -> dict[str, int]:
        """Give, once, what there is to add to the counters."""
        counts, self._counts = self._counts, Counter()
        return {name: amount for name, amount in counts.items() if amount}

    def place(self, to: str, place: Place, away: Callable[[str], bool]) -> None:
        """Take up an event: learn from it, then file it, let it wait, or park it; but not what it says of who is `away`."""
        event, said = self._reader.without(place.event, away), place.said
        named = self._reader.read(event).named
        if named and (anchor := anchor_of(named)).digest != to:
            # Without those who are away: the other partition may not have heard of them, and would send it back for ever.
            self._nodes.send(anchor.digest, Place(event, said))
            return
        self._counts["in" if said is None else "returned"] += 1
        if not named:
            self._counts["passed"] -= said is not None
            self._give_up(event, said, _NOBODY)
            return
        node = self._nodes.know(anchor.digest, anchor.kind)
        version, old = node.version, node.answer
        matter = Matter.of(node, named)
        introduce(self._nodes, matter, event)
        if version:
            self.changed(node, old)
        name = name_of(event)
        known = self._waits.get(node.digest, name)
        if known is not None:
            self._waits.keep(node.digest, name, known.with_copy(event, said))
            self._tally("dropped", said)
            self._counts["dropped.repeated"] += 1
            return
        awaited = tuple(one.digest for one in self._silent(matter))
        waiting = Waiting(event, said, None, awaited)
        if awaited:
            self._tally("parked", said)
            self._waits.keep(node.digest, name, waiting)
        else:
            self._decide(matter, name, waiting, kept=False)

    def changed(self, node: Node, old: Answer) -> None:
        """Follow up on a change of a node's own answer: it may move every event that was placed here."""
        if not moves(old, node.answer):
            return
        for customer in list(self._rows.held(node.digest, CUSTOMER)):
            self._effects.append(Reask(customer, node.digest, None))
            self._rows.drop(node.digest, CUSTOMER, customer)
        self._again(node, self._waits.at(node.digest))

    def heard(self, node: Node, news: News) -> None:
        """Follow up on what a neighbour told; the first time it mostly concerns only what waits for it.

        While the node has a customer, its own class decides, and what the others answer changes nothing.
        """
        other, edge, before = news
        was = UNKNOWN if edge.guessed and before is None else before
        counts = edge.kind.rank.id_class is node.kind.rank.id_class or node.answer.root is None
        if was is not None and edge.past and counts and moves(was, edge.answer):
            for customer in self._rows.held(node.digest, CUSTOMER):
                self._effects.append(Reask(customer, node.digest, other))
        self._again(node, self._waits.naming(node.digest, other))

    def bereaved(self, node: Node, other: str) -> None:
        """Follow up on a ref that is gone: what waits for it asks for it again, which brings it back."""
        self._again(node, self._waits.naming(node.digest, other))

    def tell(self, effect: Effect) -> None:
        """Put on its way what others must hear; events of a node that is gone may be another's, and name it no more."""
        self._effects.append(effect)
        if isinstance(effect, Forgotten) and effect.others:
            self._effects.append(Unnamed(effect.digest, effect.others))

    def unname(self, node: Node, digest: str) -> None:
        """Have somebody who was forgotten taken out of the events that were filed here."""
        filed = tuple(self._rows.held(node.digest, CUSTOMER))
        if filed:
            self._effects.append(Unnamed(digest, filed))

    def leave_aside(self, place: Place) -> None:
        """Leave aside an event of somebody who was forgotten."""
        self._counts["in" if place.said is None else "returned"] += 1
        self._tally("dropped", place.said)
        self._counts[f"dropped.{FORGOTTEN}"] += 1

    def drop_waiting(self, anchor: str, sender: str | None) -> None:
        """Leave aside the events that wait at an anchor that is forgotten, or that name one which is."""
        for name in self._waits.at(anchor) if sender is None else self._waits.naming(anchor, sender):
            waiting = self._waits.get(anchor, name)
            assert waiting is not None
            self._waits.let_go(anchor, name, waiting.event)
            self._counts["parked"] -= 1
            self._counts["dropped"] += 1
            self._counts[f"dropped.{FORGOTTEN}"] += 1

    def may_go(self, node: Node) -> bool:
        """Say whether no event waits at a node."""
        return not self._waits.at(node.digest)

    def expire(self, now: int) -> bool:
        """Give up the events that are parked too long; say whether there were any.

        Units: `now` in microseconds since 1970 UTC, the event time that all sources have reached
        """
        any_over = False
        for event, said, why, _ in self._waits.over(now):
            any_over = True
            self._counts["parked"] -= 1
            self._give_up(event, said, str(why))
        return any_over

    def _again(self, node: Node, names: Iterable[str]) -> None:
        """Decide again about events that wait here."""
        for name in names:
            waiting = self._waits.get(node.digest, name)
            assert waiting is not None
            matter = Matter.of(node, self._reader.read(waiting.event).named)
            silent = {one.digest for one in self._silent(matter)}
            if waiting.why is not None or silent.isdisjoint(waiting.awaited):
                self._decide(matter, name, waiting, kept=True)

    def _decide(self, matter: Matter, name: str, waiting: Waiting, *, kept: bool) -> None:
        """File an event, or park it; `kept` says that it is kept here already."""
        node, (event, said, why, _) = matter.node, waiting
        answer = self._answer(matter)
        if answer.root is None:
            reason = park_reason(answer, (one for _, one in self._known(matter)))
            if not kept:
                self._tally("parked", said)
            if reason is not why:
                self._counts[gap_name(reason)] += 1
                if why is None:
                    self._found(event, said, Found.PARKED)
                self._waits.keep(node.digest, name, Waiting(event, said, reason))
            return
        self._found(event, said, Found.RESOLVED if why is None else Found.RELEASED)
        if kept:
            self._waits.let_go(node.digest, name, event)
            self._counts["parked"] -= 1
        if kept or said is None:
            self._counts["passed"] += 1
        for one in matter.asked():
            edge = matter.edge(self._rows, one)
            if not edge.version and not edge.guessed:
                edge.guessed = True
                matter.put_edge(self._rows, one, edge)
        customer = self._key(answer.root)
        if customer not in self._rows.held(node.digest, CUSTOMER):
            self._rows.put(node.digest, CUSTOMER, customer, pack([VERSION]))
        self._effects.append(FileEvent(event, customer, said))

    def _key(self, root: str) -> str:
        """Give the customer key of a root; the latest ones are remembered."""
        key = self._keys.get(root)
        if key is None:
            if len(self._keys) >= _REMEMBERED:
                self._keys.clear()
            key = self._keys[root] = customer_key(root)
        return key

    def _silent(self, matter: Matter) -> list[Named]:
        """Give those who count for an event and have not answered yet; all of them are asked by now."""
        silent = []
        for one in matter.asked():
            edge = matter.edge(self._rows, one)
            if not edge.asked:
                self._nodes.ask(matter.node, one.digest, edge)
                matter.put_edge(self._rows, one, edge)
            if not edge.version:
                silent.append(one)
        return silent

    def _answer(self, matter: Matter) -> Answer:
        """Give the customer of an event, by what is known."""
        node = matter.node
        if matter.stamped:
            return of_stamped(node.answer)
        people: dict[IdClass, list[tuple[Rank, Answer]]] = {}
        refs: list[Answer] = []
        for rank, answer in self._known(matter):
            if rank.id_class is IdClass.REF:
                refs.append(answer)
            else:
                people.setdefault(rank.id_class, []).append((rank, answer))
        return of_event(people, refs, self._policy.ref_hops)

    def _known(self, matter: Matter) -> Iterator[tuple[Rank, Answer]]:
        """Give the answers that count for an event, each with the rank of who gave it."""
        yield matter.node.kind.rank, matter.node.answer
        for one in matter.asked():
            yield one.kind.rank, matter.edge(self._rows, one).answer

    def _give_up(self, event: Event, said: Sequence[Any] | None, why: str) -> None:
        if TYPES[event.type].broadcast and said is None:
            # It is known to everybody as a fact, and told of nobody: nothing is lost that could be sent again.
            self._counts["dropped"] += 1
            self._counts["dropped.known_to_everybody"] += 1
            self._found(event, said, Found.GIVEN_UP)
            return
        self._counts["dead_lettered"] += 1
        self._counts[f"dead_lettered.identity.{IDENTITY_UNRESOLVED}"] += 1
        self._found(event, said, Found.GIVEN_UP)
        self._effects.append(GiveUp(event, f"{IDENTITY_UNRESOLVED}: {why}", said))

    def _found(self, event: Event, said: Sequence[Any] | None, found: Found) -> None:
        """Count how an event came to its customer the first time, by tool."""
        if said is None:
            self._counts[self._by_tool.name(event, found)] += 1

    def _tally(self, status: str, said: Sequence[Any] | None) -> None:
        """Count what became of an event; one that came back was counted as passed before."""
        self._counts[status] += 1
        if said is not None:
            self._counts["passed"] -= 1
