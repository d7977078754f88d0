"""A small house for telling: a store with its outbox, channels, a clock that stands still, senders that are turned by hand."""

import ipaddress
from collections.abc import Mapping, Sequence

from coordwatch.adapters.channels.receiver import Receiver
from coordwatch.adapters.channels.sender import Post, Sender
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.posting import Poster
from coordwatch.adapters.sql.database import Database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.clock import ManualClock
from coordwatch.embedded.telling import ToOutbox
from coordwatch.notify.channel import Channel, ChannelKind
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.notify.outbox import TellingView
from coordwatch.notify.route import Route
from coordwatch.ports import Effects
from coordwatch.processor.telling import Telling
from tests.build import CARDS, NOW, a_promo, raised, retracted

LOOPBACK = Egress([ipaddress.ip_network("127.0.0.0/8")])


def poster(clock: ManualClock, timeout: float = 30.0) -> Poster:
    return Poster(LOOPBACK, clock, timeout=timeout)


class House:
    """Everything between an alert and its channel, in one process and without threads."""

    def __init__(
        self,
        path: Database,
        clock: ManualClock,
        posts: Mapping[Channel, Receiver],
        cards: Mapping[str, RuleCard] = CARDS,
        way: Route | None = None,
    ) -> None:
        self.clock = clock
        self.posts = [Post(channel, receiver) for channel, receiver in posts.items()]
        self.store = SqlStore(path, cards, durable=False)
        known = list(posts)
        canaries = [one.name for one in known if one.kind is ChannelKind.CANARY]
        deciding = ToOutbox(self.store.outbox(known), cards, clock, canaries)
        holding = self.store.holding()
        self.telling = Telling(cards, lambda one: None, NotifyPolicy(), lambda now: None, deciding, holding, way)
        self.sending = self.store.sending()
        self.sender = Sender(self.sending, self.posts, clock, "house")

    def raise_alerts_quietly(self, customers: Sequence[str], **changes: str) -> None:
        found = [raised(a_promo(one, self.clock.now(), **changes)) for one in customers]
        self.store.commit(Effects(changes=found), self.clock.now())

    def raise_alerts(self, customers: Sequence[str], **changes: str) -> list[str]:
        self.raise_alerts_quietly(customers, **changes)
        rows, _ = self.store.alerts({}, 1000, None)
        by_customer = {row.customer: row.id for row in rows}
        return [by_customer[one] for one in customers]

    def retract(self, customer: str, at: int) -> None:
        self.store.commit(Effects(changes=[retracted(a_promo(customer, at))]), self.clock.now())

    def act(self, alert: str, action: AlertAction, **more: int) -> None:
        assert self.store.act(alert, Order(action, "ada", self.clock.now(), **more)) is not None

    def decide(self) -> None:
        self.telling.chores(self.store, lambda types, now: now, self.clock.now())

    def send(self) -> int:
        """Send everything that is due, and give how many messages that was."""
        count = 0
        for post in self.posts:
            while done := self.sender.turn(post):
                count += done
        return count

    def pass_time(self, length: int) -> None:
        self.clock.move_to(self.clock.now() + length)

    def tell(self) -> int:
        self.decide()
        return self.send()

    def history(self, alert: str) -> Sequence[TellingView]:
        view = self.store.alert(alert)
        assert view is not None
        return view.tellings


def at_noon() -> ManualClock:
    return ManualClock(NOW)
