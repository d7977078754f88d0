"""The parts of the simulator: simulated time, the way to the log, ids."""

from random import Random

from coordwatch.events.times import HOUR, MINUTE, SECOND
from coordwatch.simulator.mint import Mint
from coordwatch.simulator.post import Draft, Post
from coordwatch.simulator.timeline import Story, Timeline


def a_story(told: list[tuple[int, str]], timeline: Timeline, name: str, *waits: int) -> Story:
    told.append((timeline.now, name))
    for wait in waits:
        yield wait
        told.append((timeline.now, name))


def tell(timeline: Timeline) -> None:
    while timeline.next_at() is not None:
        timeline.step()


def test_stories_go_on_in_the_order_in_which_they_wake():
    timeline, told = Timeline(100), []
    timeline.begin(a_story(told, timeline, "slow", 30, 1))
    timeline.begin(a_story(told, timeline, "quick", 10, 10, 10, 10), after=5)
    tell(timeline)
    assert told == [
        (100, "slow"), (105, "quick"), (115, "quick"), (125, "quick"), (130, "slow"), (131, "slow"), (135, "quick"),
        (145, "quick"),
    ]  # fmt: skip


def test_stories_that_wake_together_keep_the_order_in_which_they_were_told():
    timeline, told = Timeline(0), []
    for name in "abc":
        timeline.begin(a_story(told, timeline, name, 10))
    tell(timeline)
    assert told == [(0, "a"), (0, "b"), (0, "c"), (10, "a"), (10, "b"), (10, "c")]


def test_a_story_cannot_wait_backwards():
    timeline, told = Timeline(50), []
    timeline.begin(a_story(told, timeline, "a", -20))
    tell(timeline)
    assert told == [(50, "a"), (50, "a")]


def a_draft(**more) -> Draft:
    return Draft("cloudevents.accounts", {"a": 1}, (), {}, **more)


def test_a_record_reaches_the_log_after_its_delay_and_not_before_it_is_asked_for():
    post = Post(Random(1))
    post.send(a_draft(), HOUR)
    assert list(post.arrived(HOUR - 1)) == []
    (record,) = post.arrived(HOUR + MINUTE)
    assert HOUR <= record.record.timestamp <= HOUR + 20 * SECOND
    assert record.record.value == b'{"a":1}'


def test_a_late_record_is_late_and_a_copy_comes_after_its_original():
    post = Post(Random(1))
    post.send(a_draft(late=2 * HOUR, twice=True), 0)
    assert list(post.arrived(2 * HOUR - 1)) == []
    first, second = post.arrived(None)
    assert first.record.value == second.record.value
    assert 2 * HOUR <= first.record.timestamp < second.record.timestamp
    assert (first.record.offset, second.record.offset) == (0, 1)


def test_ids_look_like_ids_and_never_repeat():
    mint = Mint(Random(1))
    assert [mint.number("a"), mint.number("a"), mint.number("b", 70)] == [1, 2, 70]
    assert len({mint.uuid() for _ in range(1000)} | {mint.token() for _ in range(1000)}) == 2000
    assert len(mint.hex(12)) == 12
    assert mint.uuid()[14] == "4"
