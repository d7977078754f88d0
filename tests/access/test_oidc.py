"""Signing in by a provider of identities, against a real one on loopback that is told to lie."""

import hmac
import ipaddress
import shutil
from hashlib import sha256
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from coordwatch.access.accounts import MINUTE, SESSION_COOKIE
from coordwatch.access.gate import Coming
from coordwatch.access.roles import Role
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.oidc.provider import OidcClient, OidcProvider
from coordwatch.adapters.pages.sign_in import KEEPSAKE_COOKIE
from coordwatch.adapters.posting import Poster
from tests.access.conftest import site_of
from tests.access.idp import CLIENT, SECRET, Key, packed, running_idp
from tests.access.people import a_house
from tests.api.build import ADDRESS
from tests.services.waiting import ANSWER

ROLES = {"cx-on-call": Role.OPERATOR, "cx-admins": Role.ADMIN, "cx-watch": Role.VIEWER}
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
OTHER = Key("other")


@pytest.fixture
def idp(house):
    with running_idp(house.now) as provider:
        yield provider


def client_of(house, idp, allowed=LOOPBACK, issuer=None, secret=SECRET):
    factors = frozenset({"otp", "mfa"})
    client = OidcClient(
        issuer or idp.address, CLIENT, f"{ADDRESS}/sign-in/callback", ROLES, secret, second_factor=factors
    )
    return OidcProvider(client, Poster(Egress(allowed), house.clock))


@pytest.fixture
def lived(house, idp, tmp_path):
    return site_of(house, tmp_path / "house.db", client_of(house, idp))


@pytest.fixture(scope="module")
def deceived(furnished, tmp_path_factory):
    """One site and one provider for all the lies that let nobody in, so that nothing is left of any of them."""
    folder = tmp_path_factory.mktemp("deceived")
    house = a_house(shutil.copy(furnished, folder / "house.db"), furnish=False)
    with running_idp(house.now) as provider:
        yield site_of(house, folder / "house.db", client_of(house, provider)), provider
    house.store.close()


def begun(lived, back="/rules"):
    """The browser clicks the way; what it keeps, and where it goes."""
    answer = lived.client.get("/sign-in/provider", params={"back": back})
    assert answer.status_code == 303, answer.text
    flags = answer.headers["set-cookie"].lower()
    assert all(flag in flags for flag in ("__host-", "secure", "httponly", "samesite=lax", "path=/"))
    return SimpleCookie(answer.headers["set-cookie"])[KEEPSAKE_COOKIE].value, answer.headers["location"]


def came_back(lived, keepsake, way):
    """The provider sends the browser back, which brings what it kept."""
    back = urlsplit(httpx.get(way, timeout=ANSWER).headers["location"])
    headers = {"Cookie": f"{KEEPSAKE_COOKIE}={keepsake}"} if keepsake else {}
    return lived.client.get(f"{back.path}?{back.query}", headers=headers)


def signed_in(lived):
    return came_back(lived, *begun(lived))


def session_in(answer):
    """The secret of the session that an answer opens, None when it opens none."""
    cookies = SimpleCookie()
    for one in answer.headers.get_list("set-cookie"):
        cookies.load(one)
    return cookies[SESSION_COOKIE].value if SESSION_COOKIE in cookies else None


def users(lived):
    return [
        (user.issuer, user.subject, user.name, user.role)
        for user in lived.house.store.accounts().users()
        if user.issuer
    ]


def test_a_person_comes_in_by_the_provider_with_the_role_of_their_group(lived, idp):
    answer = signed_in(lived)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules")
    assert users(lived) == [(idp.address, "person-1", "ada@ops.example", Role.OPERATOR)]
    cookie = session_in(answer)
    page = lived.client.get("/rules", headers={"Cookie": f"{SESSION_COOKIE}={cookie}"})
    assert "ada@ops.example" in page.text
    assert idp.asked.count("/keys") == 1
    assert signed_in(lived).status_code == 303
    assert idp.asked.count("/keys") == 1, "what it says of itself is kept for a while"


def test_the_question_is_new_each_time_and_asks_for_a_code_with_proof(lived):
    questions = [
        {name: values[0] for name, values in parse_qs(urlsplit(begun(lived)[1]).query).items()} for _ in range(2)
    ]
    assert questions[0]["response_type"] == "code"
    assert questions[0]["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert questions[0][name] != questions[1][name]
        assert len(questions[0][name]) >= 43


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["cx-admins", "cx-watch"]}, Role.ADMIN),
        ({"groups": "cx-watch"}, Role.VIEWER),
        ({"groups": ["strangers"]}, None),
        ({"groups": None}, None),
        ({"groups": {"cx-admins": True}}, None),
    ],
)
def test_groups_give_roles_and_no_group_gives_nothing(lived, idp, claims, role):
    idp.claims = claims
    answer = signed_in(lived)
    assert [user[3] for user in users(lived)] == ([] if role is None else [role])
    assert answer.status_code == (303 if role else 403)


@pytest.mark.parametrize("claims", [{"amr": ["pwd"]}, {"amr": None}, {"amr": "pwd", "acr": "0"}])
def test_an_administrator_without_a_second_factor_is_an_operator(lived, idp, claims):
    idp.claims = {"groups": ["cx-admins"], **claims}
    answer = signed_in(lived)
    secret = session_in(answer)
    assert lived.house.gate.by_session(secret, lived.house.now).role is Role.OPERATOR


def seconds(idp):
    return idp.now // 1_000_000


def hs256(idp, claims):
    head = f"{packed({'alg': 'HS256', 'kid': 'first', 'typ': 'JWT'})}.{packed(claims)}"
    public = packed({"keys": [idp.keys[0].public]}).encode()
    return f"{head}.{packed(hmac.digest(public, head.encode(), sha256))}"


def unsigned(header):
    return lambda idp, claims: f"{packed(header)}.{packed(claims)}."


def signed_by(key, **header):
    return lambda idp, claims: key.token({"alg": "RS256", "kid": "first", "typ": "JWT", **header}, claims)


def changed_afterwards(idp, claims):
    head, _, signature = idp.keys[0].token({"alg": "RS256", "kid": "first"}, claims).split(".")
    return f"{head}.{packed({**claims, 'groups': ['cx-admins']})}.{signature}"


FORGED = {
    "signed by nobody": unsigned({"alg": "none"}),
    "signed by Nobody": unsigned({"alg": "None", "kid": "first"}),
    "signed by somebody else": signed_by(OTHER),
    "signed by a key that it brings": signed_by(OTHER, jwk=OTHER.public),
    "signed by a key that it points to": signed_by(OTHER, jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/"),
    "signed by an unknown key": signed_by(OTHER, kid="unheard-of"),
    "signed with the public key as a secret": hs256,
    "changed after it was signed": changed_afterwards,
    "without a signature": lambda idp, claims: idp.keys[0].token({"alg": "RS256"}, claims).rpartition(".")[0] + ".",
    "an access token": lambda idp, claims: signed_by(idp.keys[0], typ="at+jwt")(idp, claims),
    "a logout token": lambda idp, claims: signed_by(idp.keys[0], typ="logout+jwt")(idp, claims),
    "with something that must be understood": lambda idp, claims: signed_by(idp.keys[0], crit=["x"], x=1)(idp, claims),
    "no token": lambda idp, claims: "nothing",
    "a number": lambda idp, claims: 7,
    "nothing at all": lambda idp, claims: None,
    "half a token": lambda idp, claims: "a.b",
    "five parts": lambda idp, claims: "a.b.c.d.e",
}  # fmt: skip
WRONG = {
    "of another issuer": lambda idp: {"iss": "https://login.example.com"},
    "of nearly this issuer": lambda idp: {"iss": idp.address + "/"},
    "of no issuer": lambda idp: {"iss": None},
    "for somebody else": lambda idp: {"aud": "another-client"},
    "for nobody": lambda idp: {"aud": None},
    "for several, asked for by another": lambda idp: {"aud": [CLIENT, "another-client"], "azp": "another-client"},
    "for several, asked for by nobody": lambda idp: {"aud": [CLIENT, "another-client"]},
    "asked for by another": lambda idp: {"azp": "another-client"},
    "of another sign-in": lambda idp: {"nonce": "another"},
    "of no sign-in": lambda idp: {"nonce": None},
    "over": lambda idp: {"exp": seconds(idp) - 61},
    "without an end": lambda idp: {"exp": None},
    "not yet good": lambda idp: {"nbf": seconds(idp) + 120},
    "of tomorrow": lambda idp: {"iat": seconds(idp) + 86400},
    "of yesterday": lambda idp: {"iat": seconds(idp) - 86400},
    "without a beginning": lambda idp: {"iat": None},
    "about nobody": lambda idp: {"sub": None},
    "about an empty name": lambda idp: {"sub": ""},
    "about a number": lambda idp: {"sub": 7},
    "about a name without end": lambda idp: {"sub": "x" * 300},
}  # fmt: skip


@pytest.mark.parametrize("name", [*FORGED, *WRONG])
def test_a_token_that_proves_nothing_lets_nobody_in(deceived, name):
    lived, idp = deceived
    idp.make = FORGED.get(name)
    idp.claims = WRONG[name](idp) if name in WRONG else {}
    answer = signed_in(lived)
    assert answer.status_code == 403
    assert session_in(answer) is None
    assert "This did not work." in answer.text
    assert [user for user in users(lived) if user[1] != "somebody true"] == []


def test_the_same_site_lets_in_whoever_tells_the_truth(deceived):
    lived, idp = deceived
    idp.make, idp.claims = None, {"sub": "somebody true"}
    assert session_in(signed_in(lived)) is not None
    lived.house.keeping.disable("ada@ops.example", lived.house.now, disabled=True)
    assert session_in(signed_in(lived)) is None


@pytest.mark.parametrize("claims", [{"exp": -30, "iat": -100}, {"nbf": 30}, {"iat": 30}])
def test_clocks_may_differ_by_a_minute(lived, idp, claims):
    idp.claims = {name: seconds(idp) + value for name, value in claims.items()}
    assert signed_in(lived).status_code == 303


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(lived):
    """Whoever makes a person's browser come back with somebody else's code would see what they do under that name."""
    keepsake, way = begun(lived)
    other, _ = begun(lived)
    for kept in ("", other, "x", packed([1, 2]), packed(["a", "b", "c", ""]), keepsake[:-9], "a" * 9000, "%C3%A9"):
        assert came_back(lived, kept, way).status_code == 403
    assert came_back(lived, keepsake, way).status_code == 303


@pytest.mark.parametrize("state", ["", "another"])
def test_an_answer_to_another_question_is_refused_before_its_code_is_used(lived, idp, state):
    keepsake, way = begun(lived)
    answer = {
        name: values[0]
        for name, values in parse_qs(urlsplit(httpx.get(way, timeout=ANSWER).headers["location"]).query).items()
    }
    answer["state"] = state
    found = lived.client.get("/sign-in/callback", params=answer, headers={"Cookie": f"{KEEPSAKE_COOKIE}={keepsake}"})
    assert found.status_code == 403
    assert "/token" not in idp.asked


def test_a_code_without_the_proof_of_who_asked_is_worth_nothing(lived, idp):
    keepsake, way = begun(lived)
    _, other_way = begun(lived)
    code = parse_qs(urlsplit(httpx.get(other_way, timeout=ANSWER).headers["location"]).query)["code"][0]
    state = parse_qs(urlsplit(way).query)["state"][0]
    answer = lived.client.get(
        "/sign-in/callback", params={"code": code, "state": state}, headers={"Cookie": f"{KEEPSAKE_COOKIE}={keepsake}"}
    )
    assert answer.status_code == 403, "another browser's code does not fit the verifier of this one"


@pytest.mark.parametrize("more", [{"iss": "https://evil.example"}, {"error": "access_denied"}, {"code": ""}])
def test_an_answer_of_another_provider_or_a_no_lets_nobody_in(lived, idp, more):
    keepsake, way = begun(lived)
    state = parse_qs(urlsplit(way).query)["state"][0]
    answer = lived.client.get(
        "/sign-in/callback",
        params={"state": state, "code": "x", **more},
        headers={"Cookie": f"{KEEPSAKE_COOKIE}={keepsake}"},
    )
    assert answer.status_code == 403
    assert "/token" not in idp.asked


def test_a_key_that_was_changed_is_asked_for_once_more(lived, idp):
    assert signed_in(lived).status_code == 303
    idp.keys.insert(0, OTHER)
    lived.house.later(31_000_000)
    idp.now = lived.house.now
    assert signed_in(lived).status_code == 303
    assert idp.asked.count("/keys") == 2
    idp.make = signed_by(OTHER, kid="made-up")
    for _ in range(5):
        lived.house.later(1_000_000)
        assert signed_in(lived).status_code == 403
    assert idp.asked.count("/keys") == 2, "tokens with made-up keys do not make us ask again and again"


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_provider_that_says_something_else_of_itself_is_not_used(lived, idp, document):
    idp.discovery = document
    answer = lived.client.get("/sign-in/provider")
    assert answer.status_code == 503
    assert "Sign in" in answer.text


def test_a_provider_that_does_not_answer_says_so_and_a_password_still_works(lived, idp):
    idp.status = 500
    answer = lived.client.get("/sign-in/provider")
    assert answer.status_code == 503
    assert 'name="password"' in answer.text


def test_the_provider_is_asked_behind_the_egress_guard(house, idp, tmp_path):
    """An address inside is asked only where the settings allow it, and a redirect is no way in."""
    strict = site_of(house, tmp_path / "house.db", client_of(house, idp, allowed=[]))
    assert strict.client.get("/sign-in/provider").status_code == 503
    assert idp.asked == []
    for hop in ("/.well-known", "/keys"):
        idp.hops = hop
        lived = site_of(house, tmp_path / "house.db", client_of(house, idp))
        answer = lived.client.get("/sign-in/provider")
        if answer.status_code == 303:
            answer = signed_in(lived)
        assert answer.status_code == 503
    idp.hops = ""
    idp.discovery = {"jwks_uri": "http://169.254.169.254/keys"}
    assert signed_in(site_of(house, tmp_path / "house.db", client_of(house, idp))).status_code == 503


def test_whoever_asks_for_the_provider_too_often_is_told_how_long_to_wait(lived):
    keepsake, way = begun(lived)
    answer = {
        name: values[0]
        for name, values in parse_qs(urlsplit(httpx.get(way, timeout=ANSWER).headers["location"]).query).items()
    }
    while not lived.house.gate.provider_wait(Coming("127.0.0.1"), lived.house.now):
        pass
    headers = {"Cookie": f"{KEEPSAKE_COOKIE}={keepsake}"}
    for path, more in (("/sign-in/provider", {}), ("/sign-in/callback", answer)):
        told = lived.client.get(path, params=more, headers=headers)
        assert (told.status_code, told.headers["retry-after"]) == (429, "60"), path
    lived.house.later(MINUTE)
    assert lived.client.get("/sign-in/callback", params=answer, headers=headers).status_code == 303


def test_the_secret_of_the_client_is_in_no_repr(house, idp):
    client = OidcClient(idp.address, CLIENT, "x", ROLES, SECRET)
    assert SECRET not in repr(client)
