"""Laws of the stage `ingest`: no cut, no crash and no bytes change what comes of a log, or lose count of it."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from coordwatch.codec import encode_json
from coordwatch.events.times import HOUR, SECOND
from coordwatch.processor.letters import read_letter
from coordwatch.processor.marks import mark_of
from coordwatch.processor.outcomes import Reach
from coordwatch.processor.stage import Output, Place
from tests.processor.ingest import (
    BACK,
    CRM,
    CRM_SOURCE,
    GRAPH,
    MAIL,
    MAIL_SOURCE,
    NOW,
    TOPICS,
    TRUSTED,
    Line,
    Process,
    Shore,
    canonical,
    filed,
    mail,
    run,
    site,
    source,
    stock,
)  # fmt: skip
from tests.sources.corpus import bodies, places, put
from tests.sources.shipped import SOURCES
from tests.sources.test_laws import TREE

POLICIES = st.sampled_from([TRUSTED, GRAPH])


def a_log() -> list[Line]:
    customers = [canonical(str(n), subject=f"C-{n % 3}", at=NOW - HOUR + n) for n in range(4)]
    return [*customers, Line(b"{"), stock("s1"), Line(None), customers[1], canonical("n", data={"kind": "complaint"})]


def a_mail_log() -> list[Line]:
    mixed = mail({}, {"event": "delivered"}, {"event": "teleported"}, {"email": None, "customer_id": None})
    return [mail({}), mixed, Line(b"[]"), Line(b"\xff"), Line(None), mail({"customer_id": "C-2"}), mail({})]


LOGS = {CRM: a_log(), MAIL: a_mail_log()}
SITE = (CRM_SOURCE, MAIL_SOURCE)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(list(LOGS)), st.integers(1, 4)),
        st.tuples(st.just("give"), st.just(CRM), st.just(0)),
        st.tuples(st.just("crash"), st.sampled_from(list(LOGS)), st.integers(0, 3)),
    ),
    max_size=30,
)


@given(STEPS, POLICIES)
def test_cut_and_crash_anywhere_and_the_outputs_are_those_of_an_undisturbed_run(
    steps: list[tuple[str, Place, int]], identity: Any
) -> None:
    chosen, shore = site(*SITE, identity=identity), Shore()
    process = Process(chosen, shore, list(LOGS))
    for what, place, count in steps:
        if what == "take":
            process.take(place, LOGS[place], count)
        elif what == "give":
            process.give()
            shore.check_the_books()
        else:
            process = Process(chosen, shore, list(LOGS))
            # Offsets that were lost: records that the state has taken come again.
            process.positions[place] = max(0, process.positions[place] - count)
    for place, log in LOGS.items():
        process.take(place, log, len(log))
    process.give()
    shore.check_the_books()
    calm = run(chosen, LOGS)
    for topic in (TOPICS.events, TOPICS.identity, TOPICS.facts, TOPICS.dead_letters):
        assert by_log(shore.on(topic)) == by_log(calm.on(topic))
    assert shore.compacted(TOPICS.ledger) == calm.compacted(TOPICS.ledger)
    assert shore.states() == calm.states()


def by_log(outputs: list[Output]) -> dict[bool, list[Output]]:
    """What came of each log, in order; between two logs there is none."""
    found: dict[bool, list[Output]] = {True: [], False: []}
    for one in outputs:
        letter = read_letter(one.value, one.headers)
        found[b"/crm" in (one.value or b"") if letter is None else letter.origin.place == CRM].append(one)
    return found


@given(STEPS)
def test_marks_never_go_back_and_every_partition_hears_all_of_them(steps: list[tuple[str, Place, int]]) -> None:
    chosen, shore, clock = site(*SITE), Shore(), NOW
    process = Process(chosen, shore, list(LOGS))
    for what, place, count in steps:
        clock += SECOND
        if what == "take":
            process.take(place, LOGS[place], count, clock)
            if process.positions[place] == len(LOGS[place]):
                process.stage.caught_up(place, clock)
        elif what == "give":
            process.give(clock)
        else:
            process = Process(chosen, shore, list(LOGS))
    reached: dict[tuple[int | None, str], Reach] = {}
    for one in shore.marks():
        for parts in mark_of(one.value or b"").progress.values():
            for name, now in parts.items():
                before = reached.get((one.partition, name), now)
                assert all(new >= old for new, old in zip(now, before, strict=True))
                reached[one.partition, name] = now
    assert len({sum(one.partition == n for one in shore.marks()) for n in range(TOPICS.partitions)}) == 1


@settings(max_examples=60)
@given(st.data())
def test_the_order_within_a_customer_is_that_of_its_log(data: st.DataObject) -> None:
    customers = data.draw(st.lists(st.sampled_from("abc"), max_size=20))
    log = [canonical(str(n), subject=customer) for n, customer in enumerate(customers)]
    shore = Shore()
    process = Process(site(CRM_SOURCE), shore, [CRM])
    while process.positions[CRM] < len(log):
        process.take(CRM, log, data.draw(st.integers(1, 5)))
        if data.draw(st.booleans()):
            process.give()
    process.give()
    for customer in set(customers):
        ids = [filed(one).event.id for one in shore.on(TOPICS.events) if one.key == customer.encode()]
        assert ids == [str(n) for n, whose in enumerate(customers) if whose == customer]


HEADERS = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_id", "ce_type", "X-Shopify-Topic", "cw-topic", "cw-offset", "cw-partition"]),
        st.none() | st.binary(max_size=12) | st.just(b"0"),
    ),
    max_size=5,
)  # fmt: skip
ANY_BYTES = st.none() | st.binary(max_size=200) | TREE.map(encode_json)
FUZZED = st.builds(Line, ANY_BYTES, HEADERS, st.none() | st.binary(max_size=4), st.integers(-(2**62), 2**62))


@settings(max_examples=200)
@given(
    mapping=st.sampled_from([*SOURCES, "canonical", None]),
    lines=st.lists(FUZZED, min_size=1, max_size=4),
    identity=POLICIES,
)
def test_any_bytes_end_in_the_account_and_never_in_an_error(mapping: str | None, lines: list[Line], identity: Any):
    place = Place("any", 0)
    shore = run(site(source("any", mapping), identity=identity), {place: lines, BACK: lines})
    shore.check_the_books()
    assert sum(names["in"] for names in shore.tallies().values()) >= 2 * len(lines)
    assert_nothing_unforeseen(shore)


def assert_nothing_unforeseen(shore: Shore) -> None:
    assert [name for names in shore.tallies().values() for name in names if name.endswith(".internal")] == []


@settings(max_examples=300)
@given(mapping=st.sampled_from([source for source in SOURCES if bodies(source)]), data=st.data(), identity=POLICIES)
def test_a_payload_with_anything_anywhere_ends_in_the_account(mapping: str, data: st.DataObject, identity: Any) -> None:
    record, body = data.draw(st.sampled_from(bodies(mapping)))
    for _ in range(data.draw(st.integers(1, 3))):
        body = put(body, data.draw(st.sampled_from(places(body))), data.draw(TREE))
    headers = [(name, str(text).encode()) for name, text in dict(record.headers).items()]
    line = Line(encode_json(body), headers, record.key, record.timestamp or 0)
    shore = run(site(source("any", mapping), identity=identity), {Place("any", 0): [line]})
    shore.check_the_books()
    assert_nothing_unforeseen(shore)


def test_an_event_that_says_to_forget_somebody_is_in_the_account() -> None:
    data = {"request_id": "R", "identifiers": ["customer_id:C-1"]}
    shore = run(site(CRM_SOURCE, identity=GRAPH), {CRM: [canonical("1", type="customer.erased", data=data)]})
    shore.check_the_books()
    assert shore.tallies()[str(CRM)]["applied"] == 1


@settings(max_examples=150)
@example(event={"data": {"identifiers": True}}, identity=GRAPH)
@given(
    event=st.fixed_dictionaries({"data": TREE}, optional={"subject": st.text(), "recordedtime": st.text()}),
    identity=POLICIES,
)
def test_canonical_events_with_anything_in_them_end_in_the_account(event: dict[str, Any], identity: Any) -> None:
    shore = run(site(CRM_SOURCE, identity=identity), {CRM: [canonical("1", **event)]})
    shore.check_the_books()
    assert_nothing_unforeseen(shore)
