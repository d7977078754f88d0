"""The shop: its customers, items, stores and campaigns, drawn once from the seed. All of it is invented.

What enters: how many customers, and a seeded generator. What leaves: a World that stories act in.
The next room: `truth`, what happens to these customers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from coordwatch.simulator.truth import Case, Chat, ProfileRecord, SentBack, Told

SHARED_MAILBOXES = 0.03
GUESTS = 0.1
STORES = ("store-01", "store-02", "store-03", "store-04", "store-05")
_GOODS = (
    "KETTLE",
    "LAMP",
    "MUG",
    "BOOT",
    "SCARF",
    "CHAIR",
    "RADIO",
    "CLOCK",
    "TENT",
    "SADDLE",
    "DRILL",
    "PAN",
)


@dataclass(frozen=True, slots=True)
class Item:
    """Something the shop sells."""

    sku: str
    number: int
    price: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """A kind of message; `listed` says whether the campaign catalogue knows what kind.

    `hours` are the hours of the day (UTC) at which the marketing scheduler may start it, none for messages that
    other tools ask for.
    """

    name: str
    category: str
    purpose: str
    team: str
    hours: tuple[int, ...] = ()
    has_item: bool = False
    has_store: bool = False
    listed: bool = True

    @property
    def title(self) -> str:
        """The name that the marketing team gave it."""
        return self.name.replace("-", " ").capitalize()


CAMPAIGNS = (
    Campaign("newsletter", "promotional", "newsletter", "brand", (6, 7)),
    Campaign("spring-sale", "promotional", "promo", "lifecycle-marketing", (9, 15), has_item=True),
    Campaign("weekend-deals", "promotional", "promo", "lifecycle-marketing", (11, 16), has_item=True),
    Campaign("new-arrivals", "promotional", "promo", "merchandising", (13,), has_item=True),
    Campaign("local-offers", "promotional", "promo", "merchandising", (8, 12, 14), has_item=True, has_store=True),
    Campaign("seasonal-recipes", "unknown", "", "", (10,), listed=False),
)
NOTICES = {
    purpose: Campaign(purpose.replace("_", "-"), "transactional", purpose, "order-operations")
    for purpose in ("order_confirmation", "shipping_notice", "delay_notice", "cancellation_notice", "refund_notice")
}


@dataclass(slots=True, eq=False)
class Person:
    """A customer, with what is true of them right now.

    `key` is the simulator's own name; a guest has no account, so that no tool knows the key. `housemates` share the
    mailbox. `weight` says how often something happens to this customer, against others.
    """

    number: int
    key: str
    email: str
    phone: str
    guest: bool
    weight: float
    store: str
    requester: int
    shop_account: int
    housemates: list["Person"] = field(default_factory=list)
    known_to_desk: bool = False
    cases: list[Case] = field(default_factory=list)
    chats: list[Chat] = field(default_factory=list)
    sent_back: list[SentBack] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    asked_to_cancel: int | None = None
    records: dict[str, ProfileRecord] = field(default_factory=dict)
    busy: bool = False
    moving: bool = False

    @property
    def shares_mailbox(self) -> bool:
        """Whether somebody else reads the same mailbox."""
        return bool(self.housemates)


@dataclass(slots=True)
class World:
    """Everything there is before anything happens; `stock` holds what lies where, as truth and as it was reported."""

    people: Sequence[Person]
    items: Sequence[Item]
    stock: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=dict)

    def sold_out_since(self, sku: str, store: str, now: int) -> int | None:
        """Give the instant of the last stock report if it says that nothing is left. Units: microseconds UTC."""
        reports = [report for report in self.stock.get((sku, store), ()) if report[0] <= now]
        return reports[-1][0] if reports and reports[-1][1] <= 0 else None


def draw_world(customers: int, random: Random) -> World:
    """Draw the customers and the range of goods.

    Takes: `customers`, at least 1
    """
    items = [
        Item(f"{name}-{size}", 41000 + 10 * place + size, f"{9 + 7 * place + size}.00")
        for place, name in enumerate(_GOODS)
        for size in (1, 2)
    ]
    people = [_draw_person(number, random) for number in range(1, customers + 1)]
    for first, second in zip(people[::2], people[1::2], strict=False):
        if random.random() < 2 * SHARED_MAILBOXES and not (first.guest or second.guest):
            second.email = first.email
            first.housemates.append(second)
            second.housemates.append(first)
    return World(people, items)


def _draw_person(number: int, random: Random) -> Person:
    return Person(
        number=number,
        key=f"C-{100000 + number}",
        email=f"buyer{number}@mail.example",
        phone=phone_number(number),
        guest=random.random() < GUESTS,
        weight=min(random.paretovariate(1.4), 12.0),
        store=random.choice(STORES),
        requester=910_000_000 + number,
        shop_account=7_000_000_000 + number,
    )


def phone_number(number: int, change: int = 0) -> str:
    """Give a telephone number in a country code that nobody has."""
    return f"+999{change:02d}{number:08d}"
