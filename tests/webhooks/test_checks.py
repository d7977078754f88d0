"""Every vendor's signature over real HTTP: believed when it fits, and for no other body, secret or time."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.adapters.http_api.hooks.fetched import Fetched
from coordwatch.adapters.http_api.hooks.hook import Hook
from coordwatch.adapters.http_api.hooks.proofs import DoubtError, Sent
from coordwatch.adapters.http_api.hooks.recipes import RECIPES, BadSecretError
from coordwatch.adapters.http_api.hooks.schemes import CHECKS, check_named
from coordwatch.clock import SystemClock
from coordwatch.events.times import DAY, MINUTE, SECOND
from tests.build import NOW
from tests.webhooks import vendors
from tests.webhooks.serving import Place, a_hook, serving

SECRET, OLD = "a-secret-of-nobody-1", "a-secret-of-nobody-0"
SIGNERS = {
    "aftership": vendors.aftership,
    "basic": vendors.basic,
    "bearer": vendors.bearer,
    "customerio": vendors.customerio,
    "easypost": vendors.easypost,
    "header": vendors.header,
    "hmac-base64": vendors.hmac_base64,
    "hmac-hex": vendors.hmac_hex,
    "hubspot": vendors.hubspot,
    "intercom": vendors.intercom,
    "klaviyo": vendors.klaviyo,
    "meta": vendors.meta,
    "segment": vendors.segment,
    "shopify": vendors.shopify,
    "slack": vendors.slack,
    "standard": vendors.standard_webhooks,
    "stripe": vendors.stripe,
    "svix": vendors.svix,
    "zendesk": vendors.zendesk,
}
SIGN_TIME = ("customerio", "hubspot", "klaviyo", "slack", "standard", "stripe", "svix", "zendesk")
SIGN_BODY = tuple(sorted(SIGNERS.keys() - {"basic", "bearer", "header"}))


def secret_of(name: str, secret: str = SECRET) -> str:
    if name in ("svix", "standard"):
        return vendors.SVIX_SECRET if secret == SECRET else "whsec_" + vendors.b64(secret.encode())
    return f"tool:{secret}" if name == "basic" else secret


def hook_of(name: str) -> Hook:
    more = {"url": vendors.URL} if name == "hubspot" else {"header": "X-House-Token"} if name == "header" else {}
    check = "svix" if name == "standard" else name.partition("-")[0]
    if check == "hmac":
        more = {"header": "X-House-Signature"}
    return a_hook(name, [secret_of(name, OLD), secret_of(name)], check=check, **more)


def an_event(number: int) -> bytes:
    row = {
        "email": "mina@example.com",
        "timestamp": NOW // SECOND - 100_000 + number % 90_000,
        "event": "processed",
        "sg_event_id": f"ev-{number}",
    }
    return json.dumps([{**row, "sg_message_id": "m-1"}]).encode()


@pytest.fixture(scope="module")
def sendgrid(tmp_path_factory) -> vendors.SendGrid:
    return vendors.SendGrid(tmp_path_factory.mktemp("sendgrid"))


@pytest.fixture(scope="module")
def place(sendgrid):
    hooks = [hook_of(name) for name in SIGNERS]
    hooks.append(a_hook("sendgrid", [sendgrid.public_key]))
    hooks.append(a_hook("mailgun", [SECRET]))
    hooks.append(a_hook("mandrill", [SECRET], url=vendors.URL))
    with serving(*hooks) as one:
        yield one


def refused(answer, reason: str) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.json()["reason"] == reason, answer.text
    assert SECRET not in answer.text


def taken(answer) -> list[dict]:
    assert answer.status_code == 200, answer.text
    assert answer.json()["repeated"] is False
    return answer.json()["items"]


@pytest.mark.parametrize("name", SIGNERS)
def test_what_a_tool_signs_with_the_old_or_the_new_secret_is_taken(place: Place, name: str):
    for number, secret in enumerate((SECRET, OLD)):
        body = an_event(sum(map(ord, name)) * 10 + number)
        (item,) = taken(place.post(name, body, SIGNERS[name](body, secret_of(name, secret), place.seconds)))
        assert item["status"] == "applied"
        assert item["events"] == {"applied": 1}


@pytest.mark.parametrize("name", SIGNERS)
def test_another_secret_is_not_believed(place: Place, name: str):
    body = an_event(1)
    stranger = secret_of(name, "another-secret-00000")
    refused(place.post(name, body, SIGNERS[name](body, stranger, place.seconds)), "wrong_signature")


@pytest.mark.parametrize("name", SIGN_BODY)
def test_one_byte_more_is_another_body(place: Place, name: str):
    body = an_event(2)
    headers = SIGNERS[name](body, secret_of(name), place.seconds)
    refused(place.post(name, body + b" ", headers), "wrong_signature")


@pytest.mark.parametrize("name", SIGNERS)
def test_without_a_signature_nothing_is_read(place: Place, name: str):
    refused(place.post(name, b"\xff\xfe not even text", {}), "no_signature")


@pytest.mark.parametrize("name", SIGN_TIME)
def test_what_was_signed_too_long_ago_or_too_far_ahead_is_refused(place: Place, name: str):
    body = an_event(3)
    window = place.hooks[name].window // SECOND
    old = SIGNERS[name](body, secret_of(name), place.seconds - window - 1)
    refused(place.post(name, body, old), "stale")
    ahead = SIGNERS[name](body, secret_of(name), place.seconds + 301)
    refused(place.post(name, body, ahead), "from_the_future")


@pytest.mark.parametrize("name", [*SIGN_TIME, "sendgrid"])
def test_the_very_same_request_again_is_answered_and_not_taken_again(place: Place, sendgrid, name: str):
    body = an_event(4)
    sign = sendgrid if name == "sendgrid" else SIGNERS[name]
    headers = sign(body, secret_of(name), place.seconds - 7)
    taken(place.post(name, body, headers))
    before = place.api.store.tallies()["in"]
    again = place.post(name, body, headers)
    assert (again.status_code, again.json()) == (200, {"repeated": True, "items": []})
    assert place.api.store.tallies()["in"] == before


def test_sendgrid_signs_with_an_elliptic_curve(place: Place, sendgrid):
    body = an_event(5)
    headers = sendgrid(body, "", place.seconds)
    taken(place.post("sendgrid", body, headers))
    refused(place.post("sendgrid", body + b" ", headers), "wrong_signature")
    name = "X-Twilio-Email-Event-Webhook-Signature"
    refused(place.post("sendgrid", body, {**headers, name: vendors.b64(b"no signature")}), "wrong_signature")
    refused(place.post("sendgrid", body, {**headers, name: "%%%"}), "malformed")
    refused(place.post("sendgrid", body, sendgrid(body, "", place.seconds - DAY // SECOND - 1)), "stale")


def test_a_token_of_mailgun_serves_one_body_and_no_other(place: Place):
    first = vendors.mailgun_body({"event": "opened"}, SECRET, place.seconds)
    assert place.post("mailgun", first, {}).status_code == 200
    assert place.post("mailgun", first, {}).json() == {"repeated": True, "items": []}
    forged = vendors.mailgun_body({"event": "forged"}, SECRET, place.seconds)
    refused(place.post("mailgun", forged, {}), "replayed")
    other = vendors.mailgun_body({"event": "clicked"}, SECRET, place.seconds, "token-2")
    assert place.post("mailgun", other, {}).status_code == 200
    wrong = vendors.mailgun_body({"event": "clicked"}, "another", place.seconds, "token-3")
    refused(place.post("mailgun", wrong, {}), "wrong_signature")
    refused(place.post("mailgun", b'{"signature": "text"}', {}), "no_signature")
    refused(place.post("mailgun", b"[[[", {}), "malformed")


def test_mandrill_signs_its_address_and_its_form(place: Place):
    form = {"mandrill_events": '[{"event": "send", "ts": 1760000000}]', "extra": "ü&="}
    headers = vendors.mandrill(form, SECRET)
    kind = "application/x-www-form-urlencoded"
    answer = place.client.post("/v1/sources/mandrill", data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    kept = [letter.original.decode() for letter in place.api.store.dead_letters(99)]
    assert urlencode(form) in kept, "the bytes are kept as they came"
    changed = b"extra=%C3%BC%26%3D&mandrill_events=%5B%5D"
    refused(place.post("mandrill", changed, headers, kind), "wrong_signature")


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("stripe", {"Stripe-Signature": "v1=00"}),
        ("stripe", {"Stripe-Signature": "t=1,t=2,v1=00"}),
        ("stripe", {"Stripe-Signature": "t=1,v1=no hex"}),
        ("svix", {"svix-id": "a", "svix-timestamp": "1", "svix-signature": "v2,AAAA"}),
        ("svix", {"svix-id": "a", "svix-timestamp": "1", "svix-signature": "v1,%"}),
        ("slack", {"X-Slack-Signature": "v1=00", "X-Slack-Request-Timestamp": "1"}),
        ("intercom", {"X-Hub-Signature": "sha1=zz"}),
        ("basic", {"Authorization": "Basic %"}),
        ("basic", {"Authorization": "Bearer x"}),
    ],
)
def test_a_signature_that_is_none_is_malformed(place: Place, name: str, headers: dict[str, str]):
    refused(place.post(name, b"{}", headers), "malformed")


def test_a_signed_time_that_is_none_is_malformed(place: Place):
    body = b"{}"
    signed = vendors.keyed(SECRET.encode(), b"v0:soon:" + body).hexdigest()
    refused(
        place.post("slack", body, {"X-Slack-Signature": f"v0={signed}", "X-Slack-Request-Timestamp": "soon"}),
        "malformed",
    )


@pytest.mark.parametrize(
    ("name", "secret"), [("svix", "whsec_%"), ("sendgrid", "text"), ("basic", "no-colon-in-this-one")]
)
def test_a_secret_that_cannot_be_one_is_said_without_showing_it(name: str, secret: str):
    with pytest.raises(BadSecretError) as found:
        check_named(name, [secret])
    assert secret not in str(found.value)


def test_what_is_remembered_is_forgotten_when_its_time_is_out():
    with serving(a_hook("slack", [SECRET])) as own:
        for number in range(5):
            body = an_event(number)
            taken(own.post("slack", body, vendors.slack(body, SECRET, own.seconds)))
        memory = own.hooks["slack"].memory
        assert len(memory) == 5
        for _ in range(5):
            own.api.clock.move_to(own.api.clock.now() + 6 * MINUTE)
            taken(own.post("slack", body, vendors.slack(body, SECRET, own.seconds)))
        assert len(memory) <= 2


NO_KEYS = Fetched(lambda url: pytest.fail(f"{url} is asked for"), SystemClock())
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *(f"{prefix}-{name}" for prefix in ("svix", "webhook") for name in ("id", "timestamp", "signature")),
            *(recipe.header.lower() for recipe in RECIPES.values()),
            *(recipe.timestamp.lower() for recipe in RECIPES.values() if recipe.timestamp),
            "authorization", "content-type", "stripe-signature", "x-house-token", "x-mandrill-signature",
            "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp",
        ]
    ),
    st.sampled_from(["sha1=00", "v0=00", "t=1,v1=00", "v1,AAAA", "AAAA", "1760000000", "9" * 40, "Basic AAAA", "application/x-www-form-urlencoded"])
    | st.text(st.characters(max_codepoint=255), max_size=20),
    max_size=8,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    HEADERS,
    st.binary(max_size=60)
    | st.sampled_from([b'{"signature": {"timestamp": 1, "token": [], "signature": "\\ud800"}}', b"a=%ff&b"]),
)
def test_whatever_a_stranger_sends_is_refused_with_a_reason_and_breaks_nothing(sendgrid, headers, body):
    for name in CHECKS:
        secret = sendgrid.public_key if name == "sendgrid" else secret_of(name)
        secret = "arn:aws:sns:eu-west-1:123456789012:mail" if name == "sns" else secret
        check = check_named(name, [secret], vendors.URL, "X-House-Token", NO_KEYS)
        with pytest.raises(DoubtError):
            check(Sent(headers, body))
