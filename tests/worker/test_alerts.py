"""The stage `alerts`: each record is in the database once, wherever the process dies, and the pages read it there."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.codec import decode_json
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.processor.forgetting import receipt_output
from coordwatch.processor.outcomes import detection_record
from coordwatch.processor.requests import Receipt, RequestKind
from coordwatch.processor.stage import Output, Place, Slice
from coordwatch.rules.detection import DetectionChange, RetractReason
from coordwatch.worker.exits import Ending, ExitCode
from tests.build import NOW, a_promo, raised
from tests.worker.streams import ALIASES, LEDGER, LETTERS, STEPS, TOPICS, Author, Logs, Machine, a_slice, offset_of

DRAWS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=6, max_size=30)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 5), st.integers(1, 9)),
        st.tuples(st.just("give"), st.just(0), st.just(0)),
        st.tuples(st.just("crash"), st.integers(0, len(STEPS)), st.just(0)),
        st.tuples(st.just("rewind"), st.integers(0, 5), st.integers(0, 20)),
    ),
    min_size=6,
    max_size=25,
)


@contextmanager
def a_machine(logs: Logs) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder) / "a.db", logs)
        yield machine
        machine.store.close()


@settings(max_examples=40)
@given(DRAWS, MOVES)
def test_a_crash_at_any_step_leaves_the_same_books(draws, moves):
    logs = Author().write(draws)
    with a_machine(logs) as undisturbed:
        undisturbed.finish()
        expected = undisturbed.books()
        told = {one.id for one in undisturbed.told}
    with a_machine(logs) as machine:
        for move, one, other in moves:
            if move == "take":
                machine.take(one, other)
            elif move == "give":
                machine.give()
            elif move == "crash":
                machine.crash((*STEPS, None)[one])
            else:
                # Somebody set the group back: the database knows better.
                place = list(logs)[one % len(logs)]
                machine.group[place] = max(0, machine.group.get(place, 0) - other)
                machine.crash(None)
        machine.finish()
        assert machine.books() == expected
        # What stands open at the end was told; somebody may have been told more, of what stood open for a while.
        assert told <= {one.id for one in machine.told}


@settings(max_examples=15)
@given(DRAWS)
def test_what_an_acts_old_and_new_owner_say_ends_the_same_over_several_partitions(draws):
    with a_machine(Author(1).write(draws)) as one, a_machine(Author(3).write(draws)) as several:
        one.finish()
        several.finish()
        for name in ("detections", "rules", "pairs", "tallies", "letters", "reaches", "aliases"):
            assert several.books()[name] == one.books()[name], name


def a_log(*changes: DetectionChange) -> Logs:
    return {Place(TOPICS.detections, 0): [detection_record(TOPICS.detections, change) for change in changes]}


def test_nothing_is_pending_after_everything_was_given():
    with a_machine(a_log(raised(a_promo("c", NOW)))) as machine:
        assert not machine.stage.pending
        machine.take(0, 1)
        assert machine.stage.pending
        assert machine.stage.give(NOW) == ()
        assert not machine.stage.pending
        machine.stage.tick(NOW)
        assert machine.stage.pending


def test_revoked_partitions_are_forgotten_with_what_was_not_written():
    with a_machine(a_log(raised(a_promo("c", NOW)))) as machine:
        machine.take(0, 1)
        machine.stage.revoke(list(machine.logs))
        assert not machine.stage.pending
        machine.stage.give(NOW)
        assert machine.store.alerts({}, 9, None)[0] == []
        assert machine.store.positions() == {}


def test_a_worker_that_stood_still_cannot_write_over_its_successor():
    found = a_promo("c", NOW)
    gone = DetectionChange("retracted", found, RetractReason.CANCELLED)
    with a_machine(a_log(raised(found), gone)) as paused:
        paused.take(0, 1)
        successor = Machine.__new__(Machine)
        successor.logs, successor.store, successor.group, successor.told = paused.logs, paused.store, {}, []
        successor.start()
        successor.finish()
        with pytest.raises(Ending, match="another process has read") as fenced:
            paused.stage.give(NOW)
        assert fenced.value.code is ExitCode.AGAIN
        assert [row.status for row in paused.store.alerts({}, 9, None)[0]] == ["retracted"]


@pytest.mark.parametrize(
    ("place", "record"),
    [
        (Place(TOPICS.detections, 0), Output(TOPICS.detections, b"k", b'{"kind":"praised","reason":null}')),
        (Place(TOPICS.detections, 0), Output(TOPICS.detections, b"k", None)),
        (LEDGER, Output(TOPICS.ledger, b"count/0", b"1")),
        (LEDGER, Output(TOPICS.ledger, None, b"1")),
        (LEDGER, Output(TOPICS.ledger, b"tally/detect/0/in", b'"many"')),
        (LETTERS, Output(TOPICS.dead_letters, b"k", b"?")),
        (ALIASES, Output(TOPICS.aliases, b"old", b"{}")),
    ],
)
def test_a_record_that_cannot_be_read_stops_its_partition_and_says_where(place, record):
    good = {
        LEDGER: Output(TOPICS.ledger, b"tally/detect/0/in", b"7"),
        LETTERS: None,
        ALIASES: Output(TOPICS.aliases, b"old", None),
    }.get(place, detection_record(TOPICS.detections, raised(a_promo("c", NOW))))
    log = [*([good] if good else []), record, record]
    with a_machine({place: log}) as machine:
        records = a_slice(place, log, 0, len(log))
        stop = len(log) - 2
        assert machine.stage.take(records, NOW) == stop
        assert f"{place} stops at offset {offset_of(stop)}" in machine.stage.stopped[place]
        machine.stage.give(NOW)
        assert machine.store.positions() == ({str(place): "1"} if stop else {})
        machine.stage.revoke([place])
        assert machine.stage.stopped == {}


def test_an_alert_waits_for_what_could_cancel_it_as_far_as_the_ledger_says_the_sources_are_read():
    """The worker decides by the same policy as `serve`; what is proven comes from the rows that ingest wrote."""
    with a_machine({LEDGER: []}) as machine:
        rows = Slice(LEDGER, [0, 1], [b"progress/orders/shop/0", b"progress/orders/shop/1"], [], [None] * 2, [NOW] * 2)
        rows.values = [
            b"[%d,%d,%d]" % (NOW, NOW, NOW - HOUR),
            b"[%d,%d,%d]" % (NOW - HOUR, NOW - HOUR, NOW),
        ]
        before = machine.stage.sources[0].through
        machine.stage.take(rows, NOW)
        assert machine.stage.sources[0].through == before < 0, "what is not written yet proves nothing"
        machine.stage.give(NOW)
        # The partition that is furthest behind counts; read to its end, it is read up to the declared delay.
        assert machine.stage.sources[0].through == NOW - MINUTE
        assert machine.stage.sources[0].heard_at == NOW
        machine.start()
        assert machine.stage.sources[0].through == NOW - MINUTE


def test_an_input_is_read_as_far_as_its_partition_of_which_nothing_was_said():
    with a_machine({LEDGER: []}) as machine:
        row = Slice(LEDGER, [0], [b"progress/orders/shop/0"], [b"[%d,%d,%d]" % (NOW, NOW, NOW)], [None], [NOW])
        machine.stage.take(row, NOW)
        machine.stage.give(NOW)
        assert machine.stage.sources[0].through < 0


def test_a_request_about_a_person_stands_in_the_audit_trail_once():
    receipt = Receipt("r-1", RequestKind.FORGET, "ada", NOW, NOW, "0" * 32, {"alerts": 2})
    looked = receipt.checked(0, NOW + HOUR)
    outputs = [receipt_output(TOPICS, one.id, one.plain()) for one in (receipt, looked)]
    broken = Output(TOPICS.forgotten, b"receipt/r-2", b"no json", 0)
    with a_machine({Place(TOPICS.forgotten, 0): [*outputs, broken]}) as machine:
        machine.take(0, 1)
        machine.crash(None)
        machine.finish()
        found = [link for link in machine.store.trail().links() if link.kind.startswith("person.")]
        assert [(link.kind, link.actor, link.subject) for link in found] == [("person.forget", "ada", "0" * 32)]
        assert decode_json(found[0].facts) == {"done": True, "erased": 2, "request": "r-1"}
