"""A token endpoint on loopback (client credentials, RFC 6749 section 4.4) whose tokens the broker of a test believes.

Enters: who may ask, by name and secret. Leaves: an address, and tokens without signature: what is tried with them is a
client's way to a token and with it to a broker, not the broker's judgement.
"""

import json
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from coordwatch.clock import SystemClock
from tests.services.processes import LOOPBACK

SECONDS = 600  # a token is good for


class TokenEndpoint(ThreadingHTTPServer):
    """Gives a token to each client that says its secret, and 401 to the others."""

    daemon_threads = True

    def __init__(self, clients: Mapping[str, str]) -> None:
        super().__init__((LOOPBACK, 0), _Asked)
        self.clients = clients
        self.given: list[str] = []  # the client of each token, in order

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/token"

    def client_of(self, authorization: str) -> str | None:
        """Give whose header that is, if it is right."""
        for name, secret in self.clients.items():
            if authorization == f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}":
                return name
        return None


class _Asked(BaseHTTPRequestHandler):
    server: TokenEndpoint

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        client = self.server.client_of(self.headers.get("Authorization", ""))
        if client is None:
            self._answer(401, {"error": "invalid_client"})
        else:
            self.server.given.append(client)
            self._answer(200, {"access_token": unsigned(client), "token_type": "Bearer", "expires_in": SECONDS})

    def _answer(self, status: int, said: dict[str, object]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *said: object) -> None:
        """Nothing: a test reads `given`."""


def unsigned(subject: str) -> str:
    """Give a token that says who its bearer is, with nobody's word for it."""
    now = SystemClock().now() // 1_000_000
    parts = ({"alg": "none"}, {"sub": subject, "iat": now, "exp": now + SECONDS})
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, ""])


@contextmanager
def token_endpoint(clients: Mapping[str, str]) -> Iterator[TokenEndpoint]:
    """Serve until this ends."""
    with TokenEndpoint(clients) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
