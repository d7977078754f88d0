"""A small provider of identities on loopback: discovery, keys, codes that are good once, PKCE, and tokens as a test wants them.

What enters: what a browser and a client ask over HTTP. What leaves: redirects, and tokens that are signed here by hand, so that
what is read by a library was written by none.
The next room: the tests of signing in by a provider.
"""

import base64
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT, SECRET = "coordwatch", "the secret & of: the client"


def packed(value: bytes | dict[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Key:
    """A key that signs."""

    id: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def public(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        return {
            "kty": "RSA", "kid": self.id, "use": "sig", "alg": "RS256",
            "n": packed(numbers.n.to_bytes(size, "big")), "e": packed(numbers.e.to_bytes(3, "big")),
        }  # fmt: skip

    def token(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        head = f"{packed(header)}.{packed(claims)}"
        return f"{head}.{packed(self.private.sign(head.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


FIRST = Key("first")


@dataclass
class Idp:
    """What the provider says; a test changes any of it."""

    now: int
    address: str = ""
    keys: list[Key] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    make: Callable[["Idp", dict[str, Any]], Any] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    hops: str = ""

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            **self.discovery,
        }

    def good_claims(self, nonce: str) -> dict[str, Any]:
        seconds = self.now // 1_000_000
        found = {
            "iss": self.address, "sub": "person-1", "aud": CLIENT, "nonce": nonce, "iat": seconds, "exp": seconds + 300,
            "preferred_username": "ada@ops.example", "groups": ["cx-on-call", "all"], "amr": ["pwd", "otp"], **self.claims,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value is not None}

    def id_token(self, claims: dict[str, Any]) -> Any:
        if self.make is not None:
            return self.make(self, claims)
        return self.keys[0].token({"alg": "RS256", "kid": self.keys[0].id, "typ": "JWT"}, claims)


class _Handler(BaseHTTPRequestHandler):
    idp: Idp

    def log_message(self, format: str, *args: Any) -> None:
        return None

    def _answer(self, status: int, body: Any = None, **headers: str) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        idp, parts = self.idp, urlsplit(self.path)
        idp.asked.append(parts.path)
        if idp.hops and parts.path.startswith(idp.hops):
            self._answer(302, Location="http://169.254.169.254/latest/meta-data/")
        elif parts.path == "/.well-known/openid-configuration":
            self._answer(idp.status, idp.document())
        elif parts.path == "/keys":
            self._answer(200, {"keys": [key.public for key in idp.keys]})
        elif parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            code = secrets.token_urlsafe(8)
            idp.codes[code] = query
            answer = urlencode({"code": code, "state": query["state"], "iss": idp.address})
            self._answer(303, Location=f"{query['redirect_uri']}?{answer}")
        else:
            self._answer(404)

    def do_POST(self) -> None:
        idp = self.idp
        idp.asked.append(self.path)
        raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        query = idp.codes.pop(form.get("code", ""), None)  # a code is good once
        login = base64.b64decode(self.headers.get("Authorization", "Basic ").partition(" ")[2]).decode()
        known = [unquote_plus(part) for part in login.split(":")] == [CLIENT, SECRET]
        proven = query and packed(sha256(form.get("code_verifier", "").encode()).digest()) == query["code_challenge"]
        if not known:
            self._answer(401, {"error": "invalid_client"})
        elif query is None or not proven or form["redirect_uri"] != query["redirect_uri"]:
            self._answer(400, {"error": "invalid_grant"})
        else:
            self._answer(200, {"token_type": "Bearer", "id_token": idp.id_token(idp.good_claims(query["nonce"]))})


@contextmanager
def running_idp(now: int) -> Iterator[Idp]:
    """A provider with one key, until the block ends. Units: `now` in microseconds since 1970 UTC."""
    idp = Idp(now, keys=[FIRST])
    handler = type("Handler", (_Handler,), {"idp": idp})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    idp.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield idp
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
