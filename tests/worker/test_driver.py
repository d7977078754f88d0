"""The driver on a real Kafka, one step at a time: what a runtime could only be caught at by chance."""

from coordwatch.processor.stage import Place, Slice
from coordwatch.worker.driver import Policy
from coordwatch.worker.member import Member
from tests.services.consume import Sent, produce
from tests.services.topics import Topics
from tests.worker.counting import Counting, driver_of


def test_what_was_fetched_and_not_taken_is_read_again_after_a_rebalance(topics: Topics) -> None:
    """The group may let a worker keep a partition while what was on its way to `take` is thrown away."""
    source = topics.create("in")
    topics.create("state", config={"cleanup.policy": "compact"})
    produce(topics.bootstrap, source, [Sent(b"1", b"k")] * 5)
    stage, place = Counting(topics.prefix), Place(source, 0)
    driver, _ = driver_of(topics.bootstrap, topics.prefix, "s0", stage, Policy())

    def slice_of(*offsets: int) -> Slice:
        count = len(offsets)
        return Slice(place, list(offsets), [b"k"] * count, [b"1"] * count, [()] * count, [0] * count)

    try:
        group = f"{topics.prefix}.counting"
        assert driver.resume(Member(group, 1, "a"), {place: 0}, lambda: True) == {place: 0}
        for offsets in ((0, 1), (2, 3, 4)):
            driver.fetched(slice_of(*offsets))
        driver.take(slice_of(0, 1))
        driver.pause()
        driver.take(slice_of(2, 3, 4))
        assert driver.resume(Member(group, 2, "a"), {place: 0}, lambda: True) == {place: 2}
        driver.take(slice_of(2, 3, 4))
        assert stage.parts[place] == {b"k": 5}
    finally:
        driver.close()
