"""Schemes: the tools that sign in a way of their own, and those that cannot sign and only know a secret.

What enters: the name of a check and the secrets. What leaves: a Check, and how old what it proves may be. The next room:
`hook`, which holds one for each address.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

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
    mac,
    wrong,
)
from coordwatch.adapters.http_api.hooks.recipes import RECIPES, BadSecretError, Check, check_of, signed_time
from coordwatch.adapters.http_api.hooks.rsa import shipstation_check, sns_check
from coordwatch.codec import NotJson, decode_json
from coordwatch.events.times import DAY, MINUTE

FORM_FIELDS_MAX = 1000
_SIGNATURES_MAX = 20
_HEX = re.compile(r"[0-9A-Fa-f]{64}")


def check_named(
    name: str, secrets: Sequence[str], url: str = "", header: str = "", keys: Fetched | None = None
) -> Check:
    """Make a check.

    Takes:  `url` for tools that sign the address they post to, `header` for `header` and `hmac`; `keys`, which fetches the
            public keys of those that show them (FETCHES)
    Raises: BadSecretError
    """
    if name in RECIPES:
        return check_of(RECIPES[name], secrets, url)
    return _MAKERS[name](Given(tuple(secrets), url, header, keys))


@dataclass(frozen=True, slots=True)
class Given:
    """What the settings say about one check."""

    secrets: tuple[str, ...]
    url: str = ""
    header: str = ""
    keys: Fetched | None = None

    def shown(self) -> Fetched:
        """What fetches the keys that a tool shows."""
        assert self.keys is not None, "whoever makes this check says what fetches keys"
        return self.keys


def _stripe(given: Given) -> Check:
    keys = [one.encode() for one in given.secrets]

    def check(sent: Sent) -> Proof:
        fields = [part.strip().partition("=") for part in header_of(sent, "Stripe-Signature").split(",")]
        times = [value for name, _, value in fields if name == "t"]
        found = [decoded(value, "hex", "v1 of Stripe-Signature") for name, _, value in fields if name == "v1"]
        if len(times) != 1 or not 0 < len(found) <= _SIGNATURES_MAX:
            raise DoubtError(Doubt.MALFORMED, "Stripe-Signature wants one t= and at least one v1=")
        message = times[0].encode("latin-1") + b"." + sent.body
        expected = [mac(key, message) for key in keys]
        if not any_equal(found, expected):
            raise wrong()
        return Proof(fingerprint(message), signed_time(times[0], "epoch_s", "t of Stripe-Signature"))

    return check


def _svix(given: Given) -> Check:
    keys = [_svix_key(one) for one in given.secrets]

    def check(sent: Sent) -> Proof:
        prefix = "svix" if "svix-id" in sent.headers else "webhook"
        name, time = header_of(sent, f"{prefix}-id"), header_of(sent, f"{prefix}-timestamp")
        listed = [one.partition(",") for one in header_of(sent, f"{prefix}-signature").split()[:_SIGNATURES_MAX]]
        found = [decoded(value, "base64", f"{prefix}-signature") for version, _, value in listed if version == "v1"]
        if not found:
            raise DoubtError(Doubt.MALFORMED, f"{prefix}-signature holds no signature that begins with 'v1,'")
        message = f"{name}.{time}.".encode("latin-1") + sent.body
        if not any_equal(found, [mac(key, message) for key in keys]):
            raise wrong()
        return Proof(fingerprint(message), signed_time(time, "epoch_s", f"{prefix}-timestamp"))

    return check


def _svix_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not key:
        raise BadSecretError("a secret for 'svix' is whsec_ and base64 behind it, as the tool's page shows it")
    return key


def _sendgrid(given: Given) -> Check:
    keys = [_public_key(one) for one in given.secrets]

    def check(sent: Sent) -> Proof:
        name = "X-Twilio-Email-Event-Webhook-Signature"
        signature = decoded(header_of(sent, name), "base64", name)
        stamp = "X-Twilio-Email-Event-Webhook-Timestamp"
        time = header_of(sent, stamp)
        message = time.encode("latin-1") + sent.body
        if not any(_fits(key, signature, message) for key in keys):
            raise wrong()
        # The same message can be signed in many ways: its name is the message.
        return Proof(fingerprint(message), signed_time(time, "epoch_s", stamp))

    return check


def _public_key(text: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise BadSecretError("'sendgrid' wants the verification key that its page shows: one line of base64")
    return key


def _fits(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _mailgun(given: Given) -> Check:
    """The signature stands in the body and covers a time and a token only, so a token serves one body and no other."""
    keys = [one.encode() for one in given.secrets]

    def check(sent: Sent) -> Proof:
        fields = _mailgun_fields(sent)
        time, token, given_text = (str(fields.get(name) or "") for name in ("timestamp", "token", "signature"))
        if not (time and token and given_text):
            raise DoubtError(Doubt.NO_SIGNATURE, "the body has no 'signature' with timestamp, token and signature")
        signature = decoded(given_text, "hex", "signature.signature")
        message = (time + token).encode("utf-8", "surrogatepass")
        if not any_equal([signature], [mac(key, message) for key in keys]):
            raise wrong()
        return Proof(fingerprint(message), signed_time(time, "epoch_s", "signature.timestamp"))

    return check


def _mailgun_fields(sent: Sent) -> Mapping[str, object]:
    if sent.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(form_fields(sent.body))
    try:
        body = decode_json(sent.body)
    except NotJson:
        raise DoubtError(Doubt.MALFORMED, "the body is not JSON, so it holds no signature") from None
    inner = body.get("signature") if isinstance(body, dict) else None
    return inner if isinstance(inner, dict) else {}


def form_fields(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form, in their order.

    Raises: DoubtError when they are too many
    """
    try:
        text = body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise DoubtError(Doubt.MALFORMED, f"the body is no form in UTF-8 of at most {FORM_FIELDS_MAX} fields") from None


def _mandrill(given: Given) -> Check:
    keys = [one.encode() for one in given.secrets]

    def check(sent: Sent) -> Proof:
        signature = decoded(header_of(sent, "X-Mandrill-Signature"), "base64", "X-Mandrill-Signature")
        fields = sorted(form_fields(sent.body))
        message = (given.url + "".join(name + value for name, value in fields)).encode()
        if not any_equal([signature], [mac(key, message, "sha1") for key in keys]):
            raise wrong()
        return Proof()

    return check


def _bearer(given: Given) -> Check:
    expected = [f"bearer {one}".encode() for one in given.secrets]

    def check(sent: Sent) -> Proof:
        scheme, _, value = header_of(sent, "Authorization").partition(" ")
        return _known(f"{scheme.lower()} {value.strip()}", expected)

    return check


def _basic(given: Given) -> Check:
    for one in given.secrets:
        if not all(one.partition(":")[::2]):
            raise BadSecretError("a secret for 'basic' is name:password")
    expected = [one.encode() for one in given.secrets]

    def check(sent: Sent) -> Proof:
        scheme, _, value = header_of(sent, "Authorization").partition(" ")
        if scheme.lower() != "basic":
            raise DoubtError(Doubt.MALFORMED, "Authorization is not Basic: put name:password@ into the address")
        return _known(decoded(value.strip(), "base64", "Authorization").decode("latin-1"), expected)

    return check


def _header(given: Given) -> Check:
    expected = [one.encode() for one in given.secrets]
    return lambda sent: _known(header_of(sent, given.header), expected)


def _hmac(given: Given) -> Check:
    """The body under HMAC-SHA256 in any header, as hexadecimal digits or base64, perhaps behind `sha256=`."""
    keys = [one.encode() for one in given.secrets]

    def check(sent: Sent) -> Proof:
        text = header_of(sent, given.header).strip()
        name, mark, rest = text.partition("=")
        bare = rest if mark and rest and name.lower().endswith("sha256") else text
        signature = decoded(bare, "hex" if _HEX.fullmatch(bare) else "base64", given.header)
        if not any_equal([signature], [mac(key, sent.body) for key in keys]):
            raise wrong()
        return Proof()

    return check


def _known(text: str, expected: Sequence[bytes]) -> Proof:
    # Hashed first, so that not even the length of a secret shows in how long this takes.
    if not any_equal([fingerprint(text.encode("latin-1", "replace"))], [fingerprint(one) for one in expected]):
        raise DoubtError(Doubt.WRONG_SIGNATURE, "the secret is another one")
    return Proof()


_MAKERS: Mapping[str, Callable[[Given], Check]] = {
    "basic": _basic,
    "bearer": _bearer,
    "header": _header,
    "hmac": _hmac,
    "mailgun": _mailgun,
    "mandrill": _mandrill,
    "sendgrid": _sendgrid,
    "shipstation": lambda given: shipstation_check(given.shown()),
    "sns": lambda given: sns_check(given.secrets, given.shown()),
    "stripe": _stripe,
    "svix": _svix,
}
USUAL = {  # whoever cannot sign knows a password or a token
    **{name: name for name in (*RECIPES, "mailgun", "mandrill", "sendgrid", "stripe")},
    **dict.fromkeys(("resend", "svix"), "svix"),
    **dict.fromkeys(("iterable", "mailjet", "postmark", "ses", "sns", "sparkpost"), "basic"),
    **dict.fromkeys(("braze", "brevo", "cloudevents", "rasa", "salesforce", "snowplow"), "bearer"),
}
CHECKS = tuple(sorted([*RECIPES, *_MAKERS]))
PLAIN = frozenset({"basic", "bearer", "header"})
WITH_HEADER = frozenset({"header", "hmac"})
WITH_ADDRESS = frozenset({"hubspot", "mandrill"})
WITHOUT_SECRET, FETCHES = frozenset({"shipstation"}), frozenset({"shipstation", "sns"})
# Who is not named here has a day: SendGrid tries again for that long, and none says that it signs each try anew.
_WINDOWS = {"stripe": 5 * MINUTE, "svix": 5 * MINUTE}


def window_of(name: str) -> int:
    """How old a signed time may be. Units: microseconds."""
    return RECIPES[name].window if name in RECIPES else _WINDOWS.get(name, DAY)
