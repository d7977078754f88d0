"""The hazards of a distributed worker, each on a real broker: what would go wrong, and the guard that holds."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.services.consume import Sent, group_offsets, produce, read_topic
from tests.services.kafka_options import Options
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.counting import TICKS
from tests.worker.house import house

RUNTIMES = pytest.mark.parametrize("runtime", ["faust", "plain"])
# Where nobody is killed or paused, a broker that gets no time for a while must cost nobody the membership.
LONG = ("--session", "30")
KEYS = [b"k%d" % number for number in range(200)]


@RUNTIMES
def test_records_are_counted_once_and_a_restart_goes_on_where_it_was(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        here.send(KEYS * 25)
        worker = here.worker("s0", *LONG)
        here.settled()
        assert worker.stop() == 0
        here.send(KEYS * 5)
        worker.start()
        here.settled()
        here.check()


@RUNTIMES
def test_a_step_that_raises_commits_nothing_and_ends_the_process(topics, tmp_path, runtime):
    """Faust by itself acknowledges a message whose handler raised, and goes on."""
    with house(topics, tmp_path, runtime) as here:
        here.send(KEYS)
        worker = here.worker("s0", "--do", "raise", *LONG)
        here.settled()
        before = group_offsets(here.bootstrap, f"{here.prefix}.counting", here.input)
        produce(here.bootstrap, here.input, [Sent(b"now", b"k0", partition=0)])
        assert worker.ended() == 70
        assert "this record cannot be counted" in worker.said
        assert group_offsets(here.bootstrap, f"{here.prefix}.counting", here.input) == before


@RUNTIMES
def test_a_state_too_large_for_its_topic_ends_the_process_and_loses_nothing(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime, **{"max.message.bytes": "2000"}) as here:
        here.send(KEYS)
        worker = here.worker("s0", "--do", "large", *LONG)
        here.settled()
        produce(here.bootstrap, here.input, [Sent(b"x", b"large", partition=1), *[Sent(b"x", b"k7", partition=1)] * 20])
        assert worker.ended() == 70
        assert "max.message.bytes" in worker.said
        assert here.counts() == here.truth, "nothing of the refused commit is visible"


@RUNTIMES
def test_a_paused_worker_cannot_write_over_its_successor(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        first, second = here.worker("s0", "--do", "slow"), here.worker("s1", "--do", "slow")
        for _ in range(3):
            here.send(KEYS * 10)
            wait_until(lambda: sum(here.counts().values()) > 0, "a first commit")
            for paused, other in ((first, second), (second, first)):
                paused.pause()
                here.send(KEYS * 10)
                members = _members(here.bootstrap, f"{here.prefix}.counting")
                wait_until(lambda m=members: m() <= 1, "the group does without the paused one")
                here.send(KEYS * 5)
                paused.go_on()
                other.supervise()
                here.settled()
        here.check()


@RUNTIMES
def test_without_transactions_a_paused_worker_ends_itself_before_it_writes(topics, tmp_path, runtime):
    """The documented weaker mode: the fence is the time for which the loop stood still."""
    with house(topics, tmp_path, runtime) as here:
        worker = here.worker("s0", "--in-turn")
        here.send(KEYS * 10)
        here.settled()
        worker.pause()
        members = _members(here.bootstrap, f"{here.prefix}.counting")
        wait_until(lambda: members() == 0, "the group does without the paused one")
        worker.go_on()
        assert worker.ended() == 75
        assert "stood still" in worker.said or "were lost to another worker" in worker.said
        here.send(KEYS * 5)
        here.settled()
        here.check()


@RUNTIMES
def test_a_rebalance_loses_no_record_that_was_fetched_or_arrives_meanwhile(topics, tmp_path, runtime):
    """What is fetched while the group changes has no offset that would bring it back: not even when all is committed."""
    with house(topics, tmp_path, runtime) as here:
        here.worker("s0", "--do", "slow", *LONG)
        here.send(KEYS)
        here.settled()
        for number in range(1, 4):
            here.send(KEYS * 20)
            other = here.worker(f"s{number}", "--do", "slow", *LONG)
            for _ in range(20):
                here.send(KEYS[:50])

            def came(other=other) -> bool:
                here.send(KEYS[:50])
                assert other.process.poll() in (None, 75), other.said
                other.supervise()
                return "rows restored" in other.said

            # However long it takes to start: records arrive until it has its share.
            wait_until(came, "the other worker in the group", 180)
            here.settled()
            assert other.stop() == 0
            here.workers.remove(other)
            other.close()
            here.send(KEYS)
            here.settled()
        here.check()


@RUNTIMES
def test_what_a_timer_writes_survives_kill_nine_without_gap_or_repeat(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        worker = here.worker("s0", "--do", "tick")

        def ticks() -> dict[int, list[int]]:
            rows = [one for one in read_topic(here.bootstrap, here.out) if one.key == TICKS]
            return {at: [int(one.value or b"0") for one in rows if one.partition == at] for at in range(4)}

        wait_until(lambda: min(map(len, ticks().values())) >= 3, "ticks without any record")
        worker.kill()
        before = max(map(len, ticks().values()))
        worker.start()
        wait_until(lambda: min(map(len, ticks().values())) >= before + 3, "ticks after the kill")
        for said in ticks().values():
            assert said == list(range(1, len(said) + 1))


@RUNTIMES
def test_a_paused_worker_that_only_ticks_is_fenced_too(topics, tmp_path, runtime):
    """Only offsets carry the fence, and ticks bring none: the known ones are committed once more."""
    with house(topics, tmp_path, runtime) as here:
        here.send(KEYS)
        first = here.worker("s0", "--do", "tick")
        here.settled()
        first.pause()
        here.worker("s1", "--do", "tick")

        def ticks(partition: int) -> list[int]:
            rows = [one for one in read_topic(here.bootstrap, here.out) if one.key == TICKS]
            return [int(one.value or b"0") for one in rows if one.partition == partition]

        before = len(ticks(0))
        wait_until(lambda: len(ticks(0)) > before + 2, "ticks of the successor")
        restored = first.said.count("rows restored")
        first.go_on()
        # Either its next commit is refused, or it hears first that it was put out, and joins like anybody else.
        wait_until(
            lambda: first.process.poll() is not None or first.said.count("rows restored") > restored,
            "the end or the return of the one that was paused",
        )
        assert first.process.poll() in (75, None), first.said
        for partition in range(4):
            said = ticks(partition)
            assert said == list(range(1, len(said) + 1))


@RUNTIMES
def test_a_transaction_that_a_dead_worker_left_open_is_waited_for(topics, tmp_path, runtime):
    """Restoring to the last stable offset would give the state from before it."""
    with house(topics, tmp_path, runtime) as here:
        here.send(KEYS)
        here.worker("s0")
        here.settled()
        worker = here.workers[0]
        worker.kill()
        left = _open_transaction(here.bootstrap, f"{here.prefix}.gone")
        home = next(row.partition for row in read_topic(here.bootstrap, here.state) if row.key == b"k0")
        left.produce(here.state, b"1000", b"k0", home)
        left.flush(30)
        worker.start()
        with suppress(AssertionError):
            # Whoever does not wait for the open transaction goes on now, with the state from before it.
            here.send([b"k1"])
            wait_until(lambda: here.counts()[b"k1"] == here.truth[b"k1"], "a successor that does not wait", 12.0)
        left.commit_transaction(30)
        here.truth[b"k0"] = 1000
        here.send(KEYS)
        here.settled()
        assert len(read_topic(here.bootstrap, here.state)) > 0


@RUNTIMES
def test_state_of_a_newer_version_is_refused_with_a_message_and_never_a_hang(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        produce(here.bootstrap, here.state, [Sent(b"version 2", b"k1", partition=2)])
        worker = here.worker("s0", *LONG)
        assert worker.ended() == 70
        assert "newer version" in worker.said


@RUNTIMES
def test_a_step_that_hangs_is_ended_by_the_watchdog(topics, tmp_path, runtime):
    """The member's heartbeats go on in their own thread: nobody else would ever notice."""
    with house(topics, tmp_path, runtime) as here:
        here.send(KEYS)
        worker = here.worker("s0", "--do", "hang", "--stall", "8", *LONG)
        here.settled()
        produce(here.bootstrap, here.input, [Sent(b"now", b"k0")])
        assert worker.ended() == 75
        assert "stands still" in worker.said


@RUNTIMES
def test_a_long_slice_of_heavy_records_is_no_hang(topics, tmp_path, runtime):
    """It is taken in pieces, with commits between them: a worker that was ended in the middle would begin it again for ever."""
    with house(topics, tmp_path, runtime) as here:
        here.send([b"k1"] * 1_200)
        worker = here.worker("s0", "--do", "heavy", "--stall", "8")
        here.settled()
        assert worker.process.poll() is None, "nobody ended it"
        assert worker.stop() == 0
        here.check()


def test_a_worker_that_hangs_ends_all_the_same_when_it_is_asked_to(topics, tmp_path):
    """Before a supervisor would kill it: what is not committed has not happened."""
    with house(topics, tmp_path, "plain") as here:
        here.send(KEYS)
        worker = here.worker("s0", "--do", "hang", *LONG)
        here.settled()
        produce(here.bootstrap, here.input, [Sent(b"now", b"k0")])
        wait_until(lambda: "hangs" in worker.said, "a step that hangs")
        assert worker.stop() == 75
        assert "not ended within 25 s" in worker.said


@RUNTIMES
def test_offsets_deleted_by_retention_stop_the_worker_until_somebody_accepts_the_loss(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        here.send(KEYS)
        worker = here.worker("s0", *LONG)
        here.settled()
        assert worker.stop() == 0
        produce(here.bootstrap, here.input, [Sent(b"x", b"lost", partition=3)] * 50)
        _delete_before_the_end(topics, here.input, 3)
        here.send(KEYS)
        worker.start()
        assert worker.ended() == 70
        assert "50 records" in worker.said
        assert "--accept-loss" in worker.said
        here.workers.remove(worker)
        worker.close()
        here.worker("s1", "--accept-loss", *LONG)
        here.settled()
        here.check()


@RUNTIMES
def test_compressed_sources_are_read_whatever_the_codec(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        here.worker("s0", *LONG)
        for codec in ("zstd", "lz4", "snappy", "gzip"):
            here.send(KEYS, **{"compression.type": codec})
        here.settled()


@RUNTIMES
def test_a_stopped_partition_holds_up_no_other(topics, tmp_path, runtime):
    with house(topics, tmp_path, runtime) as here:
        worker = here.worker("s0", "--do", "stop", *LONG)
        produce(here.bootstrap, here.input, [Sent(b"x", b"a", partition=0), Sent(b"now", b"b", partition=0)])
        produce(here.bootstrap, here.input, [Sent(b"x", b"c", partition=0), Sent(b"x", b"d", partition=1)])
        here.truth.update([b"a", b"d"])
        here.settled()
        wait_until(lambda: f"{here.input}/0 stopped at offset 1" in worker.said, "the partition to stop")
        assert worker.stop() == 0
        assert group_offsets(here.bootstrap, f"{here.prefix}.counting", here.input)[0] == 1


@RUNTIMES
def test_a_broker_that_goes_and_comes_back_costs_nothing(private_kafka, tmp_path, runtime):
    cluster = private_kafka(Options())
    with house(Topics(cluster.bootstrap, "short"), tmp_path, runtime) as here:
        here.worker("s0")
        here.send(KEYS * 5)
        here.settled()
        cluster.nodes[0].kill()
        cluster.nodes[0].start()
        cluster.wait_ready()
        here.send(KEYS * 5)
        here.settled()
        here.check()
        assert set(here.workers[0].codes) <= {75}


@RUNTIMES
def test_a_worker_that_gave_up_on_its_brokers_is_started_again_and_goes_on(private_kafka, tmp_path, runtime):
    cluster = private_kafka(Options())
    with house(Topics(cluster.bootstrap, "long"), tmp_path, runtime) as here:
        worker = here.worker("s0", "--do", "tick", "--stall", "8")
        here.send(KEYS * 5)
        here.settled()
        cluster.nodes[0].kill()
        assert worker.ended() == 75
        cluster.nodes[0].start()
        cluster.wait_ready()
        here.send(KEYS * 5)
        here.settled()
        here.check()


def _open_transaction(bootstrap: str, name: str) -> Producer:
    """A producer inside a transaction, as a worker leaves it that is killed in its commit."""
    settings = {"bootstrap.servers": bootstrap, "transactional.id": name, "transaction.timeout.ms": 600_000}
    producer = Producer({**settings, "log_level": 0})
    producer.init_transactions(60)
    producer.begin_transaction()
    return producer


def _members(bootstrap: str, group: str) -> Callable[[], int]:
    """How many members a group has."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    return lambda: len(admin.describe_consumer_groups([group])[group].result(30).members)


def _delete_before_the_end(topics: Topics, topic: str, partition: int) -> None:
    """What retention does, at once."""
    asked = topics.admin.delete_records([TopicPartition(topic, partition, OFFSET_END)])
    for deleted in asked.values():
        deleted.result(30)
