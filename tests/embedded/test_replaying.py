"""Dead letters sent round again where one process does everything."""

from concurrent.futures import Future

from coordwatch.adapters.memory import MemoryStore
from coordwatch.clock import ManualClock
from coordwatch.embedded.replaying import Replayer
from coordwatch.ports import DeadLetter, Effects
from coordwatch.processor import Input, Result, ResultStatus
from tests.build import CARDS, NOW


def test_what_can_be_used_now_is_a_letter_no_more_and_the_rest_stands_as_before():
    store, sent = MemoryStore(CARDS), []
    letters = [DeadLetter(name, "shop", "map", "missing_time", "", None, NOW, name.encode()) for name in ("a", "b")]
    store.commit(Effects(dead_letters=letters), NOW)

    def post(inputs: list[Input]) -> "Future[list[Result]]":
        sent.extend((one.record.value, one.record.topic, one.source, one.input) for one in inputs)
        answer: Future[list[Result]] = Future()
        answer.set_result([Result(ResultStatus.APPLIED), Result(ResultStatus.DEAD_LETTERED)])
        return answer

    replay = Replayer(post, store, store.trail(), ManualClock(NOW), {"shop": "shopify"})
    assert replay(letters, "ada") == "1 of 2 could be used now; 1 could not, and stands here as before."
    assert sent == [(b"a", "shop", "shopify", "shop"), (b"b", "shop", "shopify", "shop")]
    assert [one.id for one in store.letters()] == ["b"]
    (link,) = store.trail().links()
    assert (link.actor, link.kind) == ("ada", "letter.replay")
