"""The one writer: batches, positions, answers, retries, notifications. No thread, no clock: rounds are taken by hand."""

import json
from concurrent.futures import Future

import pytest

from coordwatch.adapters.file_tail import FileTail
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.memory import MemoryStore
from coordwatch.alerts.alert import Order
from coordwatch.alerts.card import cards_of
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.clock import ManualClock
from coordwatch.context.progress import SourceProgress
from coordwatch.embedded.inlets import FileInlet, Taken
from coordwatch.embedded.runtime import BATCH, Feeds, Runtime
from coordwatch.embedded.simulated import SimulatedInlet, position_of
from coordwatch.embedded.source_views import SourceBoard
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.notify.decide import NotifyPolicy
from coordwatch.processor import CANONICAL, Input, Processor, ProcessorSettings
from coordwatch.processor.telling import Telling
from coordwatch.sources.record import Record
from tests.api.build import an_event
from tests.build import NOW
from tests.identity.whose import accounts, whose

SPECS = load_rules().specs
PROMO = {"message": "M-1", "channel": "email", "category": "promotional", "campaign": "Spring sale"}


class Flaky(MemoryStore):
    """A store that refuses so many commits before it takes one."""

    refusals = 0

    def commit(self, effects, now):
        if self.refusals:
            self.refusals -= 1
            raise TemporaryError("the database is busy", retry_after=0.001)
        super().commit(effects, now)


class House:
    """A runtime with everything around it."""

    def __init__(self, *inlets, now: int = NOW) -> None:
        cards = cards_of(SPECS)
        self.store = Flaky(cards)
        self.clock = ManualClock(now)
        names = ["http", *(name for inlet in inlets for name in inlet.progresses)]
        sources = [SourceProgress(name, frozenset(TYPES)) for name in names]
        self.processor = Processor(SPECS, self.store, ProcessorSettings(), sources=sources)
        self.told, self.noted = [], []
        telling = Telling(cards, self.told.append, NotifyPolicy(), self.noted.append)
        self.runtime = Runtime(self.processor, self.store, self.clock, Feeds(inlets, ["http"]), telling)
        self.runtime._resume()

    def post(self, *events) -> "Future":
        return self.runtime.post([Input(Record(json.dumps(one).encode()), CANONICAL, "http") for one in events])

    def chores(self) -> None:
        self.runtime._chores_at = 0.0
        self.runtime.turn()


def a_conflict():
    promo = an_event("M-1", "marketing.message.sent", "2026-03-02T11:30:00Z", tool={"name": "Journeys"}, **PROMO)
    del promo["data"]["case"], promo["data"]["kind"]
    return an_event("C-1", tool={"name": "Deskflow"}), promo


def test_a_post_is_answered_after_its_commit_and_not_before():
    house = House()
    answer = house.post(*a_conflict())
    assert not answer.done()
    house.runtime.turn()
    assert [one.status for one in answer.result(0)] == ["applied", "applied"]
    assert house.store.tallies()["in"] == 2


def test_posts_are_written_together_and_answered_apart():
    house = House()
    first, second = house.post(an_event("1")), house.post(an_event("2"), an_event("1"))
    house.runtime.turn()
    assert [one.status for one in first.result(0)] == ["applied"]
    assert [one.status for one in second.result(0)] == ["applied", "duplicate"]


def test_a_refused_commit_is_told_to_the_sender_and_nothing_of_it_stands():
    house = House()
    house.store.refusals = 1
    answer = house.post(an_event("1"))
    assert house.runtime.turn()
    with pytest.raises(TemporaryError):
        answer.result(0)
    assert house.store.tallies() == {}
    again = house.post(an_event("1"))
    house.runtime.turn()
    assert again.result(0)[0].status == "applied"


def test_a_file_goes_on_at_its_last_commit_after_a_refusal(tmp_path, request):
    path = tmp_path / "in.ndjson"
    path.write_bytes(
        b"".join(
            json.dumps(an_event(str(n), subject=f"c{n}", case=f"K-{n}")).encode() + b"\n" for n in range(BATCH + 10)
        )
    )
    tail = FileTail(path, follow=True)
    request.addfinalizer(tail.close)
    house = House(FileInlet("file", CANONICAL, tail))
    house.runtime.turn()
    assert house.store.tallies()["applied"] == BATCH
    kept = house.store.positions()["file"]
    house.store.refusals = 1
    house.runtime.turn()
    assert house.store.positions()["file"] == kept
    house.runtime.turn()
    assert accounts(house.store.tallies()) == {"in": BATCH + 10, "applied": BATCH + 10}
    assert whose(house.store.tallies()) == {"whose.resolved.": BATCH + 10}
    assert house.store.positions()["file"].split(":")[0] == str(path.stat().st_size)


def test_a_file_to_be_read_once_that_is_not_there_ends_the_writer_and_refuses_who_waits(tmp_path):
    house = House(FileInlet("file", None, FileTail(tmp_path / "none", follow=False)))
    answer = house.post(an_event("1"))
    question = house.runtime.ask(lambda processor: processor)
    with pytest.raises(PermanentError, match="cannot be read"):
        house.runtime.run()
    with pytest.raises(TemporaryError, match="shutting down"):
        answer.result(0)
    assert question.done()
    assert "cannot be read" in house.runtime.trouble()
    with pytest.raises(TemporaryError):
        house.post(an_event("2")).result(0)


def test_something_unexpected_ends_the_writer_and_reaches_the_sender():
    house = House()

    def broken(*_):
        raise ZeroDivisionError

    house.processor.handle = broken
    answer = house.post(an_event("1"))
    with pytest.raises(ZeroDivisionError):
        house.runtime.run()
    assert isinstance(answer.exception(0), ZeroDivisionError)


def test_a_question_is_answered_between_batches_and_cannot_end_the_writer():
    house = House()
    house.post(*a_conflict())
    house.runtime.turn()
    view = house.runtime.ask(lambda processor: processor.customer("customer-01", NOW))
    broken = house.runtime.ask(lambda processor: 1 // 0)
    house.runtime.turn()
    assert [fact.type for fact in view.result(0).facts] == ["service.case.opened", "marketing.message.sent"]
    assert isinstance(broken.exception(0), ZeroDivisionError)
    assert house.runtime.trouble() is None


def test_too_many_waiting_posts_are_refused_at_the_door():
    house = House()
    waiting = [house.post(an_event(str(n))) for n in range(64)]
    with pytest.raises(TemporaryError, match="too many"):
        house.post(an_event("one more"))
    house.runtime.turn()
    assert all(answer.done() for answer in waiting)


def test_everybody_is_told_once_of_a_new_alert():
    house = House()
    house.post(*a_conflict())
    house.chores()
    house.chores()
    (told,) = house.told
    assert (told.rule, told.reason, told.act_tool) == ("promo-during-open-complaint", "new", "Journeys")
    assert house.noted


def test_a_snooze_that_ends_is_told_again():
    house = House()
    house.post(*a_conflict())
    house.chores()
    (alert,) = house.store.alerts({}, 9, None)[0]
    house.store.act(alert.id, Order(AlertAction.SNOOZE, "ada@ops.test", NOW, until=NOW + HOUR))
    house.chores()
    house.clock.move_to(NOW + HOUR)
    house.chores()
    assert [one.reason for one in house.told] == ["new", "reopened"]


def test_silence_lets_a_deadline_pass():
    cancelled = an_event("O-1", "commerce.order.changed", "2026-03-02T11:59:00Z", order="O-1", status="cancelled",
                         cancel={"initiator": "company"}, tool={"name": "Shopline"})  # fmt: skip
    del cancelled["data"]["case"], cancelled["data"]["kind"]
    house = House()
    house.post(cancelled)
    house.runtime.turn()
    assert house.store.alerts({}, 9, None)[0] == []
    house.clock.move_to(NOW + DAY)
    house.runtime.turn()
    house.runtime.turn()
    assert [row.rule for row in house.store.alerts({}, 9, None)[0]] == ["cancelled-without-notice"]


def a_stream(count: int):
    return lambda: iter(
        [Record(json.dumps(an_event(str(n))).encode(), timestamp=NOW + n * MINUTE) for n in range(count)]
    )


def test_simulated_records_come_when_their_time_has_come():
    inlet = SimulatedInlet("simulator", a_stream(10), ["simulator"])
    assert inlet.poll(100, NOW - 1) == Taken((), None, True) or inlet.poll(100, NOW - 1).at_end
    first = inlet.poll(3, NOW + 5 * MINUTE)
    assert (len(first.inputs), first.at_end) == (3, False)
    second = inlet.poll(100, NOW + 5 * MINUTE)
    assert (len(second.inputs), second.at_end) == (3, True)
    assert position_of(second.position) == (6, NOW + 5 * MINUTE)
    rest = inlet.poll(100, NOW + DAY)
    inlet.rewind(second.position)
    assert [one.record for one in inlet.poll(100, NOW + DAY).inputs] == [one.record for one in rest.inputs]
    inlet.rewind("rubbish")
    assert len(inlet.poll(100, NOW + DAY).inputs) == 10


def test_the_board_of_sources_says_read_late_dark_and_idle():
    sources = {
        "new": SourceProgress("new", frozenset()),
        "well": SourceProgress("well", frozenset()).caught_up(NOW),
        "slow": SourceProgress("slow", frozenset()).seen(NOW - HOUR, NOW),
        "gone": SourceProgress("gone", frozenset(), dark_after=HOUR).seen(NOW - 2 * HOUR, NOW - 2 * HOUR),
    }
    board = SourceBoard(sources.values, {"well": ["Wellspring"]})
    board.note(NOW)
    views = {view.name: view for view in board.views(NOW)}
    assert {name: view.status for name, view in views.items()} == {
        "new": "idle", "well": "read", "slow": "late", "gone": "dark",
    }  # fmt: skip
    assert views["gone"].note == "dark for 2 h; it may be silent for 1 h"
    assert views["well"].tools == ("Wellspring",)
    sources["gone"] = sources["gone"].caught_up(NOW)
    board.note(NOW + 1)
    assert [status for _, status in board.views(NOW)[0].strip] == ["dark"]
    board.note(NOW + 2 * DAY)
    assert all(len(view.strip) == 1 for view in board.views(NOW))


def test_a_recorded_stream_keeps_topics_and_headers(tmp_path, request):
    path = tmp_path / "recorded.ndjson"
    recorded = {"topic": "shopify.webhooks", "headers": {"x-shopify-topic": "orders/create"}, "value": {"id": 1}}
    path.write_text(json.dumps(recorded) + '\n{"id": 2}\n')
    tail = FileTail(path, follow=False)
    request.addfinalizer(tail.close)
    first, second = FileInlet("file", None, tail).poll(9, NOW).inputs
    assert (first.record.topic, first.record.value, first.input) == ("shopify.webhooks", b'{"id":1}', "file")
    assert (second.record.topic, second.record.value) == ("file", b'{"id": 2}')
