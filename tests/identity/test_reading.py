"""What one event says about who it belongs to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.identity.digest import Digester
from coordwatch.identity.identifier import IdClass, Unusable, UnusableReason
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.identity.reading import Reader
from tests.identity.build import event, md5, sha1, sha256

POLICY = IdentityPolicy(digester=Digester(b"a key for the tests"))
READER = Reader(POLICY)


def kinds(*identifiers: Any, **data: Any) -> list[tuple[str, str]]:
    return [(one.kind.type, one.kind.namespace) for one in READER.read(event(1, *identifiers, **data)).named]


def test_objects_and_text_say_the_same() -> None:
    text = READER.read(event(1, "email:ann@example.com", "requester:desk:77"))
    objects = READER.read(
        event(
            1,
            {"type": "email", "value": "Ann@example.com"},
            {"type": "requester", "namespace": "desk", "value": 77},
        )
    )
    assert text.ids == objects.ids
    assert () == text.unusable == objects.unusable


def test_refs_are_read_from_the_flat_data() -> None:
    read = kinds(
        order=["O1", "O2"], contact="N1", previous_contact="N0", campaign="spring", item="SKU", channel="email"
    )
    assert [("order", ""), ("order", ""), ("contact", ""), ("contact", "")] == read
    assert all(one.kind.rank.id_class is IdClass.REF for one in READER.read(event(1, order="O1")).named)


def test_the_subject_stands_first_and_is_kept_verbatim() -> None:
    assert "subject:Customer 1" == READER.read(event(1, "email:ann@example.com", subject="Customer 1")).ids[0]
    assert () == READER.read(event(1, subject="")).ids


def test_an_identifier_named_twice_counts_once() -> None:
    assert [("email", "")] == kinds("email:ann@example.com", "email:ANN@example.com")


def test_a_tool_local_id_lives_in_its_tool() -> None:
    assert [("requester", "desk")] == kinds({"type": "requester", "value": "77"}, tool="desk")
    assert [("requester", "")] == kinds({"type": "requester", "value": "77"})
    assert [("requester", "other")] == kinds({"type": "requester", "namespace": "other", "value": "77"}, tool="desk")


def test_the_sha256_of_an_address_is_the_address_and_other_hashes_are_its_aliases() -> None:
    address, hashed = (READER.read(event(1, one)).named[0] for one in (
        "email:ann@example.com", f"email_sha256:{sha256('ann@example.com')}",
    ))  # fmt: skip
    assert (address.digest, address.kind) == (hashed.digest, hashed.kind)
    others = READER.read(event(1, f"email_md5:{md5('ann@example.com')}", f"email_sha1:{sha1('ann@example.com')}")).ids
    assert others == READER.aliases(address)


def test_nothing_read_shows_a_clear_value() -> None:
    read = READER.read(event(1, "email:ann@example.com", "customer_id:C-10042", order="O-77"))
    assert all(one.digest.startswith(POLICY.digester.key_id + ":") for one in read.named)
    assert not any(clear in digest for digest in read.ids for clear in ("ann", "10042", "O-77"))


def test_hidden_events_name_the_same_and_show_nothing() -> None:
    clear = event(1, "email:ann@example.com", "requester:desk:77", "email:noreply@example.com", order="O1")
    hidden = READER.pseudonymous(clear)
    assert READER.read(clear).ids == READER.read(hidden).ids
    assert "ann@" not in str(hidden)
    assert hidden == READER.pseudonymous(hidden)
    assert READER.aliases(READER.read(clear).named[0]) == READER.aliases(READER.read(hidden).named[0])


def test_a_digest_under_another_key_is_refused() -> None:
    foreign = Reader(IdentityPolicy()).pseudonymous(event(1, "email:ann@example.com"))
    assert (Unusable("email", UnusableReason.FOREIGN_KEY),) == READER.read(foreign).unusable


def test_too_many_identifiers_keep_the_strongest() -> None:
    orders = [f"O{number}" for number in range(40)]
    read = READER.read(event(1, "email:ann@example.com", subject="S1", order=orders))
    backwards = READER.read(event(1, "email:ann@example.com", subject="S1", order=orders[::-1]))
    assert POLICY.identifiers_max == len(read.ids)
    assert ["subject", "email", "order"] == [one.kind.type for one in read.named[:3]]
    assert set(read.ids) == set(backwards.ids)
    assert (Unusable("order", UnusableReason.TOO_MANY),) * 10 == read.unusable


def test_of_too_many_customer_keys_the_stamped_one_stays_first() -> None:
    read = READER.read(event(1, *(f"subject:A{number}" for number in range(40)), subject="Z9"))
    assert ("subject:Z9", POLICY.identifiers_max) == (read.ids[0], len(read.ids))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("ann@example.com", UnusableReason.MALFORMED),
        (7, UnusableReason.MALFORMED),
        (None, UnusableReason.MALFORMED),
        ({"value": "x"}, UnusableReason.MALFORMED),
        ({"type": "email"}, UnusableReason.MALFORMED),
        ({"type": "email", "value": True}, UnusableReason.MALFORMED),
        ({"type": "email", "value": ["a"]}, UnusableReason.MALFORMED),
        ({"type": "email", "digest": "nothing"}, UnusableReason.MALFORMED),
        ({"type": "item", "digest": "ab:" + "0" * 32}, UnusableReason.NOBODY),
        ("campaign:spring", UnusableReason.NOBODY),
        ("email:noreply@example.com", UnusableReason.FUNCTIONAL_MAILBOX),
    ],
)
def test_what_cannot_be_used_is_named_with_its_reason(raw: Any, reason: UnusableReason) -> None:
    read = READER.read(event(1, raw))
    assert () == read.named
    assert [reason] == [one.reason for one in read.unusable]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["type", "namespace", "value", "digest"])


@given(json | st.lists(st.dictionaries(words, json, max_size=4), max_size=3), json)
def test_reading_never_raises(identifiers: Any, order: Any) -> None:
    one = event(1, identifiers=identifiers, order=order)
    READER.read(one)
    READER.pseudonymous(one)
    READER.trusted(one)


def test_keys_are_checked() -> None:
    with pytest.raises(ValueError, match="65 bytes"):
        Digester(b"k" * 65)
    with pytest.raises(ValueError, match="0 bytes"):
        Digester(b"")
    with pytest.raises(ValueError, match="id of a key"):
        Digester(b"key", "a:b")
    with pytest.raises(ValueError, match="id of a key"):
        Digester(b"key", "subject")
