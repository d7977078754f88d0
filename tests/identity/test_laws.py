"""Identity is a function of the edge set: of what was said, never of when it was said."""

import os
from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.codec import decode_json, encode_json
from coordwatch.events.event import Event, event_with
from coordwatch.identity.digest import Digester
from coordwatch.identity.edges import Teaching
from coordwatch.identity.identity import Identity, resolve_all
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader
from tests.identity.build import event, streams
from tests.identity.ledger import Ledger
from tests.identity.naive import Naive

POLICY = IdentityPolicy(fanout_max=3)
law = settings(max_examples=int(os.environ.get("COORDWATCH_EXAMPLES", "100")))


def naive_customers(events: list[Event], apart: list[frozenset[str]] | None = None) -> dict[tuple[str, str], str]:
    """Give what the plain function over all events says, by event, in customer keys."""
    naive, reader, identity = Naive.of(events, POLICY, apart or ()), Reader(POLICY), Identity(POLICY)
    roots = {(one.source, one.id): naive.event(reader.read(one).ids) for one in events}
    return {name: identity._known.key(root) for name, root in roots.items() if root is not None}


@law
@given(streams())
def test_all_at_once_equals_the_plain_function(events: list[Event]) -> None:
    customers = resolve_all(events, POLICY)
    found = {(one.source, one.id): key for one, key in zip(events, customers, strict=True) if key is not None}
    assert naive_customers(events) == found


@law
@given(streams(), st.data())
def test_one_by_one_in_any_order_with_repeats_ends_with_the_same_journals(
    events: list[Event], data: st.DataObject
) -> None:
    repeated = events + data.draw(st.lists(st.sampled_from(events), max_size=4))
    ledger = Ledger(Identity(POLICY))
    for one in data.draw(st.permutations(repeated)):
        ledger.observe(one)
    assert naive_customers(events) == ledger.customers()


@law
@given(streams(), st.data())
def test_exclusions_at_any_time_end_with_the_same_journals(events: list[Event], data: st.DataObject) -> None:
    reader = Reader(POLICY)
    pairs = sorted({(a, b) for one in events for a in reader.read(one).ids for b in reader.read(one).ids if a < b})
    cuts = data.draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []
    ledger = Ledger(Identity(POLICY))
    steps: list[Event | tuple[str, str]] = [*events, *cuts]
    for step in data.draw(st.permutations(steps)):
        if isinstance(step, Event):
            ledger.observe(step)
        else:
            ledger.exclude(*step)
    apart = [frozenset(cut) for cut in ledger.identity._known.everything().apart]
    assert naive_customers(events, apart) == ledger.customers()


@law
@given(streams(), st.data())
def test_cut_anywhere_store_and_go_on_is_the_same(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    whole, before = Ledger(Identity(POLICY)), Ledger(Identity(POLICY))
    for one in events[:cut]:
        before.observe(one)
    before.identity = Identity(POLICY, decode_json(encode_json(before.identity.snapshot())))
    for one in events[cut:]:
        before.observe(one)
    for one in events:
        whole.observe(one)
    assert whole.customers() == before.customers()
    assert whole.identity.snapshot() == before.identity.snapshot()
    assert whole.identity.counters() == before.identity.counters()


@law
@given(streams(), st.data())
def test_the_rows_that_were_taught_are_the_state(events: list[Event], data: st.DataObject) -> None:
    identity, rows = Identity(POLICY), list[Teaching]()
    for one in events:
        rows.append(identity.observe(one).taught)
    again = Identity(POLICY)
    again.learn(data.draw(st.permutations(rows)))
    assert [identity.customer_of(one) for one in events] == [again.customer_of(one) for one in events]


@law
@given(streams())
def test_nothing_is_lost_silently(events: list[Event]) -> None:
    """Every event is filed, parked, given back as expired, or refused at once for naming nothing."""
    ledger = Ledger(Identity(POLICY))
    for one in events:
        ledger.observe(one)
    expired = [(one.event.source, one.event.id) for one in ledger.identity.expire(10**18)]
    every = [*ledger.customers(), *expired, *ledger.lost]
    assert sorted((one.source, one.id) for one in events) == sorted(every)
    assert 0 == ledger.identity.counters()["parked_now"]


@law
@given(streams(subjects=False))
def test_another_key_gives_other_customers_and_the_same_partition(events: list[Event]) -> None:
    """Keys depend on the names (here: on how names are digested); who is with whom does not."""

    def partition(policy: IdentityPolicy) -> set[frozenset[int]]:
        parts = defaultdict(set)
        for place, customer in enumerate(resolve_all(events, policy)):
            parts[customer].add(place)
        parts.pop(None, None)
        return {frozenset(part) for part in parts.values()}

    other = replace(POLICY, digester=Digester(b"another key of a test"))
    assert partition(POLICY) == partition(other)


@law
@given(streams())
def test_an_event_again_teaches_nothing_and_changes_nothing(events: list[Event]) -> None:
    identity = Identity(POLICY)
    for one in events:
        identity.observe(one)
    for one in events:
        seen = identity.observe(one)
        assert seen.taught == Teaching()
        assert seen.change.moved == ()
        assert not seen.released


@law
@given(streams(), st.integers(0, 12))
def test_digests_in_place_of_clear_identifiers_give_the_same_customers(events: list[Event], some: int) -> None:
    identity = Identity(POLICY)
    hidden = [identity.pseudonymous(one) if place < some else one for place, one in enumerate(events)]
    assert resolve_all(events, POLICY) == resolve_all(hidden, POLICY)


@law
@given(streams())
def test_renaming_ids_renames_keys_and_nothing_else(events: list[Event]) -> None:
    """A longer name for every id and ref; addresses and numbers keep theirs, for a hash of them is a name as well."""

    def renamed(one: Event) -> Event:
        data = dict(one.data)
        for ref in data.keys() & {"order", "shipment", "case", "conversation"}:
            values = data[ref] if isinstance(data[ref], list) else [data[ref]]
            data[ref] = [f"other-{value}" for value in values]
        data["identifiers"] = [
            text if text.startswith(("email", "phone")) else "{0}:other-{2}".format(*text.rpartition(":"))
            for text in data.get("identifiers", ())
        ]
        return event_with(one, data=data, subject=one.subject and f"other-{one.subject}")

    before, after = (resolve_all(some, POLICY) for some in (events, [renamed(one) for one in events]))
    both = set(zip(before, after, strict=True))
    assert len({old for old, _ in both}) == len(both) == len({new for _, new in both})
    assert all((old is None) == (new is None) for old, new in both)


@settings(max_examples=5)
@given(st.permutations([f"C{number:03}" for number in range(200)]))
def test_one_kiosk_never_merges_two_hundred_customers(customers: list[str]) -> None:
    events = [event(place, f"customer_id:{name}", "cookie:kiosk-0001") for place, name in enumerate(customers)]
    assert 200 == len(set(resolve_all(events)))
