"""How the vendors' own servers sign, written from their pages and apart from the program: what a request looks like.

A body, a secret and the time on the vendor's clock enter; headers leave. Units: seconds since 1970.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

URL = "https://hooks.example.com/v1/sources/tool"
SVIX_SECRET = "whsec_" + base64.b64encode(b"clearly invented, 24 b..").decode()


def keyed(secret: bytes, message: bytes, algorithm: str = "sha256") -> "hmac.HMAC":
    return hmac.new(secret, message, getattr(hashlib, algorithm))


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def shopify(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-Shopify-Hmac-Sha256": b64(keyed(secret.encode(), body).digest()), "X-Shopify-Topic": "orders/create"}


def stripe(body: bytes, secret: str, at: int) -> dict[str, str]:
    signed = keyed(secret.encode(), f"{at}.".encode() + body).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={signed},v0={'0' * 64}"}


def zendesk(body: bytes, secret: str, at: int) -> dict[str, str]:
    time = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "X-Zendesk-Webhook-Signature": b64(keyed(secret.encode(), time.encode() + body).digest()),
        "X-Zendesk-Webhook-Signature-Timestamp": time,
    }


def slack(body: bytes, secret: str, at: int) -> dict[str, str]:
    signed = keyed(secret.encode(), b"v0:%d:" % at + body).hexdigest()
    return {"X-Slack-Signature": f"v0={signed}", "X-Slack-Request-Timestamp": str(at)}


def customerio(body: bytes, secret: str, at: int) -> dict[str, str]:
    signed = keyed(secret.encode(), b"v0:%d:" % at + body).hexdigest()
    return {"X-CIO-Signature": signed, "X-CIO-Timestamp": str(at)}


def klaviyo(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {
        "Klaviyo-Signature": keyed(secret.encode(), body + str(at).encode()).hexdigest(),
        "Klaviyo-Timestamp": str(at),
    }


def hubspot(body: bytes, secret: str, at: int) -> dict[str, str]:
    time = str(at * 1000)
    signed = keyed(secret.encode(), b"POST" + URL.encode() + body + time.encode()).digest()
    return {"X-HubSpot-Signature-v3": b64(signed), "X-HubSpot-Request-Timestamp": time}


def intercom(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-Hub-Signature": "sha1=" + keyed(secret.encode(), body, "sha1").hexdigest()}


def meta(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + keyed(secret.encode(), body).hexdigest()}


def segment(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-Signature": keyed(secret.encode(), body, "sha1").hexdigest()}


def easypost(body: bytes, secret: str, at: int) -> dict[str, str]:
    key = unicodedata.normalize("NFKD", secret).encode()
    return {"X-Hmac-Signature": "hmac-sha256-hex=" + keyed(key, body).hexdigest()}


def aftership(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"AfterShip-Hmac-Sha256": b64(keyed(secret.encode(), body).digest())}


def svix(body: bytes, secret: str, at: int, prefix: str = "svix") -> dict[str, str]:
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = keyed(key, f"msg-1.{at}.".encode() + body).digest()
    return {
        f"{prefix}-id": "msg-1",
        f"{prefix}-timestamp": str(at),
        f"{prefix}-signature": f"v1,{b64(b'another key')} v1,{b64(signed)} v1a,{b64(b'of another kind')}",
    }


def standard_webhooks(body: bytes, secret: str, at: int) -> dict[str, str]:
    return svix(body, secret, at, "webhook")


def bearer(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"Authorization": "Basic " + b64(secret.encode())}


def hmac_hex(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-House-Signature": "sha256=" + keyed(secret.encode(), body).hexdigest()}


def hmac_base64(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-House-Signature": b64(keyed(secret.encode(), body).digest())}


def header(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"X-House-Token": secret}


def mailgun_body(payload: dict[str, object], secret: str, at: int, token: str = "token-1") -> bytes:
    signed = keyed(secret.encode(), f"{at}{token}".encode()).hexdigest()
    return json.dumps(
        {"signature": {"timestamp": str(at), "token": token, "signature": signed}, "event-data": payload}
    ).encode()


def mandrill(form: dict[str, str], secret: str) -> dict[str, str]:
    message = URL + "".join(name + form[name] for name in sorted(form))
    return {"X-Mandrill-Signature": b64(keyed(secret.encode(), message.encode(), "sha1").digest())}


class SendGrid:
    """A key pair and signatures by the machine's openssl."""

    def __init__(self, folder: Path) -> None:
        self._key = folder / "sendgrid.pem"
        self._run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(self._key))
        self.public_key = b64(self._run("ec", "-in", str(self._key), "-pubout", "-outform", "DER"))

    def __call__(self, body: bytes, secret: str, at: int) -> dict[str, str]:
        signed = self._run("dgst", "-sha256", "-sign", str(self._key), given=str(at).encode() + body)
        return {
            "X-Twilio-Email-Event-Webhook-Signature": b64(signed),
            "X-Twilio-Email-Event-Webhook-Timestamp": str(at),
        }

    @staticmethod
    def _run(*words: str, given: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *words], input=given, check=True, capture_output=True).stdout
