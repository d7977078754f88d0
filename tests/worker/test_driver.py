"""The driver on a real Kafka, one step at a time: what a runtime could only be caught at by chance."""

from coordwatch.processor.stage import Place, Slice
from coordwatch.worker.driver import Policy
from coordwatch.worker.member import Member
from tests.services.consume import Sent, produce, read_topic
from tests.services.topics import Topics
from tests.worker.counting import Counting, driver_of


def slice_of(place: Place, *offsets: int) -> Slice:
    count = len(offsets)
    return Slice(place, list(offsets), [b"k"] * count, [b"1"] * count, [()] * count, [0] * count)


def test_a_commit_that_has_begun_goes_on_under_its_own_membership(topics: Topics) -> None:
    """A rebalance may begin between what a commit takes out of the stage and its transaction: the broker is the fence."""
    source = topics.create("in")
    out, _ = topics.create("out"), topics.create("state", config={"cleanup.policy": "compact"})
    produce(topics.bootstrap, source, [Sent(b"1", b"k")] * 10)
    place = Place(source, 0)
    driver, _ = driver_of(topics.bootstrap, topics.prefix, "s0", Counting(topics.prefix), Policy())
    try:
        driver.open()
        driver.resume(Member(f"{topics.prefix}.counting", -1, ""), {place: 0}, lambda: True)
        driver.take(slice_of(place, *range(10)))
        ready = driver.ready()
        assert ready is not None
        driver.pause()
        driver.commit(ready)
        assert [record.value for record in read_topic(topics.bootstrap, out)] == [b"10"]
        assert driver.committed == {place: 10}
    finally:
        driver.close()


def test_what_was_fetched_and_not_taken_is_read_again_after_a_rebalance(topics: Topics) -> None:
    """The group may let a worker keep a partition while what was on its way to `take` is thrown away."""
    source = topics.create("in")
    topics.create("state", config={"cleanup.policy": "compact"})
    produce(topics.bootstrap, source, [Sent(b"1", b"k")] * 5)
    stage, place = Counting(topics.prefix), Place(source, 0)
    driver, _ = driver_of(topics.bootstrap, topics.prefix, "s0", stage, Policy())

    try:
        group = f"{topics.prefix}.counting"
        assert driver.resume(Member(group, 1, "a"), {place: 0}, lambda: True) == {place: 0}
        for offsets in ((0, 1), (2, 3, 4)):
            driver.fetched(slice_of(place, *offsets))
        driver.take(slice_of(place, 0, 1))
        driver.pause()
        driver.take(slice_of(place, 2, 3, 4))
        assert driver.resume(Member(group, 2, "a"), {place: 0}, lambda: True) == {place: 2}
        driver.take(slice_of(place, 2, 3, 4))
        assert stage.parts[place] == {b"k": 5}
    finally:
        driver.close()


def test_an_end_that_was_reached_before_a_rebalance_says_nothing_of_who_has_gone(topics: Topics) -> None:
    """The group took the partition away while the word of its end was on its way."""
    source = topics.create("in", 2)
    topics.create("state", 2, config={"cleanup.policy": "compact"})
    stays, goes = Place(source, 0), Place(source, 1)
    stage, heard = Counting(topics.prefix), list[Place]()
    stage.caught_up = lambda place, now: heard.append(place)  # type: ignore[method-assign]
    driver, _ = driver_of(topics.bootstrap, topics.prefix, "s0", stage, Policy())
    try:
        group = f"{topics.prefix}.counting"
        driver.resume(Member(group, 1, "a"), {stays: 0, goes: 0}, lambda: True)
        driver.resume(Member(group, 2, "a"), {stays: 0}, lambda: True)
        driver.at_end(stays, 0)
        driver.at_end(goes, 0)
        driver.caught_up(*driver.confirm_ends())
        assert heard == [stays]
    finally:
        driver.close()
