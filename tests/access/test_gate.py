"""Signing in, sessions and tokens, over the databases that keep them."""

import sqlite3
import threading
from dataclasses import replace

import pytest

from coordwatch.access.accounts import HOUR, KNOWN_FOR, MINUTE, digest_of
from coordwatch.access.gate import PROVIDER_A_PEER, TRIES_A_NAME, TRIES_A_PEER, Coming, Identity, NotIn, SignedIn, Why
from coordwatch.access.roles import ROLES, Permission, Role
from coordwatch.adapters.passwords import Argon2Passwords
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.errors import PermanentError
from tests.access.people import PASSWORD, PASSWORDS, a_house

ISSUER = "https://login.example.com"
NOWHERE = Coming("")


def signed_in(house, name="operator", before=""):
    found = house.gate.sign_in(name, PASSWORD, Coming("127.0.0.1", before=before), house.now)
    assert isinstance(found, SignedIn)
    return found.secret


def test_every_database_keeps_accounts_sessions_and_tokens(place):
    """The whole life of an account, a session and a token, on SQLite and on PostgreSQL."""
    house = a_house(place)
    secret = signed_in(house)
    assert house.gate.by_session(secret, house.now).permissions == ROLES[Role.OPERATOR]
    house.keeping.change_role("operator", Role.VIEWER, house.now)
    assert house.gate.by_session(secret, house.now).role is Role.VIEWER
    token, shown = house.keeping.make_token("metrics", frozenset({Permission.METRICS}), HOUR, house.now)
    assert house.gate.by_token(shown, house.now).permissions == {Permission.METRICS}
    assert [one.id for one in house.store.accounts().tokens()] == [token.id]
    house.keeping.revoke(token.id, house.now)
    assert house.gate.by_token(shown, house.now) is None
    limits = {"a": 2, "b": 3}
    assert [house.store.accounts().take_tries(limits, house.now, MINUTE) for _ in range(3)] == [0, 0, MINUTE]
    assert house.store.accounts().take_tries(limits, house.later(MINUTE), MINUTE) == 0
    assert house.keeping.disable("operator", house.now, disabled=True) == 1
    assert house.gate.by_session(secret, house.now) is None
    assert isinstance(house.gate.sign_in("operator", PASSWORD, NOWHERE, house.now), NotIn)
    house.keeping.disable("operator", house.now, disabled=False)
    signed_in(house)
    house.store.close()


def test_a_session_ends_after_half_an_hour_without_a_click_and_after_half_a_day(house):
    secret = signed_in(house)
    house.later(30 * MINUTE)
    assert house.gate.by_session(secret, house.now) is None
    secret = signed_in(house)
    for _ in range(35):
        house.later(20 * MINUTE)
        assert house.gate.by_session(secret, house.now) is not None
    house.later(20 * MINUTE)
    assert house.gate.by_session(secret, house.now) is None, "twelve hours have passed"
    house.later(-0)
    assert house.gate.by_session(secret, house.now) is None, "what has ended does not come back"


def test_signing_in_makes_a_new_session_and_ends_the_one_before(house):
    first = signed_in(house)
    second = signed_in(house, before=first)
    assert second != first
    assert house.gate.by_session(first, house.now) is None
    assert house.gate.by_session(second, house.now) is not None


def test_signing_out_ends_the_session_for_whoever_has_kept_the_cookie(house):
    secret = signed_in(house)
    house.gate.sign_out(secret, house.now)
    assert house.gate.by_session(secret, house.now) is None


def test_a_changed_password_ends_every_session(house):
    secrets = [signed_in(house) for _ in range(3)]
    assert house.keeping.passwd("operator", "another-good-one-indeed-9", house.now) == 3
    assert [house.gate.by_session(one, house.now) for one in secrets] == [None] * 3
    assert isinstance(house.gate.sign_in("operator", PASSWORD, NOWHERE, house.now), NotIn)


def test_an_administrator_ends_the_sessions_of_somebody_else(house):
    secret, mine = signed_in(house), signed_in(house, "admin")
    assert house.keeping.end_sessions("operator", house.now) == 1
    assert house.gate.by_session(secret, house.now) is None
    assert house.gate.by_session(mine, house.now) is not None


@pytest.mark.parametrize("name", ["nobody-here", "operator", "disabled-one", "", "x" * 5000, "ada\x00", "by-provider"])
def test_what_is_said_does_not_tell_who_has_an_account(house, name):
    house.keeping.add("disabled-one", Role.VIEWER, PASSWORD, house.now)
    house.keeping.disable("disabled-one", house.now, disabled=True)
    checked = []
    kept = house.gate.passwords
    watching = type(
        "Watching", (), {"verify": lambda _, stored, given: checked.append(given) or kept.verify(stored, given)}
    )()
    object.__setattr__(house.gate, "passwords", watching)
    found = house.gate.sign_in(name, "a-wrong-password-here", Coming("127.0.0.1"), house.now)
    assert found == NotIn("This name and this password do not belong together here.")
    assert len(checked) == 1, "a hash is computed whoever asks, so that the time does not tell either"


def test_a_thousand_guesses_are_ten_a_minute_and_nobody_is_locked_out_for_longer(house):
    found = [house.gate.sign_in("operator", f"guess {n}", Coming(f"10.0.0.{n % 200}"), house.now) for n in range(1000)]
    assert sum(not one.wait for one in found) == TRIES_A_NAME
    assert {one.wait for one in found if one.wait} == {MINUTE}
    house.later(MINUTE)
    signed_in(house)


def test_one_address_cannot_try_many_names(house):
    found = [house.gate.sign_in(f"name-{n}", "guess", Coming("10.0.0.1"), house.now) for n in range(200)]
    assert sum(not one.wait for one in found) == TRIES_A_PEER


def test_whoever_was_let_in_here_before_is_not_shut_out_by_strangers_who_guess(house):
    """By the browser, wherever it is by now; by the address, whatever the browser kept; and both have a pace themselves."""

    def strangers(peer):
        return [house.gate.sign_in("operator", "a guess", Coming(peer), house.now).wait for _ in range(70)]

    def mine(coming, password=PASSWORD):
        return house.gate.sign_in("operator", password, coming, house.now)

    device = mine(Coming("10.1.0.1")).device
    assert device
    assert all(strangers(f"10.9.0.{n}")[-1] for n in range(3))
    assert isinstance(mine(Coming("10.9.0.1")), NotIn), "a stranger's place is shut, whatever the password"
    assert isinstance(mine(Coming("10.1.0.1")), SignedIn)
    elsewhere = mine(Coming("10.9.0.1", device))
    assert (type(elsewhere), elsewhere.device) == (SignedIn, device), "what it is known by stays the same"
    assert isinstance(house.gate.sign_in("viewer", "a guess", Coming("10.9.0.1", device), house.now), NotIn)
    house.later(MINUTE)
    found = [mine(Coming("10.1.0.1", device), f"guess {n}").wait for n in range(30)]
    assert sum(not one for one in found) == TRIES_A_NAME
    assert isinstance(mine(Coming("10.1.0.2", "a device that was made up")), SignedIn), "strangers have their own"


def test_what_a_browser_is_known_by_is_of_no_use_for_another_account_nor_after_another_password(house):
    coming = Coming("10.1.0.1")
    device = house.gate.sign_in("operator", PASSWORD, coming, house.now).device
    for name in ("operator", "viewer"):
        for _ in range(30):
            house.gate.sign_in(name, "a guess", Coming("10.9.0.1"), house.now)
    assert isinstance(house.gate.sign_in("viewer", PASSWORD, Coming("10.8.0.1", device), house.now), NotIn)
    house.keeping.passwd("operator", "another-good-one-indeed-9", house.now)
    assert house.gate.sign_in("operator", PASSWORD, Coming("10.8.0.1", device), house.now).wait
    house.later(KNOWN_FOR)
    known = house.store.accounts().known_places(house.keeping.named("operator").id, [digest_of("x")], house.now)
    assert known == frozenset()


def test_a_sign_in_by_a_provider_has_a_pace_of_its_own(house):
    taken = [house.gate.provider_wait(Coming("10.0.0.1"), house.now) for _ in range(PROVIDER_A_PEER + 3)]
    assert [one > 0 for one in taken] == [False] * PROVIDER_A_PEER + [True] * 3
    assert house.gate.provider_wait(Coming("10.0.0.2"), house.now) == 0


def test_of_two_administrators_at_one_instant_one_wins_and_the_other_is_told(house):
    keeping, seen = house.keeping, house.keeping.named("operator")
    deeds = len(house.deeds())
    raced = Meanwhile(house.gate.store, "users", lambda: keeping.disable("operator", house.now, disabled=True))
    with pytest.raises(PermanentError, match="somebody else changed 'operator'"):
        replace(keeping, store=raced).change_role("operator", Role.ADMIN, house.now)
    after = keeping.named("operator")
    assert (after.disabled, after.role, after.version) == (True, Role.OPERATOR, seen.version + 1)
    assert len(house.deeds()) == deeds + 1, "what was not done is not written down"
    with pytest.raises(PermanentError, match="has version 2 by now, not 1"):
        keeping.disable("operator", house.now, disabled=False, seen=seen.version)
    assert keeping.change_role("operator", Role.VIEWER, house.now, seen=after.version).role is Role.VIEWER


def test_a_token_that_two_end_at_once_ended_when_the_first_said_so(house):
    token, _ = house.keeping.make_token("sensor", frozenset({Permission.READ}), HOUR, house.now)
    raced = Meanwhile(house.gate.store, "tokens", lambda: house.keeping.revoke(token.id, house.now))
    replace(house.keeping, store=raced).revoke(token.id, house.now + 5)
    assert house.store.accounts().tokens()[0].revoked_at == house.now


def test_guesses_at_the_same_moment_are_counted_too(house):
    outcomes = []

    def guess():
        outcomes.append(house.gate.sign_in("operator", "a guess", Coming("127.0.0.1"), house.now))

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(not one.wait for one in outcomes) == TRIES_A_NAME


def test_who_somebody_is_says_the_provider_with_its_own_name_for_them_and_never_a_mail_address(house):
    def come(issuer, subject, role=Role.OPERATOR):
        return house.gate.sign_in_by(Identity(issuer, subject, "ada@ops.example", role), house.now)

    one, other = come(ISSUER, "1"), come("https://other.example.org", "1", Role.VIEWER)
    again = come(ISSUER, "1", Role.VIEWER)
    assert len([user for user in house.store.accounts().users() if user.name == "ada@ops.example"]) == 2
    assert one.who.role is Role.OPERATOR
    assert (other.who.role, again.who.role) == (Role.VIEWER, Role.VIEWER), "the groups of today count"
    assert isinstance(come(ISSUER, "2", None), NotIn), "without a group that is known here nobody comes in"
    with pytest.raises(PermanentError, match="several providers"):
        house.keeping.named("ada@ops.example")


@pytest.mark.parametrize(("strong", "role"), [(True, Role.ADMIN), (False, Role.OPERATOR)])
def test_without_a_second_factor_nobody_is_an_administrator_by_a_provider(house, strong, role):
    found = house.gate.sign_in_by(Identity(ISSUER, "1", "ada", Role.ADMIN, strong=strong), house.now)
    assert found.who.role is role
    assert house.gate.by_session(found.secret, house.now).role is role


def test_an_account_that_was_shut_out_does_not_come_in_by_the_provider_either(house):
    secret = house.gate.sign_in_by(Identity(ISSUER, "1", "ada", Role.VIEWER), house.now).secret
    house.keeping.disable("ada", house.now, disabled=True)
    assert house.gate.by_session(secret, house.now) is None
    assert isinstance(house.gate.sign_in_by(Identity(ISSUER, "1", "ada", Role.VIEWER), house.now), NotIn)


def test_a_session_that_was_opened_while_somebody_was_shut_out_opens_nothing(house):
    secret = signed_in(house)
    accounts, user = house.store.accounts(), house.keeping.named("operator")
    deed = Deed(house.now, "ada", DeedKind.ACCOUNT_CHANGE, "operator")
    assert accounts.change_user(replace(user, disabled=True), deed)
    assert house.gate.by_session(secret, house.now) is None


def test_a_token_ends_when_it_was_said_to(house):
    _, secret = house.keeping.make_token("sensor", frozenset({Permission.INGEST}), HOUR, house.now)
    assert house.gate.by_token(secret, house.now) is not None
    assert house.gate.by_token(secret + "x", house.now) is None
    house.later(HOUR)
    assert house.gate.by_token(secret, house.now) is None


@pytest.mark.parametrize(
    ("name", "scopes", "lasts"),
    [("", {Permission.READ}, HOUR), ("x\n", {Permission.READ}, HOUR), ("x", set(), HOUR), ("x", {Permission.READ}, 0),
     ("x", {Permission.READ}, 400 * 24 * HOUR)],
)  # fmt: skip
def test_a_token_without_a_name_a_scope_or_an_end_is_not_made(house, name, scopes, lasts):
    with pytest.raises(PermanentError):
        house.keeping.make_token(name, frozenset(scopes), lasts, house.now)


def test_one_token_asks_only_so_often(house):
    _, secret = house.keeping.make_token("busy", frozenset({Permission.READ}), HOUR, house.now)
    who = house.door.by_token(secret)
    assert [house.door.pace(who) > 0 for _ in range(7)] == [False] * 5 + [True] * 2
    house.later(MINUTE)
    assert house.door.pace(who) == 0


def test_no_secret_stands_in_the_database(house, tmp_path):
    secret = signed_in(house)
    _, token = house.keeping.make_token("sensor", frozenset({Permission.INGEST}), HOUR, house.now)
    house.store.close()
    with sqlite3.connect(tmp_path / "house.db") as raw:
        dump = "\n".join(raw.iterdump())
    raw.close()
    everything = dump + "".join(path.read_bytes().decode("latin-1") for path in tmp_path.iterdir())
    for one in (secret, token, token.removeprefix("cwt_"), PASSWORD):
        assert one not in everything
    assert digest_of(secret) in dump
    assert "$argon2id$" in dump


@pytest.mark.parametrize("role", list(Role))
def test_only_the_role_for_it_sees_personal_data_and_each_time_is_written_down(house, role):
    secret = signed_in(house, role.value)
    before = len(house.deeds())
    assert house.gate.unmask(secret, Why.REPAIR, house.now) is (role is Role.PRIVACY)
    shown = house.gate.by_session(secret, house.now).unmasked
    assert shown is (role is Role.PRIVACY)
    assert house.deeds()[before:] == ([("privacy", "person.unmask", "session")] if shown else [])
    house.later(15 * MINUTE)
    assert house.gate.by_session(secret, house.now).unmasked is False


def test_what_was_shown_is_hidden_again_when_the_role_is_taken_or_the_person_says_so(house):
    secret = signed_in(house, "privacy")
    house.gate.unmask(secret, Why.LAW, house.now)
    house.gate.mask(secret, house.now)
    assert not house.gate.by_session(secret, house.now).unmasked
    house.gate.unmask(secret, Why.LAW, house.now)
    house.keeping.change_role("privacy", Role.ADMIN, house.now)
    assert not house.gate.by_session(secret, house.now).unmasked


def test_a_program_sees_personal_data_only_with_the_scope_and_each_time_is_written_down(house):
    for scopes, shown in (({Permission.READ, Permission.UNMASK}, True), ({Permission.READ}, False)):
        _, secret = house.keeping.make_token("exporter", frozenset(scopes), HOUR, house.now)
        who = house.gate.by_token(secret, house.now)
        assert not who.unmasked
        before = len(house.deeds())
        assert house.gate.unmasked_by(who, Why.ASKED, "/v1/dead-letters", house.now).unmasked is shown
        assert len(house.deeds()) - before == shown


def test_everything_about_accounts_is_written_down(house):
    secret = signed_in(house)
    house.gate.sign_in("operator", "wrong", NOWHERE, house.now)
    house.gate.sign_in("a-password-in-the-wrong-field", "wrong", NOWHERE, house.now)
    house.gate.sign_out(secret, house.now)
    token, _ = house.keeping.make_token("sensor", frozenset({Permission.INGEST}), HOUR, house.now)
    house.keeping.revoke(token.id, house.now)
    house.keeping.change_role("viewer", Role.OPERATOR, house.now)
    deeds = house.deeds()
    me = "root (command line)"
    assert deeds[:4] == [(me, "account.make", role.value) for role in Role]
    assert deeds[4:] == [
        ("operator", "session.begin", "operator"),
        ("", "session.refuse", "operator"),
        ("", "session.refuse", "unknown name"),
        ("operator", "session.end", "operator"),
        (me, "token.make", f"sensor ({token.id})"),
        (me, "token.revoke", f"sensor ({token.id})"),
        (me, "account.change", "viewer"),
    ]


@pytest.mark.parametrize(
    "password",
    ["", "short", "x" * 14, "x" * 1025, "passwordpassword", "aaaaaaaaaaaaaaaa", "qwertyuiopasdfghjkl", "1234567890123456",
     "coordwatchcoordwatch", "ada-ada-ada-ada-ada", "polniypizdec0211", "vQ9zrT7#kLm2px"],
)  # fmt: skip
def test_a_password_that_would_soon_be_guessed_is_refused(house, password):
    with pytest.raises(PermanentError, match="password"):
        house.keeping.add("ada", Role.VIEWER, password, house.now)


@pytest.mark.parametrize(
    "password", ["nine words and no digit in any of them", "a-café-in-Łódź-at-noon", "k" * 3 + "vQ9 zr" * 12]
)
def test_a_long_password_of_any_characters_is_good_and_whole(house, password):
    house.keeping.add("ada", Role.VIEWER, password, house.now)
    assert isinstance(house.gate.sign_in("Ada", password, NOWHERE, house.now), SignedIn)
    assert isinstance(house.gate.sign_in("ada", password[:-1], NOWHERE, house.now), NotIn), (
        "not one character is cut off"
    )


def test_a_hash_of_less_effort_is_made_anew_when_somebody_signs_in(house):
    object.__setattr__(house.gate, "passwords", Argon2Passwords())
    signed_in(house)
    kept = next(user.password for user in house.store.accounts().users() if user.name == "operator")
    assert "m=65536,t=3,p=4" in kept
    assert PASSWORDS.verify(kept, PASSWORD)


@pytest.mark.parametrize("name", ["", "Ada Lovelace", "a/b", "-x", "x" * 65, "ada\n", "admin"])
def test_a_name_that_cannot_be_one_or_is_taken_is_refused(house, name):
    with pytest.raises(PermanentError):
        house.keeping.add(name, Role.VIEWER, PASSWORD, house.now)


class Meanwhile:
    """Something that does as another does, and lets an administrator do something just before one of its answers."""

    def __init__(self, real, name, deed):
        self._real, self._name, self._deed = real, name, deed

    def __getattr__(self, name):
        found = getattr(self._real, name)
        if name != self._name:
            return found

        def answer(*given):
            said = found(*given)
            self._deed()
            return said

        return answer


def test_a_token_that_is_revoked_while_it_is_used_stays_revoked(house):
    token, secret = house.keeping.make_token("sensor", frozenset({Permission.READ}), HOUR, house.now)
    raced = Meanwhile(house.gate.store, "token", lambda: house.keeping.revoke(token.id, house.now))
    replace(house.gate, store=raced).by_token(secret, house.now)
    assert house.gate.by_token(secret, house.now) is None
    assert house.store.accounts().tokens()[0].used_at == house.now


@pytest.mark.parametrize("deed", ["shut out", "another password"])
def test_who_is_shut_out_while_the_password_is_checked_does_not_come_in(house, deed):
    keeping, good = house.keeping, "another-good-one-indeed-9"
    deeds = {
        "shut out": lambda: keeping.disable("operator", house.now, disabled=True),
        "another password": lambda: keeping.passwd("operator", good, house.now),
    }
    raced = Meanwhile(house.gate.passwords, "verify", deeds[deed])
    found = replace(house.gate, passwords=raced).sign_in("operator", PASSWORD, NOWHERE, house.now)
    assert found == NotIn("This name and this password do not belong together here.")
    assert house.deeds()[-1] == ("", "session.refuse", "operator")
    user = keeping.named("operator")
    assert user.disabled is (deed == "shut out")
    assert PASSWORDS.verify(user.password, good) is (deed == "another password")
    assert user.signed_in_at is None


def test_a_role_that_is_changed_while_somebody_signs_in_holds(house):
    raced = Meanwhile(
        house.gate.passwords, "verify", lambda: house.keeping.change_role("operator", Role.VIEWER, house.now)
    )
    secret = replace(house.gate, passwords=raced).sign_in("operator", PASSWORD, NOWHERE, house.now).secret
    assert house.gate.by_session(secret, house.now).role is Role.VIEWER


def test_who_is_shut_out_while_the_provider_is_asked_does_not_come_in(house):
    ada = Identity(ISSUER, "1", "ada", Role.VIEWER)
    house.gate.sign_in_by(ada, house.now)
    raced = Meanwhile(house.gate.store, "user", lambda: house.keeping.disable("ada", house.now, disabled=True))
    assert isinstance(replace(house.gate, store=raced).sign_in_by(ada, house.now), NotIn)
    assert house.keeping.named("ada").disabled


def test_what_is_hidden_again_while_a_page_is_read_stays_hidden(house):
    secret = signed_in(house, "privacy")
    house.gate.unmask(secret, Why.LAW, house.now)
    house.later(2 * MINUTE)
    raced = Meanwhile(house.gate.store, "session", lambda: house.gate.mask(secret, house.now))
    replace(house.gate, store=raced).by_session(secret, house.now)
    assert not house.gate.by_session(secret, house.now).unmasked
