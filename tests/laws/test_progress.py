"""Law 5, and what absences hang on: progress never goes back, and a source that has fallen silent proves nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coordwatch.context.progress import BEGINNING, Progress, SourceProgress
from tests.laws.subject import Running
from tests.statements.scene import at, document, on

DARK_AFTER, DELAY = 60, 5
instants = st.integers(0, 400)
happenings = st.lists(
    st.tuples(st.sampled_from(("seen", "caught_up")), st.integers(0, 30), st.integers(-50, 50)), max_size=30
)
SILENT = """
when: {gone: {event: order, where: status == "cancelled"}}
expect: {notice: {event: sent, same: order, within: 30m}}
"""


def lived(happened: list[tuple[str, int, int]], dark_after: int | None) -> list[tuple[int, SourceProgress]]:
    """What becomes of a source, with the time of each thing that happens."""
    source, now, lives = SourceProgress("mail", frozenset({"x"}), 3, DELAY, dark_after), 0, []
    for what, later, offset in happened:
        now += later
        source = source.seen(now + offset, now) if what == "seen" else source.caught_up(now)
        lives.append((now, source))
    return lives


@given(happenings, st.sampled_from((None, DARK_AFTER)))
def test_progress_never_goes_back(happened: list[tuple[str, int, int]], dark_after: int | None) -> None:
    lives = [source for _, source in lived(happened, dark_after)]
    for before, after in pairwise(lives):
        assert after.through >= before.through
        assert after.heard_at >= before.heard_at
        assert after.read_to_end_at >= before.read_to_end_at


@given(happenings)
def test_a_source_that_was_silent_too_long_is_proven_by_its_events_alone(happened: list[tuple[str, int, int]]) -> None:
    for number, (_, source) in enumerate(lived(happened, DARK_AFTER), 1):
        events = [(then, then + offset) for then, (what, _, offset) in times(happened[:number]) if what == "seen"]
        heard_at = max((then for then, _ in events), default=BEGINNING)
        told = max((time - 3 for then, time in events if time <= then), default=BEGINNING)
        assert source.heard_at == heard_at
        assert source.through <= max(told, heard_at + DARK_AFTER - DELAY)


def times(happened: list[tuple[str, int, int]]) -> list[tuple[int, tuple[str, int, int]]]:
    now, found = 0, []
    for one in happened:
        now += one[1]
        found.append((now, one))
    return found


parts = st.builds(
    lambda through, heard_at, read: SourceProgress("mail", frozenset({"x"}), 3, DELAY, None, through, heard_at, read),
    instants,
    instants,
    instants,
)


@given(st.lists(parts, min_size=1, max_size=4))
def test_a_source_is_read_as_far_as_its_partition_that_is_furthest_behind(found: list[SourceProgress]) -> None:
    whole = SourceProgress("mail", frozenset({"x"}), 3, DELAY, DARK_AFTER).together(found)
    heard_at = max(one.heard_at for one in found)
    assert whole.heard_at == heard_at
    for one in found:
        quiet = one.read_to_end_at - heard_at <= DARK_AFTER
        assert whole.through <= max(one.through, one.read_to_end_at - DELAY if quiet else BEGINNING)


def test_a_source_of_no_known_partition_proves_nothing() -> None:
    assert SourceProgress("mail", frozenset({"x"})).together([]).through == BEGINNING


def test_a_quiet_partition_of_a_source_that_speaks_is_read_and_a_quiet_source_is_dark() -> None:
    mail = SourceProgress("mail", frozenset({"x"}), publishing_delay=DELAY, dark_after=DARK_AFTER)
    speaks = SourceProgress("mail", frozenset({"x"}), through=400, heard_at=400, read_to_end_at=400)
    quiet = SourceProgress("mail", frozenset({"x"}), through=10, heard_at=10, read_to_end_at=400)
    assert mail.together([speaks, quiet]).through == 400 - DELAY
    assert mail.together([quiet]).through == 10


def running(dark_after: int | None) -> Running:
    """A shop that speaks, and a mailer that may be silent for so long."""
    mail = SourceProgress("mail", frozenset({"marketing.message.sent"}), publishing_delay=0, dark_after=dark_after)
    shop = SourceProgress("shop", frozenset({"commerce.order.changed"}), publishing_delay=0)
    return Running([document(SILENT)], sources=(mail, shop))


def test_an_absence_is_not_told_while_its_source_is_dark_and_is_told_when_it_is_heard_again() -> None:
    one = running(at("1h") - at("0h"))
    one.feed([on("sent", "0h", order="O9")], at("0h"), "mail")
    one.feed([on("order", "2h", order="O1", status="cancelled")], at("2h"), "shop")
    one.settle(at("3h"))
    assert one.standing() == [], "nothing was heard of the mailer for three hours: it may be broken"
    assert Progress(one.processor.progress.sources.values()).proof(["marketing.message.sent"], at("3h")).dark == (
        "mail",
    )
    one.feed([on("sent", "3h", order="O9")], at("3h"), "mail")
    one.settle(at("3h"))
    assert [found["at"] for found in one.standing()] == [at("2h30m")]


def test_an_absence_whose_deadline_passed_before_its_source_fell_silent_is_told() -> None:
    one = running(at("1h") - at("0h"))
    one.feed([on("order", "0h", order="O1", status="cancelled")], at("0h"), "shop")
    one.feed([on("sent", "0h", order="O9")], at("0h"), "mail")
    one.settle(at("45m"))
    one.settle(at("5h"))
    assert [found["at"] for found in one.standing()] == [at("30m")]
