"""Equal identifiers become equal; what names nobody is refused with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.identity.digest import mask
from coordwatch.identity.identifier import IdClass, Identifier, Unusable, UnusableReason, parse_identifier
from coordwatch.identity.normalise import normalise
from coordwatch.identity.policy import IdentityPolicy, Scope
from tests.identity.build import sha256

POLICY = IdentityPolicy()


def formed(kind: str, value: str, policy: IdentityPolicy = POLICY) -> str | UnusableReason:
    one = normalise(Identifier(kind, "", value), policy)
    return one.reason if isinstance(one, Unusable) else one.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Ann.B+news@Example.COM", "ann.b+news@example.com"),
        ("  ann@example.com\n", "ann@example.com"),
        ('"ann@example.com"', "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
        ("ann@example.com.", "ann@example.com"),
        ("ann@fa\u00df.example", "ann@xn--fa-hia.example"),
        ("ann@\uff45xample.com", "ann@example.com"),
        ("\u00e4nne@example.com", "\u00e4nne@example.com"),
    ],
)
def test_an_address_has_one_form(written: str, value: str) -> None:
    assert value == formed("email", written)


@pytest.mark.parametrize(
    "written",
    ["ann", "@example.com", "ann@", "ann@example", "ann bee@example.com", "ann@@example.com", "a" * 65 + "@example.com",
     "ann@exa_mple-.com", "ann@.example.com", "ann\0@example.com", "ann\ud800@example.com", "Ann <ann@example.com>"],
)  # fmt: skip
def test_what_is_no_address_is_malformed(written: str) -> None:
    assert UnusableReason.MALFORMED == formed("email", written)


@pytest.mark.parametrize(
    "written", ["noreply@example.com", "NoReply@example.com", "info@example.com", "support+7@example.com"]
)
def test_a_functional_mailbox_is_nobody(written: str) -> None:
    assert UnusableReason.FUNCTIONAL_MAILBOX == formed("email", written)


@pytest.mark.parametrize(
    "other",
    ["\u0430nn@example.com", "ann@ex\u0430mple.com", "\uff41nn@example.com", "ann@examp1e.com", "an\u0144@example.com"],
)
def test_what_only_looks_alike_is_somebody_else(other: str) -> None:
    assert "ann@example.com" != formed("email", other)


def test_plus_tags_and_dots_count_where_the_site_does_not_say_otherwise() -> None:
    site = IdentityPolicy(
        plus_domains=frozenset({"example.com", "example.org"}), dot_domains=frozenset({"example.org"})
    )
    assert "a.n.n+news@example.net" == formed("email", "a.n.n+news@example.net", site)
    assert "a.n.n@example.com" == formed("email", "a.n.n+news@example.com", site)
    assert "ann@example.org" == formed("email", "A.N.N+news@example.org", site)
    assert "+@example.org" == formed("email", "+@example.org", site), "nothing would be left of it"


def test_functional_mailboxes_are_the_sites_choice() -> None:
    own = IdentityPolicy(own_domains=frozenset({"shop.test"}))
    assert "info@example.com" == formed("email", "info@example.com", own)
    assert UnusableReason.FUNCTIONAL_MAILBOX == formed("email", "info@shop.test", own)
    assert "info@shop.test" == formed("email", "info@shop.test", IdentityPolicy(functional_mailboxes=frozenset()))


@pytest.mark.parametrize(
    "written", ["+33 1 23-45.67 (89)", "0033123456789", "tel:+33123456789", "+33\u00a0123\u2011456789"]
)
def test_an_international_number_has_one_form(written: str) -> None:
    assert "+33123456789" == formed("phone", written)


@pytest.mark.parametrize(
    "written", ["0123456789", "+0123456789", "+33 1", "+33123456789 ext 4", "+3312345678901234567"]
)
def test_a_number_without_its_country_is_refused(written: str) -> None:
    assert UnusableReason.MALFORMED == formed("phone", written)


def test_a_national_number_is_one_of_the_region_of_its_tool() -> None:
    site = IdentityPolicy(phone_region="FR", regions={"desk": "GB"})
    for written, tool, number in (
        ("01 23 45 67 89", "shop", "+33123456789"),
        ("01 23 45 67 89", None, "+33123456789"),
        ("020 7946 0958", "desk", "+442079460958"),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("+33 1 23 45 67 89", "desk", "+33123456789"),
    ):
        assert Identifier("phone", "", number) == normalise(Identifier("phone", "", written), site, tool)
    for written in ("1-800-FLOWERS", "020 7946 0958 ext. 7", "12", "+4412"):
        assert UnusableReason.MALFORMED == formed("phone", written, site)
    for written in ("9999999999", "+1 111 111 1111", "000000"):
        assert UnusableReason.BLOCKED == formed("phone", written, site)


def test_a_country_code_that_nobody_knows_yet_is_kept() -> None:
    assert "+9991234567" == formed("phone", "+999 123 4567")


@pytest.mark.parametrize(
    "written",
    ["null", "NULL", '"null"', "'undefined'", "anonymous", "Guest", "true", "False", "0", "NaN", "None", "-1",
     "[object Object]", "00000000-0000-0000-0000-000000000000", "000", "---"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["customer_id", "anonymous_id", "requester", "order", "phone", "email"])
def test_a_value_that_stands_for_nothing_is_blocked(kind: str, written: str) -> None:
    assert UnusableReason.BLOCKED == formed(kind, written)


def test_lengths() -> None:
    assert UnusableReason.EMPTY == formed("customer_id", " \t ")
    assert UnusableReason.TOO_SHORT == formed("customer_id", "7")
    assert "7" == formed("order", "7")
    assert "7" == formed("customer_id", "7", IdentityPolicy(length_min=1))
    assert UnusableReason.TOO_LONG == formed("customer_id", "c" * 401)
    assert UnusableReason.TOO_LONG == formed("email", "a@" + "example." * 40 + "com")
    assert UnusableReason.TOO_LONG == formed("customer_id", "c" * 10_000_000)


def test_what_many_share_names_nobody() -> None:
    for kind in ("campaign", "journey", "item", "area", "outage", "audience"):
        assert UnusableReason.NOBODY == formed(kind, "summer")


def test_a_hash_of_an_address_is_known_by_its_length() -> None:
    digest = sha256("ann@example.com")
    assert Identifier("email_sha256", "", digest) == normalise(Identifier("hashed_email", "", digest.upper()), POLICY)
    assert Identifier("email_md5", "", digest[:32]) == normalise(Identifier("email_hash", "", digest[:32]), POLICY)
    assert UnusableReason.MALFORMED == formed("hashed_email", digest[:33])
    assert UnusableReason.MALFORMED == formed("email_md5", digest)


def test_case_counts_in_an_id_and_not_in_a_type() -> None:
    assert Identifier("customer_id", "", "aB") == normalise(Identifier(" Customer ", "", "aB"), POLICY)
    assert formed("customer_id", "ab") != formed("customer_id", "aB")


@given(st.sampled_from(["email", "phone", "customer_id", "requester", "order", "hashed_email", "subject"]), st.text())
def test_normalise_never_raises_and_is_done_after_once(kind: str, value: str) -> None:
    once = normalise(Identifier(kind, "", value), POLICY)
    if isinstance(once, Identifier):
        assert once == normalise(once, POLICY)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("email:ann@example.com", ("email", "", "ann@example.com")),
        ("requester:desk:77", ("requester", "desk", "77")),
        ("cookie::a:b", ("cookie", "", "a:b")),
    ],
)
def test_an_identifier_as_text(text: str, parts: tuple[str, str, str]) -> None:
    assert Identifier(*parts) == parse_identifier(text)


def test_text_without_a_type_is_malformed() -> None:
    assert Unusable("", UnusableReason.MALFORMED) == parse_identifier("ann@example.com")


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        ("email", "ann@example.com", "a***@example.com"),
        ("phone", "+33123456789", "+33***89"),
        ("phone", "+331", "***"),
        ("customer_id", "C-10042", "C-***"),
        ("customer_id", "C-1", "***"),
    ],
)
def test_a_mask_shows_no_more_than_a_person_needs(kind: str, value: str, seen: str) -> None:
    assert seen == mask(Identifier(kind, "", value))


def test_a_site_may_give_a_type_another_class() -> None:
    site = IdentityPolicy(classes={"loyalty_id": IdClass.PRIMARY, "Mobile": IdClass.WEAK})
    assert IdClass.TOOL is POLICY.class_of("loyalty_id")
    assert IdClass.PRIMARY is site.class_of("loyalty_id")
    assert IdClass.WEAK is site.class_of("phone")


def test_tool_local_ids_belong_to_their_tool_and_refs_to_all_of_them() -> None:
    assert "desk" == POLICY.namespace("requester", "desk")
    assert "" == POLICY.namespace("order", "shop-a") == POLICY.namespace("cookie", "shop-a")
    site = IdentityPolicy(scopes=(Scope("order", None), Scope("order", "market", tool="shop-a")))
    assert "market" == site.namespace("order", "shop-a")
    assert "shop-b" == site.namespace("order", "shop-b")
