"""Tools that sign with a key whose public half they show: Amazon SNS and ShipStation. The keys are made here."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from coordwatch.adapters.egress import ForbiddenError
from coordwatch.adapters.http_api.hooks.fetched import PAUSE, REMEMBERED_MAX, Fetched
from coordwatch.adapters.http_api.hooks.recipes import BadSecretError
from coordwatch.adapters.http_api.hooks.rsa import SHIPSTATION_KEYS
from coordwatch.adapters.http_api.hooks.schemes import check_named
from coordwatch.adapters.posting import Reply
from coordwatch.clock import ManualClock
from coordwatch.errors import TemporaryError
from coordwatch.events.times import DAY, SECOND
from tests.build import NOW
from tests.webhooks.serving import Place, a_hook, serving
from tests.webhooks.test_checks import refused, taken

TOPIC, OTHER = "arn:aws:sns:eu-west-1:123456789012:mail", "arn:aws:sns:eu-west-1:999999999999:mail"
PEM = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SIGNED = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
}


class World:
    """Two keys, what stands at each address, and who asked for what."""

    def __init__(self) -> None:
        self.key, self.strange = generate_private_key(65537, 2048), generate_private_key(65537, 2048)
        self.clock, self.asked = ManualClock(NOW), list[str]()
        self.at: dict[str, bytes] = {PEM: certificate(self.key, days=30), SHIPSTATION_KEYS: jwks(old=self.strange)}
        self.keys = Fetched(self.get, self.clock)

    def get(self, url: str) -> Reply:
        self.asked.append(url)
        if "inside" in url:
            raise ForbiddenError("10.0.0.1 is not public")
        return Reply(200 if url in self.at else 404, self.at.get(url, b"<html>"))


def certificate(key: RSAPrivateKey, days: int) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.example.com")])
    now = datetime.fromtimestamp(NOW / SECOND, UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days), now + timedelta(days))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def jwks(**keys: RSAPrivateKey) -> bytes:
    def text(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes(-(-number.bit_length() // 8), "big")).rstrip(b"=").decode()

    numbers = {kid: key.public_key().public_numbers() for kid, key in keys.items()}
    shown = [{"kty": "RSA", "kid": kid, "n": text(one.n), "e": text(one.e)} for kid, one in numbers.items()]
    return json.dumps({"keys": [{"kty": "EC", "kid": "new"}, *shown]}).encode()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def time_of(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def of_sns(key: RSAPrivateKey, version: str = "2", **more: Any) -> bytes:
    """A message as SNS posts it: mail that was sent, unless told otherwise."""
    mail = [
        {
            "email": "mina@example.com",
            "timestamp": NOW // SECOND - 60,
            "event": "processed",
            "sg_event_id": "e-1",
            "sg_message_id": "m-1",
        }
    ]
    message = {"Type": "Notification", "MessageId": "n-1", "TopicArn": TOPIC, "Message": json.dumps(mail),
               "Timestamp": time_of(NOW), "SignatureVersion": version, "SigningCertURL": PEM, **more}  # fmt: skip
    names = [one for one in SIGNED[str(message["Type"])] if one in message]
    text = "".join(f"{name}\n{message[name]}\n" for name in names).encode()
    signed = key.sign(text, PKCS1v15(), SHA1() if version == "1" else SHA256())
    return json.dumps({**message, "Signature": b64(signed)}).encode()


def of_shipstation(key: RSAPrivateKey, body: bytes, at: int = NOW, kid: str = "old") -> dict[str, str]:
    time = time_of(at)
    return {
        "X-ShipEngine-RSA-SHA256-Key-ID": kid,
        "X-ShipEngine-RSA-SHA256-Signature": b64(key.sign(f"{time}.".encode() + body, PKCS1v15(), SHA256())),
        "X-ShipEngine-Timestamp": time,
    }


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def place(world: World):
    hooks = [
        a_hook("sns", [OTHER.replace("mail", "old"), TOPIC], source="sendgrid", keys=world.keys),
        a_hook("shipstation", [], source="shipstation", keys=world.keys),
    ]
    with serving(*hooks) as one:
        yield one


@pytest.mark.parametrize(("version", "more"), [("1", {"Subject": "news"}), ("2", {}), ("2", {"Subject": "ü\n"})])
def test_what_sns_signed_for_this_topic_is_taken_once(world: World, place: Place, version: str, more: dict):
    body = of_sns(world.key, version, MessageId=f"n-{version}{len(more)}{more}", **more)
    taken(place.post("sns", body, {}))
    assert place.post("sns", body, {}).json() == {"repeated": True, "items": []}
    assert world.asked.count(PEM) == 1, "a certificate is fetched once"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Message": "another"}, "wrong_signature"),
        ({"Subject": "none was signed"}, "wrong_signature"),
        ({"SignatureVersion": "1"}, "wrong_signature"),
        ({"TopicArn": OTHER}, "wrong_signature"),
        ({"SignatureVersion": "3"}, "malformed"),
        ({"Type": "Other"}, "malformed"),
        ({"Message": 7}, "malformed"),
        ({"Signature": "%"}, "malformed"),
        ({"Timestamp": "soon"}, "malformed"),
    ],
)
def test_what_was_changed_is_not_believed(world: World, place: Place, change: dict, reason: str):
    refused(place.post("sns", json.dumps({**json.loads(of_sns(world.key)), **change}).encode(), {}), reason)


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com.example.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com@example.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.s3-eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/other/../SimpleNotificationService-0123456789abcdef.pem",
        f"{PEM}?x=1",
        f"{PEM}\n",
    ],
)
def test_no_key_is_fetched_from_anywhere_else(world: World, place: Place, address: str):
    world.at[address] = certificate(world.strange, days=30)
    before = list(world.asked)
    refused(place.post("sns", of_sns(world.strange, SigningCertURL=address), {}), "malformed")
    refused(place.post("sns", of_sns(world.strange, TopicArn=OTHER), {}), "wrong_signature")
    assert world.asked == before, "a stranger makes us ask for nothing"


def test_a_stranger_an_old_message_and_raw_delivery_are_refused(world: World, place: Place):
    refused(place.post("sns", of_sns(world.strange), {}), "wrong_signature")
    refused(place.post("sns", of_sns(world.key, Timestamp=time_of(NOW - DAY - SECOND)), {}), "stale")
    refused(place.post("sns", b'{"email": "mina@example.com"}', {}), "no_signature")
    refused(place.post("sns", b"\xff", {}), "no_signature")
    short = PEM.replace("0123", "aaaa")
    world.at[short] = certificate(world.key, days=1)
    late = of_sns(world.key, SigningCertURL=short, Timestamp=time_of(NOW - 25 * 3600 * SECOND))
    refused(place.post("sns", late, {}), "wrong_signature")


def test_only_a_subscription_that_sns_signed_is_said_and_none_is_confirmed(world: World, place: Place, caplog):
    address = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=t-1"
    asks = {"Type": "SubscriptionConfirmation", "Token": "t-1", "SubscribeURL": address}
    with caplog.at_level(logging.WARNING):
        assert place.post("sns", of_sns(world.key, **asks), {}).status_code == 200
        assert f"open {address}" in caplog.text
        caplog.clear()
        refused(place.post("sns", of_sns(world.strange, **asks), {}), "wrong_signature")
    assert address not in caplog.text
    assert address not in world.asked


def test_what_shipstation_signed_is_taken_and_a_new_key_is_asked_for(world: World, place: Place):
    track = {"resource_type": "API_TRACK", "data": {"tracking_number": "1ZX-1", "status_code": "IT", "events": []}}
    body = json.dumps(track).encode()
    headers = of_shipstation(world.strange, body)
    taken(place.post("shipstation", body, headers))
    assert place.post("shipstation", body, headers).json()["repeated"] is True
    refused(place.post("shipstation", body + b" ", headers), "wrong_signature")
    refused(place.post("shipstation", body, of_shipstation(world.key, body)), "wrong_signature")
    refused(place.post("shipstation", body, {**headers, "X-ShipEngine-RSA-SHA256-Signature": "%"}), "malformed")
    refused(place.post("shipstation", body, of_shipstation(world.strange, body, NOW - DAY - SECOND)), "stale")
    refused(place.post("shipstation", body, {}), "no_signature")

    later = of_shipstation(world.key, body + b"\n", kid="next")
    refused(place.post("shipstation", body + b"\n", later), "wrong_signature")
    world.at[SHIPSTATION_KEYS] = jwks(old=world.strange, next=world.key)
    asked = len(world.asked)
    refused(place.post("shipstation", body + b"\n", later), "wrong_signature")
    assert len(world.asked) == asked, "asked a moment ago"
    world.clock.move_to(world.clock.now() + 31 * SECOND)
    assert place.post("shipstation", body + b"\n", later).status_code == 200


def test_while_keys_cannot_be_had_the_tool_comes_again():
    own = World()
    with serving(a_hook("sns", [TOPIC], source="sendgrid", keys=own.keys)) as one:
        good, gone = own.at.pop(PEM), of_sns(own.key)
        assert one.post("sns", gone, {}).status_code == 503
        assert one.post("sns", gone, {}).status_code == 503
        assert own.asked == [PEM], "nobody is asked all the time"
        own.at[PEM] = b"no certificate"
        own.clock.move_to(own.clock.now() + PAUSE)
        assert one.post("sns", gone, {}).status_code == 503
        own.at[PEM] = good
        own.clock.move_to(own.clock.now() + DAY)
        taken(one.post("sns", gone, {}))


def test_keys_that_were_fetched_are_few_and_addresses_inside_are_not_asked():
    own = World()
    for number in range(REMEMBERED_MAX + 3):
        own.at[f"k{number}"] = b"key"
        assert own.keys.body(f"k{number}") == b"key"
    assert own.keys.body("k18") == b"key"
    assert len(own.asked) == REMEMBERED_MAX + 3
    with pytest.raises(TemporaryError, match="is not public"):
        own.keys.body("inside")


def test_a_topic_is_named_by_its_arn():
    with pytest.raises(BadSecretError, match="ARN of a topic"):
        check_named("sns", ["mail"], keys=World().keys)
