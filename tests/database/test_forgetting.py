"""Somebody is forgotten on a PostgreSQL: no row names them, the tables are written anew, and the audit trail stays whole."""

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from coordwatch.adapters.sql.erasing import _NAMING
from coordwatch.alerts.alert import Order
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.audit.chain import check
from coordwatch.embedded.telling import ToOutbox
from coordwatch.events.times import MINUTE
from coordwatch.notify.channel import Channel, ChannelKind
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.ports import Effects
from coordwatch.processor.requests import Request, RequestKind
from coordwatch.processor.telling import Telling
from tests.api.build import an_api, an_event

GONE, STAYS = "customer-of-the-test-0001", "customer-of-the-test-0002"
MAIL = Channel("mail", ChannelKind.EMAIL)


@pytest.fixture(scope="module")
def api(postgres_module):
    """Two customers, each with an alert that was told, answered and acknowledged; one letter that nobody could read."""
    made = an_api(database=postgres_module)
    for customer in (GONE, STAYS):
        opened = an_event(f"C-{customer}", subject=customer, tool={"name": "Deskflow"})
        promo = an_event(f"M-{customer}", "marketing.message.sent", "2026-03-02T11:00:00Z", subject=customer, message="M-1",
                         channel="email", category="promotional", campaign="Spring sale", tool={"name": "Journeys"})  # fmt: skip
        del promo["data"]["case"], promo["data"]["kind"]
        assert made.events(json.dumps([opened, promo]).encode()).status_code == 200
    made.events(b'{"broken": "' + GONE.encode() + b'"')
    outbox = ToOutbox(made.store.outbox([MAIL]), {}, made.clock, [])
    telling = Telling({}, lambda one: None, NotifyPolicy(), lambda now: None, outbox)
    telling.chores(made.store, lambda types, now: now, made.clock.now() + 10 * MINUTE)
    for row in made.store.alerts({}, 10, None)[0]:
        order = Order(AlertAction.ACKNOWLEDGE, "ada", made.clock.now(), note=f"called {row.customer}")
        assert made.store.act(row.id, order) is not None
    yield made
    made.store.close()


def files_of(store):
    """Where the rows of the tables that may name somebody lie on the disk, as far as the server has written them."""
    with store._writing.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("CHECKPOINT")
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
        ask = text("SELECT pg_relation_filepath(CAST(:name AS regclass))")
        return {one.name: folder / connection.execute(ask, {"name": one.name}).scalar_one() for one in _NAMING}


def naming(files, name):
    return {table for table, path in files.items() if path.exists() and name.encode() in path.read_bytes()}


def test_no_row_and_no_page_on_the_disk_names_who_was_forgotten(api):
    store, processor, now = api.store, api.processor, api.clock.now()
    before = files_of(store)
    assert {"alerts", "detections", "items"} <= naming(before, GONE)
    head = store.trail().head()
    request = Request("r-1", RequestKind.FORGET, (GONE,), "ada", now)
    store.commit(Effects(values=dict([request.row()])), now)
    processor.carry_out(now)
    processor.verify(now)
    (receipt,) = processor.receipts()
    assert (receipt.left, receipt.verified_at, receipt.problem) == (0, now, "")
    after = files_of(store)
    assert naming(after, GONE) == set()
    assert all(after[name] != before[name] for name in before), "every table was written anew"
    assert {"alerts", "detections", "items"} <= naming(after, STAYS)
    assert [row.customer for row in store.alerts({}, 10, None)[0]] == [STAYS]
    checked = check(store.trail().links(), [head])
    assert checked.broken is None
    last = list(store.trail().links())[-1]
    assert (last.kind, last.actor, last.subject) == ("person.forget", "ada", receipt.reference)


def test_people_read_and_act_while_the_tables_are_written_anew(api):
    """Each table is locked for its own turn only; nobody gets an error."""
    (row,) = api.store.alerts({}, 10, None)[0]
    failed, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            try:
                assert api.store.alert(row.id) is not None
            except Exception as error:
                failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for _ in range(3):
            api.store.compact()
    finally:
        stop.set()
        thread.join()
    assert failed == []
    undone = api.store.act(row.id, Order(AlertAction.UNDO, "ada", api.clock.now()))
    assert undone is not None
    assert undone.status == "open"
