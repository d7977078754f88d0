"""What is known of a customer: the same in this process, from a row on the brokers, and in `serve`; or a sentence."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.paging import BadQuery
from coordwatch.alerts.card import cards_of
from coordwatch.clock import ManualClock
from coordwatch.context.progress import SourceProgress
from coordwatch.engine.ledger import Reach
from coordwatch.errors import Elsewhere
from coordwatch.events.event import Event, event_with
from coordwatch.events.filed import encode_filed
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.wire import decode_event, encode_event
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.ports import Books
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings
from coordwatch.processor.detecting import Detecting, DetectSettings, Watched
from coordwatch.processor.marks import Mark, mark_records
from coordwatch.processor.stage import Place, Slice
from coordwatch.processor.topics import Topics
from coordwatch.sources.record import Record
from coordwatch.worker.contexts import Away, Contexts
from tests.api.build import an_event
from tests.build import NOW
from tests.embedded.test_runtime import PROMO

TOPICS = Topics("cw", 4)
SPECS = load_rules().specs
RULE, WITH_FACTS = "promo-during-open-complaint", "promo-local-stock-gone"
SOURCE = SourceProgress("http", frozenset(TYPES))
CUSTOMERS = [f"customer-{n:02}" for n in range(5)]


def events_of(customer: str) -> list[Event]:
    """A complaint, and a promotion while it is open."""
    opened = an_event(f"C-{customer}", subject=customer, tool={"name": "Deskflow"})
    promo = an_event(
        f"M-{customer}", "marketing.message.sent", "2026-03-02T11:30:00Z", subject=customer,
        tool={"name": "Journeys"}, **PROMO,
    )  # fmt: skip
    del promo["data"]["case"], promo["data"]["kind"]
    found = [decode_event(json.dumps(one).encode()) for one in (opened, promo)]
    return [one for one in found if isinstance(one, Event)]


class FakeRows:
    """The state topic, as the stage's commits left it; or a broker that is away."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, bytes], bytes] = {}
        self.asked = 0
        self.away = False

    def rows(self, partition: int, wanted: Callable[[bytes], bool]) -> dict[bytes, bytes]:
        self.asked += 1
        if self.away:
            raise Elsewhere("this customer's context is kept in partition 3 of cw.detect-state, by another worker")
        return {key: row for (number, key), row in self.kept.items() if number == partition and wanted(key)}


class House:
    """A stage that has judged, what it gave, and the same events in one process."""

    def __init__(self, *held: int) -> None:
        self.clock = ManualClock(NOW)
        self.rows, self.store = FakeRows(), MemoryStore(cards_of(SPECS))
        settings = DetectSettings(TOPICS, IdentityPolicy(mode=IdentityMode.TRUSTED_ID))
        watched = [Watched(SOURCE, ("http/0",))]
        every = Detecting(SPECS, settings, watched)
        logs: dict[int, Slice] = {n: Slice(Place(TOPICS.events, n)) for n in range(TOPICS.partitions)}
        for customer in CUSTOMERS:
            for event in events_of(customer):
                add(
                    logs[partition_of(customer.encode(), TOPICS.partitions)],
                    customer.encode(),
                    encode_filed(event, customer),
                )
        reach = Reach(NOW - SOURCE.publishing_delay, NOW, NOW)
        for mark in mark_records(TOPICS.events, TOPICS.partitions, Mark({"http": {"http/0": reach}})):
            add(logs[mark.partition or 0], None, mark.value or b"", mark.headers)
        for number, log in logs.items():
            every.assign(Place(TOPICS.events, number), {})
            every.take(log, NOW)
        for output in every.give(NOW):
            if output.topic == TOPICS.detect_state and output.value is not None:
                self.rows.kept[output.partition or 0, output.key or b""] = output.value
        every.revoke([Place(TOPICS.events, n) for n in range(TOPICS.partitions) if n not in held])
        self.stage = every
        read = [SourceProgress(SOURCE.name, SOURCE.carries, through=reach.through, heard_at=NOW, read_to_end_at=NOW)]
        self.contexts = Contexts(TOPICS, self.clock, self.store, every, Away(self.rows, every.plan, lambda: read))
        self.alone = Processor(SPECS, MemoryStore(cards_of(SPECS)), ProcessorSettings(), sources=[SOURCE])
        inputs = [encode_event(event) for customer in CUSTOMERS for event in events_of(customer)]
        self.alone.handle([Input(Record(one), CANONICAL, "http") for one in inputs], NOW)
        self.alone.caught_up("http", NOW)


def add(log: Slice, key: bytes | None, value: bytes, headers: Any = None) -> None:
    log.offsets.append(len(log))
    log.keys.append(key)
    log.values.append(value)
    log.headers.append(headers)
    log.timestamps.append(NOW)


def partition(customer: str) -> int:
    return partition_of(customer.encode(), TOPICS.partitions)


def plain(view: Any) -> Mapping[str, Any]:
    """A view without what only serve or only a worker has."""
    return {
        name: getattr(view, name) for name in ("key", "facts", "states", "waiting", "truncated", "warming", "too_late")
    }


def test_customers_lie_in_several_partitions():
    assert len({partition(customer) for customer in CUSTOMERS}) > 1


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_a_customer_is_known_alike_here_on_the_brokers_and_in_one_process(customer):
    alone = House().alone.customer(customer, NOW)
    assert len(alone.facts) == 2
    here, away = House(*range(4)), House()
    assert plain(here.contexts.customer(customer)) == plain(alone)
    assert here.rows.asked == 0
    assert plain(away.contexts.customer(customer)) == plain(alone)
    assert away.rows.asked == 1


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_a_rule_is_explained_alike_here_on_the_brokers_and_in_one_process(customer):
    act = ("/deskflow", f"M-{customer}")
    alone = House().alone.explain(RULE, customer, act, None, NOW)
    assert alone.outcome == "open"
    for house in (House(*range(4)), House()):
        assert house.contexts.explain(RULE, customer, act, None) == alone
        assert house.contexts.explain("no-such-rule", customer, act, None) is None
        assert house.contexts.explain(RULE, "nobody", None, None).outcome == "no_act"


def test_a_rule_with_facts_is_explained_where_the_facts_are():
    customer = CUSTOMERS[0]
    assert House(*range(4)).contexts.explain(WITH_FACTS, customer, None, None) is not None
    with pytest.raises(Elsewhere, match=rf"partition {partition(customer)} of cw.events"):
        House().contexts.explain(WITH_FACTS, customer, None, None)


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_an_act_is_checked_alike_here_and_in_one_process_and_elsewhere_at_once_by_a_sentence(customer):
    asked = Event("Journeys", "asked", "marketing.message.sent", NOW, NOW, customer, PROMO)
    here, away = House(partition(customer)), House()
    alone, found = here.alone.check(asked, NOW), here.contexts.check(asked)
    assert (found.answer, found.customer) == (alone.answer, alone.customer)
    assert [one.detection.rule for one in found.answer.objections] == [RULE]
    assert found.read_through == NOW - SOURCE.publishing_delay
    with pytest.raises(Elsewhere, match=rf"partition {partition(customer)} of cw.events"):
        away.contexts.check(asked)
    assert away.rows.asked == 0
    with pytest.raises(BadQuery, match="send it as 'subject'"):
        here.contexts.check(event_with(asked, subject=None))


def test_an_alert_page_takes_what_is_at_hand_and_never_asks_the_brokers():
    customer = CUSTOMERS[0]
    act = ("/deskflow", f"M-{customer}")
    here, away = House(partition(customer)), House()
    assert plain(here.contexts.at_hand(customer)) == plain(here.alone.customer(customer, NOW))
    assert here.contexts.steps(RULE, customer, act) == here.alone.explain(RULE, customer, act, None, NOW).steps
    assert here.contexts.at_hand("nobody") is None
    assert away.contexts.at_hand(customer) is None
    assert away.contexts.steps(RULE, customer, act) == ()
    assert away.rows.asked == 0


def test_what_cannot_be_read_in_time_is_said_to_be_elsewhere():
    house = House()
    house.rows.away = True
    with pytest.raises(Elsewhere, match="kept in partition 3"):
        house.contexts.customer(CUSTOMERS[0])


def test_an_old_key_leads_to_the_customer_that_it_is_now_with_all_former_keys():
    house = House(*range(4))
    now = CUSTOMERS[1]
    house.store.keep(Books(aliases={"anonymous-1": now, "anonymous-2": now}), NOW)
    assert house.contexts.customer("anonymous-1").key == now
    assert house.contexts.customer(now).aliases == ("anonymous-1", "anonymous-2")
    assert house.contexts.customer("nobody") is None


def test_a_worker_that_only_judges_tells_its_counts():
    every, one = House(*range(4)), House(partition(CUSTOMERS[0]))

    def acts(house: House) -> int:
        return sum(count.amount for count in house.stage.tool_counts() if (count.rule, count.kind) == (RULE, "acts"))

    assert acts(every) == len(CUSTOMERS)
    assert acts(one) == sum(partition(customer) == partition(CUSTOMERS[0]) for customer in CUSTOMERS)
    assert every.stage.held.keys == len(CUSTOMERS)
    assert every.stage.held.bytes > 100 * len(CUSTOMERS)
    assert House().stage.held.keys == 0
