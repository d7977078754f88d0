"""Forgetting: of a hundred people out of a thousand nothing is left anywhere, of the others everything, and nobody comes back."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.card import cards_of
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.events.times import HOUR, MINUTE, format_time
from coordwatch.identity.digest import Digester
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.ports import Effects
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings, ResultStatus
from coordwatch.processor.requests import Request, RequestKind
from coordwatch.sources.record import Record
from tests.api.build import an_event
from tests.build import NOW

PEOPLE, FORGOTTEN = 1000, 100
SPECS = load_rules().specs
CANARY = re.compile(rb"canary-[0-9]{4}")


def canary(number: int) -> str:
    return f"canary-{number:04}"


def mail(number: int) -> str:
    return f"email:{canary(number)}@example.com"


def of(name: str, event_type: str, at: int, *identifiers: str, **data: object) -> dict:
    event = an_event(name, event_type, **data)
    event["data"]["identifiers"] = list(identifiers)
    return event | {"time": format_time(at), "recordedtime": format_time(at), "subject": None}


def told_of(number: int) -> Iterator[dict]:
    """What a shop's tools say of one person: a profile, an order, a complaint, a promotion, a payment of two people."""
    me, at = canary(number), NOW - 3 * HOUR
    yield of(f"{me}-1", "customer.profile.changed", at, f"customer_id:{me}", mail(number), f"cookie:{me}", system="crm")
    yield of(
        f"{me}-2",
        "commerce.order.changed",
        at + MINUTE,
        mail(number),
        order=f"O-{me}",
        account=f"A-{me}",
        status="placed",
    )
    yield of(f"{me}-3", "service.case.opened", at + 2 * MINUTE, order=f"O-{me}", case=f"K-{me}", kind="complaint")
    sent = {"message": f"M-{me}", "channel": "email", "category": "promotional", "campaign": "Spring sale"}
    yield of(f"{me}-4", "marketing.message.sent", at + HOUR, f"customer_id:{me}", **sent)
    other = canary(number ^ 1)
    yield of(f"{me}-5", "commerce.payment.changed", at + HOUR, order=f"O-{me}", account=f"A-{other}", status="failed")
    if number % 10 == 0:
        yield of(
            f"{me}-6",
            "fulfilment.shipment.changed",
            at,
            mail(number),
            "cookie:kiosk",
            shipment=f"T-{me}",
            status="lost",
        )


def broken(number: int) -> bytes:
    """What nobody can read, as a tool might have cut it off."""
    return f'{{"recipient": "{canary(number)}@example.com", "order": "O-{canary(number)}", "e'.encode()


def inputs(events: Iterable[dict]) -> list[Input]:
    return [Input(Record(json.dumps(one).encode(), timestamp=NOW), CANONICAL) for one in events]


class Site:
    """A processor over a database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.policy = IdentityPolicy(digester=Digester(b"the key of a test site"))
        self.open()

    def open(self) -> None:
        self.store = SqlStore(self.path, cards_of(SPECS), durable=False)
        self.processor = Processor(SPECS, self.store, ProcessorSettings(self.policy))

    def again(self) -> None:
        self.store.close()
        self.open()

    def ask(self, kind: RequestKind, *who: str, name: str = "r1") -> None:
        key, value = Request(name, kind, who, "ops", NOW).row()
        self.store.commit(Effects(values={key: value}), NOW)

    def canaries(self) -> set[bytes]:
        """Every canary in the bytes of the database and its log."""
        held = b"".join(one.read_bytes() for one in self.path.parent.glob(f"{self.path.name}*"))
        return set(CANARY.findall(held))

    def customer(self, number: int) -> str | None:
        return self.processor.identity.customer_of_ids(self.processor.identity.forms(mail(number))[:1])

    def seen(self, number: int) -> object:
        """What a page shows of a person, and the alerts."""
        customer = self.customer(number)
        assert customer is not None
        view = self.processor.customer(customer, NOW)
        assert view is not None
        return customer, view.facts, view.states, [(row.id, row.status) for row in self.store.customer_alerts(customer)]


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    built = Site(tmp_path / "site.db")
    yield built
    built.store.close()


def test_of_a_hundred_out_of_a_thousand_nothing_is_left_and_nobody_else_misses_anything(site: Site) -> None:
    events = [one for number in range(PEOPLE) for one in told_of(number)]
    letters = [Input(Record(broken(number), timestamp=NOW), CANONICAL) for number in range(0, PEOPLE, 5)]
    for start in range(0, len(events), 500):
        site.processor.handle(inputs(events[start : start + 500]), NOW)
    site.processor.handle(letters, NOW)
    rows, _ = site.store.alerts({}, 1000, None)
    assert len(rows) == PEOPLE
    for row in rows[::3]:
        site.store.act(row.id, Order(AlertAction.ACKNOWLEDGE, "ops", NOW, note=f"called {row.sentence}"))
    assert len(site.canaries()) == PEOPLE == site.store.tallies()["parked"]
    gone, left = range(FORGOTTEN), range(FORGOTTEN, PEOPLE)
    before = {number: site.seen(number) for number in left}

    asked = [f"customer_id:{canary(number)}" if number % 2 else str(site.customer(number)) for number in gone[:50]]
    site.ask(RequestKind.FORGET, *asked)
    site.again()
    (receipt,) = site.processor.carry_out(NOW)
    assert not receipt.problem
    assert receipt.erased["customers"] == 50
    erased = [of(f"e{number}", "customer.erased", NOW, mail(number), request_id="R") for number in gone[50:]]
    site.processor.handle(inputs(erased), NOW)
    checked = site.processor.verify(NOW + MINUTE)
    assert len(checked) == 51
    assert {one.verified_at for one in checked} == {NOW + MINUTE}

    def all_is_well() -> None:
        held = {int(one[-4:]) for one in site.canaries()}
        assert held == set(left)
        assert {number: site.seen(number) for number in left} == before
        assert [number for number in gone if site.customer(number)] == []

    all_is_well()
    for _ in range(2):
        results = site.processor.handle(inputs(one for number in gone for one in told_of(number)), NOW)
        assert {one.status for one in results} == {ResultStatus.DROPPED}
        all_is_well()
        site.again()
    tallies = site.store.tallies()
    assert tallies["in"] == sum(
        tallies.get(name, 0) for name in ("applied", "duplicate", "dropped", "parked", "dead_lettered")
    )


def test_a_customer_says_how_sure_it_is_that_all_of_it_is_theirs(site: Site) -> None:
    at = NOW - HOUR
    declared = of(
        "a", "service.case.opened", at, "customer_id:C-1", "email:ann@example.com", case="K-1", kind="complaint"
    )
    known_by_tool = of("b", "service.case.opened", at, "email:ben@example.com", case="K-2", kind="complaint")
    visitor = of("c", "service.case.opened", at, "cookie:K-77", case="K-3", kind="complaint")
    site.processor.handle(inputs([declared, known_by_tool, visitor]), NOW)
    found = []
    for name in ("customer_id:C-1", "email:ben@example.com", "cookie:K-77"):
        customer = site.processor.identity.customer_of_ids(site.processor.identity.forms(name)[:1])
        view = site.processor.customer(str(customer), NOW)
        found.append(view and view.confidence)
    assert found == ["high", "medium", "low"]
    site.processor.handle(inputs([of("d", "customer.profile.changed", at, "customer_id:C-1", "cookie:K-77")]), NOW)
    view = site.processor.customer(str(site.processor.identity.customer_of_ids(
        site.processor.identity.forms("cookie:K-77")[:1])), NOW)  # fmt: skip
    assert view is not None
    assert view.confidence == "high", "the cookie was tied to a declared id"


LOOK = "import sqlite3, sys; one = sqlite3.connect(sys.argv[1]); one.execute('SELECT 1 FROM alerts').fetchall(); one.close()"


def test_a_look_through_the_bytes_leaves_the_database_ours_when_another_process_has_looked_into_it(site: Site) -> None:
    """Closing a file that SQLite has open lets go of its locks; whoever leaves then deletes the log that we still write to."""
    site.ask(RequestKind.FORGET, mail(1))
    assert list(site.store.names_left()) == list(site.store.names_left())
    subprocess.run([sys.executable, "-c", LOOK, str(site.path)], check=True)
    assert site.path.with_name("site.db-wal").exists()
    site.ask(RequestKind.FORGET, mail(2), name="r2")
    site.again()
    site.processor.carry_out(NOW)
    assert {receipt.id for receipt in site.processor.receipts()} == {"r1", "r2"}


def test_a_database_that_is_made_anew_is_for_its_user_alone(site: Site, tmp_path: Path) -> None:
    site.ask(RequestKind.FORGET, mail(1))
    assert {one.name: oct(one.stat().st_mode & 0o777) for one in tmp_path.glob("site.db*")} == dict.fromkeys(
        ("site.db", "site.db-shm", "site.db-wal"), "0o600"
    )
    site.path.chmod(0o640)
    site.again()
    assert site.path.stat().st_mode & 0o777 == 0o640, "what somebody has set stays"
