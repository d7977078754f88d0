"""RSA: tools that sign with a key of their own, whose public half they show: Amazon SNS and ShipStation.

What enters: which topics may post, and what fetches keys. What leaves: a Check. The next room: `schemes`, which names them.
Such a signature proves which service sent something, not for whom: with SNS the topic does that.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from coordwatch.adapters.http_api.hooks.fetched import Fetched
from coordwatch.adapters.http_api.hooks.proofs import (
    Doubt,
    DoubtError,
    Proof,
    Sent,
    any_equal,
    decoded,
    fingerprint,
    header_of,
    wrong,
)
from coordwatch.adapters.http_api.hooks.recipes import BadSecretError, Check, signed_time
from coordwatch.codec import NotJson, decode_json
from coordwatch.errors import TemporaryError
from coordwatch.events.times import SECOND

SHIPSTATION_KEYS = "https://api.shipengine.com/jwks"
_TOPIC = re.compile(r"arn:aws(-cn|-us-gov)?:sns:[a-z0-9-]{3,40}:[0-9]{12}:[A-Za-z0-9_.-]{1,260}")
# `sns.s3-REGION.amazonaws.com` would be the storage of whoever has a bucket of that name.
_CERTIFICATE = re.compile(
    r"https://sns\.(?!s3)[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?/SimpleNotificationService-[0-9A-Za-z]{8,80}\.pem"
)
_KEY_AGAIN = 30 * SECOND
# SNS signs with SHA-1 unless its topic is told otherwise.
_HASHES: Mapping[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - it is theirs
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        ("SubscriptionConfirmation", "UnsubscribeConfirmation"),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}


def sns_check(topics: Sequence[str], keys: Fetched) -> Check:
    """A message of SNS, by the certificate that it names: only from an address of SNS itself, only for these topics.

    Anybody may have SNS sign for a topic of their own, which is why the topics must be told. They are looked at first, so
    that a stranger cannot make us fetch anything.

    Raises: BadSecretError for what is no topic
    """
    if not all(map(_TOPIC.fullmatch, topics)):
        raise BadSecretError(
            "a secret for 'sns' is the ARN of a topic that may post here: arn:aws:sns:REGION:ACCOUNT:NAME"
        )
    allowed = [one.encode() for one in topics]

    def check(sent: Sent) -> Proof:
        message = _sns_message(sent)
        if not any_equal([_text(message, "TopicArn").encode()], allowed):
            raise DoubtError(Doubt.WRONG_SIGNATURE, "this topic is none of those that may post here")
        names = _SIGNED.get(_text(message, "Type"))
        by = _HASHES.get(_text(message, "SignatureVersion"))
        if names is None or by is None:
            raise DoubtError(Doubt.MALFORMED, "Type or SignatureVersion is none that SNS has")
        present = [name for name in names if name != "Subject" or message.get(name) is not None]
        signed = "".join(f"{name}\n{_text(message, name)}\n" for name in present).encode("utf-8", "surrogatepass")
        signature = decoded(_text(message, "Signature"), "base64", "Signature")
        at = signed_time(_text(message, "Timestamp"), "iso", "Timestamp")
        address = _text(message, "SigningCertURL")
        if _CERTIFICATE.fullmatch(address) is None:
            raise DoubtError(Doubt.MALFORMED, "SigningCertURL is no address of SNS")
        if not _fits(_certified(keys.body(address), at), signature, signed, by):
            raise wrong()
        return Proof(fingerprint(signed), at)

    return check


def shipstation_check(keys: Fetched) -> Check:
    """Time and body, signed by one of the keys that ShipStation shows; a key that is not among them is asked for anew."""

    def check(sent: Sent) -> Proof:
        name = "X-ShipEngine-RSA-SHA256-Signature"
        signature = decoded(header_of(sent, name), "base64", name)
        time, kid = header_of(sent, "X-ShipEngine-Timestamp"), header_of(sent, "X-ShipEngine-RSA-SHA256-Key-ID")
        at = signed_time(time, "iso", "X-ShipEngine-Timestamp")
        key = _key_of(keys.body(SHIPSTATION_KEYS), kid) or _key_of(keys.body(SHIPSTATION_KEYS, _KEY_AGAIN), kid)
        if key is None:
            raise DoubtError(Doubt.WRONG_SIGNATURE, "it was signed with a key that ShipStation does not show")
        signed = f"{time}.".encode("latin-1") + sent.body
        if not _fits(key, signature, signed, SHA256()):
            raise wrong()
        return Proof(fingerprint(signed), at)

    return check


def _sns_message(sent: Sent) -> Mapping[str, Any]:
    try:
        message = decode_json(sent.body)
    except NotJson:
        message = None
    if not isinstance(message, dict) or "Signature" not in message:
        raise DoubtError(
            Doubt.NO_SIGNATURE, "the body is no message of SNS: switch raw message delivery off for this subscription"
        )
    return message


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise DoubtError(Doubt.MALFORMED, f"{name} of the message is no text")
    return value


def _certified(pem: bytes, at: int) -> RSAPublicKey:
    """The key of a certificate, if it held when this was signed."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except ValueError:
        key = None
    if not isinstance(key, RSAPublicKey):
        raise TemporaryError("what SNS shows as its certificate cannot be read")
    until = certificate.not_valid_after_utc.timestamp()
    if not certificate.not_valid_before_utc.timestamp() <= at / SECOND <= until:
        raise DoubtError(Doubt.WRONG_SIGNATURE, "the certificate did not hold when this was signed")
    return key


def _key_of(document: bytes, kid: str) -> RSAPublicKey | None:
    """The key of this id in a set of keys (JWKS)."""
    try:
        found = decode_json(document)
        one = next((key for key in found["keys"] if key.get("kid") == kid and key.get("kty") == "RSA"), None)
        return None if one is None else RSAPublicNumbers(_number(one["e"]), _number(one["n"])).public_key()
    except (NotJson, ValueError, KeyError, TypeError, AttributeError):
        raise TemporaryError(f"what {SHIPSTATION_KEYS} shows is no set of keys") from None


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def _fits(key: RSAPublicKey, signature: bytes, message: bytes, by: HashAlgorithm) -> bool:
    try:
        key.verify(signature, message, PKCS1v15(), by)
    except InvalidSignature:
        return False
    return True
