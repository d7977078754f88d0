"""Identity across partitions, told in small stories: who says what to whom, and what becomes of events."""

import random
from collections import Counter
from typing import Any

import pytest

from coordwatch.codec import unpack
from coordwatch.events.event import Event, event_with
from coordwatch.events.times import DAY, MINUTE
from coordwatch.identity.answers import customer_key
from coordwatch.identity.hops.anchors import FileEvent, Reask
from coordwatch.identity.hops.messages import BadHop, Meet, Other, Told, decode, encode
from coordwatch.identity.hops.routing import PLACE
from coordwatch.identity.hops.rows import UnknownRow
from coordwatch.identity.hops.system import Hops
from coordwatch.identity.identity import Identity
from coordwatch.identity.policy import IdentityPolicy
from tests.identity.build import LINKED, event, md5
from tests.identity.hops.world import World
from tests.identity.whose import accounts, whose

ANN, BEN = "email:ann@example.com", "email:ben@example.com"
C1, C2, C3 = "customer_id:C1", "customer_id:C2", "customer_id:C3"
POLICY = IdentityPolicy()
READS = Identity(POLICY)


def digest(text: str) -> str:
    found = READS.digest(text)
    assert found is not None
    return found


def key(text: str) -> str:
    """Give the key of the customer whose strongest identifier this is."""
    return customer_key(digest(text))


class Story:
    """A world in which everything that was said has arrived before the next thing happens."""

    def __init__(self, policy: IdentityPolicy = POLICY, partitions: int = 8) -> None:
        self.world = World(policy, partitions, random.Random(0))

    def happens(self, *events: Event) -> Counter[str]:
        """Give the messages that it cost, by kind."""
        before = Counter(self.world.messages)
        for one in events:
            self.world.bring(one)
            self.world.settle()
        return Counter({str(kind): amount for kind, amount in (self.world.messages - before).items()})

    def customers(self) -> dict[str, str]:
        return {name: customer for (_, name), customer in self.world.filed().items()}

    def parked(self) -> list[str]:
        return sorted(name for _, name in self.world.parked())

    def said(self, name: str) -> list[Any]:
        """Give everything that was ever said of an event, wherever it was."""
        found = [
            said for journals in self.world.journals for one in journals.values() for said in [one.get(("test", name))]
        ]
        return [words for one in found if one is not None for words in one[1]]


# ---- whose it is


def test_a_tracker_finds_its_customer_through_its_order() -> None:
    story = Story()
    story.happens(event(1, shipment="T1"))
    assert ["e1"] == story.parked()
    story.happens(event(2, order="O1", shipment="T1"))
    assert ["e1", "e2"] == story.parked()
    story.happens(event(3, ANN, order="O1"))
    assert {"e1": key(ANN), "e2": key(ANN), "e3": key(ANN)} == story.customers()


def test_who_turns_out_to_be_another_customer_takes_everything_along() -> None:
    story = Story()
    story.happens(event(1, ANN, order="O1"), event(2, order="O1"), event(3, ANN))
    assert {key(ANN)} == set(story.customers().values())
    story.happens(event(4, C1, ANN))
    assert {"e1", "e2", "e3", "e4"} == {name for name, customer in story.customers().items() if customer == key(C1)}
    assert {key(ANN): key(C1)} == story.world.aliases
    assert [f"seen by {key(ANN)}", f"seen by {key(C1)}"] == story.said("e2")


def test_a_kiosk_gives_back_the_events_that_rested_on_it_and_costs_nobody_else() -> None:
    story = Story()
    story.happens(event(1, C1, "cookie:kiosk"), event(2, "cookie:kiosk"), event(3, C2))
    assert {"e1": key(C1), "e2": key(C1), "e3": key(C2)} == story.customers()
    cost = story.happens(event(4, C2, "cookie:kiosk"))
    assert {"e1": key(C1), "e3": key(C2), "e4": key(C2)} == story.customers()
    assert (["e2"], 1) == (story.parked(), cost["Reask"])
    assert [] == story.said("e2")


def test_a_hash_in_another_partition_is_its_address() -> None:
    story = Story()
    hashed = f"email_md5:{md5('ann@example.com')}"
    story.happens(event(1, hashed), event(2, C1, ANN))
    assert {key(C1)} == set(story.customers().values())
    story.happens(event(3, hashed, order="O1"), event(4, order="O1"))
    assert {key(C1)} == set(story.customers().values())


def test_a_hash_that_nobody_named_yet_costs_nothing_when_its_address_moves() -> None:
    story = Story()
    assert 2 == story.happens(event(1, ANN))["link"]
    cost = story.happens(event(2, C1, ANN))
    assert {"place": 2, "meet": 1, "FileEvent": 1, "Reask": 1, "move": 1} == cost
    cost = story.happens(event(3, f"email_md5:{md5('ann@example.com')}"))
    assert {"place": 2, "follow": 1, "told": 1, "FileEvent": 1, "Reask": 1, "move": 1} == cost
    assert {key(C1)} == set(story.customers().values())


def test_two_customers_that_a_tool_links_are_one_with_all_their_events() -> None:
    story = Story()
    story.happens(event(1, C1), event(2, C2), event(3, C2, ANN), event(4, ANN, order="O1"), event(5, order="O1"))
    story.happens(event(6, C1, C2, type=LINKED))
    (only,) = set(story.customers().values())
    assert 6 == len(story.customers())
    (old,) = {key(C1), key(C2)} - {only}
    assert only == story.world.aliases[old]


def test_a_group_counts_the_cookies_of_all_its_addresses() -> None:
    story = Story(IdentityPolicy(fanout_max=3))
    story.happens(*(event(number, ANN, f"cookie:a-{number}") for number in range(2)))
    story.happens(*(event(number, BEN, f"cookie:b-{number}") for number in range(2, 4)))
    story.happens(event(5, ANN, BEN, type=LINKED))
    assert {"fan_out"} == {story.world.answers()[digest(one)].reason for one in (ANN, BEN)}
    assert ["e5"] == story.parked()


def test_a_leader_that_follows_later_lends_on_what_it_was_lent() -> None:
    """Three addresses that are linked in either order, with more customers than fit into one message."""
    for first, second in ((1, 2), (2, 1)):
        story = Story(IdentityPolicy(fanout_max=3))
        addresses = sorted((f"email:p{number}@example.com" for number in range(3)), key=digest)
        story.happens(*(event(n, f"customer_id:C{n:03}", addresses[2], type=LINKED) for n in range(10)))
        story.happens(event(301, addresses[first], addresses[3 - first], type=LINKED))
        story.happens(event(302, addresses[0], addresses[second], type=LINKED), event(303, addresses[0]))
        assert {"shared"} == {story.world.answers()[digest(one)].reason for one in addresses}
        assert "e303" in story.parked()


def test_what_a_shared_mailbox_knows_does_not_have_to_fit_into_one_message() -> None:
    story = Story()
    one, other = sorted((ANN, BEN), key=digest)
    story.happens(*(event(number, f"customer_id:C{number:03}", other) for number in range(450)))
    cost = story.happens(event(900, one, other, type=LINKED))
    assert (1, 2) == (cost["follow"], cost["lend"])
    assert "shared" == story.world.answers()[digest(one)].reason


def test_a_stamped_customer_decides_alone() -> None:
    story = Story()
    story.happens(
        event(1, ANN, C1, subject="Customer 1"), event(2, ANN), event(3, C1, order="O1"), event(4, order="O1")
    )
    assert {"Customer 1"} == set(story.customers().values())


# ---- what it costs


def test_what_was_introduced_before_costs_its_place_and_its_event() -> None:
    story = Story()
    full = event(1, C1, ANN, "cookie:browser", order="O1", message="M1")
    story.happens(full)
    for again in (event_with(full, id="e2"), event_with(full, id="e3", time=full.time + 5 * MINUTE)):
        assert {"place": 1, "FileEvent": 1} == story.happens(again)


def test_a_new_message_of_a_known_customer_costs_one_hop() -> None:
    story = Story()
    story.happens(event(1, C1, ANN))
    assert {"place": 1, "meet": 1, "FileEvent": 1} == story.happens(event(2, C1, ANN, message="M1"))
    assert {"place": 1, "meet": 1, "FileEvent": 1} == story.happens(event(3, ANN, message="M2"))
    assert {"place": 1, "FileEvent": 1} == story.happens(event(4, message="M1"))


def test_nobody_asks_again_for_what_has_no_past() -> None:
    """A new edge to a known customer is news to the anchor and to no event that it filed."""
    story = Story()
    story.happens(event(1, BEN, order="O2"), event(2, ANN), event(3, ANN, order="O1"))
    cost = story.happens(event(4, ANN, BEN))
    assert (0, 0) == (cost["Reask"], cost["move"])
    assert ["e4"] == story.parked()


def test_of_a_customer_only_the_events_that_name_what_changed_are_asked_for() -> None:
    story = Story()
    phone = "phone:+33123456789"
    story.happens(event(1, ANN), event(2, ANN, phone), event(3, ANN, order="O1"))
    effects: list[Reask] = []
    follow = story.world.follow

    def listen(by: str, effect: Any) -> None:
        effects.extend([effect] if isinstance(effect, Reask) else [])
        follow(by, effect)

    story.world.follow = listen  # type: ignore[method-assign]
    story.happens(event(4, C1, phone))
    assert [Reask(key(ANN), digest(ANN), digest(phone))] == effects
    assert {"e1": key(ANN), "e2": key(C1), "e3": key(ANN), "e4": key(C1)} == story.customers()


def test_no_row_grows_with_the_number_of_neighbours() -> None:
    story = Story()
    for number in range(300):
        story.world.bring(event(number, C1, ANN, f"cookie:b-{number % 15}", message=f"M{number}"))
    story.world.settle()
    assert 260 > max(len(key) + len(value) for owner in story.world.owners for key, value in owner.rows.items())


# ---- what waits


def placed(hops: Hops, one: Event, said: list[Any] | None = None) -> None:
    router = World(POLICY, 1, random.Random(0)).router
    hops.take(PLACE, router.route(one).anchor or "", router.place(one, said))


def test_an_event_whose_new_neighbour_has_not_answered_waits_over_a_crash() -> None:
    hops, phone = Hops(POLICY), Identity(POLICY)._reader.one("phone:+33123456789", None)
    placed(hops, event(1, ANN, "phone:+33123456789"))
    done = hops.done()
    assert ["meet"] == [kind for kind in (encode(message)[0] for _, message in done.hops) if kind == "meet"]
    assert ([], {"in": 1, "parked": 1}) == (done.effects, done.counts), "not even that it waits, for that is no gap"
    again = Hops(POLICY, ((unpack(name), value) for name, value in done.rows.items() if value is not None))
    again.expire(10**18)
    answer = Told(phone.digest, 1, again.answer(digest(ANN))._replace(hops=1))  # type: ignore[union-attr]
    for _ in range(2):
        again.take(*("told", digest(ANN), encode(answer)[1]))
    done = again.done()
    assert [("e1", key(ANN), None)] == [
        (one.event.id, one.customer, one.said) for one in done.effects if isinstance(one, FileEvent)
    ]
    assert {"passed": 1, "parked": -1} == accounts(done.counts)
    assert {"whose.resolved.": 1} == whose(done.counts)


def test_an_answer_that_is_stale_changes_nothing() -> None:
    hops, reader = Hops(POLICY), Identity(POLICY)._reader
    cookie, first, second = (reader.one(text, None) for text in ("cookie:browser", C1, C2))
    told = [
        Meet(
            cookie.kind,
            (Other(one.digest, one.kind, version, hops.answer("")._replace(root=one.digest, kind=one.kind)),),
        )  # type: ignore[union-attr]
        for one, version in ((first, 2), (first, 1), (second, 0))
    ]
    for message in told:
        hops.take("meet", cookie.digest, encode(message)[1])  # type: ignore[union-attr]
    assert digest(C1) == hops.answer(digest("cookie:browser")).root
    late = Told(digest(C1), 1, hops.answer(""))
    hops.take("told", digest("cookie:browser"), encode(late)[1])
    assert digest(C1) == hops.answer(digest("cookie:browser")).root


def test_of_two_copies_of_a_parked_event_the_first_is_kept_seen_when_either_was_first() -> None:
    story = Story()
    one = event(5, order="O1")
    early = event_with(one, observed_at=one.observed_at - 1, data={**one.data, "note": "another content"})
    story.happens(one, early, one)
    assert ["e5"] == story.parked()
    assert 2 == story.world.counts["dropped.repeated"]
    story.happens(event(6, ANN, order="O1"))
    ((found, _),) = [
        journal["test", "e5"]
        for journals in story.world.journals
        for journal in journals.values()
        if ("test", "e5") in journal
    ]
    assert (one.observed_at - 1, None) == (found.observed_at, found.data.get("note"))


def test_who_waits_too_long_is_given_up_with_what_was_said() -> None:
    story = Story()
    story.happens(
        event(1, C1, "cookie:kiosk"), event(2, "cookie:kiosk"), event(3, C2, "cookie:kiosk"), event(4, order="O9")
    )
    assert ["e2", "e4"] == story.parked()
    for now in (2 * MINUTE + DAY - 1, 2 * MINUTE + DAY, 9 * DAY):
        for owner in story.world.owners:
            owner.hops.expire(now)
            story.world.give(owner)
        if now < 2 * MINUTE + DAY:
            assert [] == story.world.gone
    assert [
        ("e2", "identity_unresolved: quarantined", [f"seen by {key(C1)}"]),
        ("e4", "identity_unresolved: no_owner", None),
    ] == [(one.event.id, one.why, one.said) for one in story.world.gone]
    assert [] == story.parked()
    story.world.check_the_books()


def test_what_everybody_knows_is_no_dead_letter_when_it_is_nobodys() -> None:
    story = Story()
    story.happens(event_with(event(1, order="O9"), type="outage.changed"))
    assert ["e1"] == story.parked()
    for owner in story.world.owners:
        owner.hops.expire(9 * DAY)
        story.world.give(owner)
    assert ([], []) == (story.world.gone, story.parked())
    assert 1 == story.world.counts["dropped.known_to_everybody"]
    story.world.check_the_books()


def test_an_event_that_nobody_can_read_any_more_is_given_up_at_once() -> None:
    hops = Hops(POLICY)
    foreign = {"type": "email", "namespace": "", "digest": "other:" + "0" * 32}
    hops.take(PLACE, "other:" + "0" * 32, World(POLICY, 1, random.Random(0)).router.place(event(1, foreign)))
    done = hops.done()
    assert ["e1"] == [one.event.id for one in done.effects]
    assert {"in": 1, "dead_lettered": 1, "dead_lettered.identity.identity_unresolved": 1} == accounts(done.counts)
    assert {"whose.given_up.": 1} == whose(done.counts)


# ---- what is kept


def test_rows_of_another_version_are_refused_with_the_next_move() -> None:
    hops = Hops(POLICY)
    placed(hops, event(1, ANN, order="O1"))
    rows = hops.done().rows
    for name, value in rows.items():
        assert value is not None
        with pytest.raises(UnknownRow, match=r"version 7.*reads 1: upgrade"):
            Hops(POLICY, [(unpack(name), value[:1] + b"\x07" + value[2:])])


def test_rows_and_messages_show_nobody_in_the_clear() -> None:
    story = Story()
    story.happens(event(1, ANN, "customer_id:C-10042", "phone:+33123456789"), event(2, "email:x@example.com", BEN))
    rows = b"".join(key + value for owner in story.world.owners for key, value in owner.rows.items())
    logs = b"".join(value for owner in story.world.owners for _, _, value in owner.log)
    assert not any(clear in rows + logs for clear in (b"@", b"10042", b"123456789"))


def test_a_message_that_is_none_is_refused() -> None:
    kind_of = Identity(POLICY)._reader.kind
    for kind, value in (
        ("meet", b"\xc1"),
        ("meet", b"\x01"),
        ("place", b"\x92\xc0\xc0"),
        ("shout", b"\x90"),
        ("told", b"\x90"),
    ):
        with pytest.raises(BadHop, match=f"no message of the kind '{kind}'"):
            decode(kind, value, kind_of)


def test_a_ref_is_kept_while_another_rests_on_it() -> None:
    story = Story()
    late = event_with(event(3, shipment="T1"), time=300 * DAY)
    story.happens(event(1, ANN, order="O1"), event(1, ANN, message="M1"), event(2, order="O1", shipment="T1"), late)
    story.world.prune(200 * DAY)
    story.world.settle()
    answers = story.world.answers()
    reader = Identity(POLICY)._reader
    names = {name: reader.read(event(1, **{name: value})).ids[0] for name, value in
             (("order", "O1"), ("shipment", "T1"), ("message", "M1"))}  # fmt: skip
    assert {"order": True, "shipment": True, "message": False} == {name: one in answers for name, one in names.items()}
