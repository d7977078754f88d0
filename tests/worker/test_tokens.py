"""Tokens of a client: the secret goes to the endpoint that the settings name, and is in no message."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from coordwatch.adapters.kafka.access import OAUTHBEARER, Login
from coordwatch.worker.tokens import TokenError, fetch_token
from tests.services.tokens import token_endpoint

SECRET = "a-secret-that-nobody-may-see"


def login(endpoint: str) -> Login:
    return Login(OAUTHBEARER, "cw", SECRET, endpoint)


@contextmanager
def pointing_to(place: str) -> Iterator[str]:
    """An endpoint that sends everybody somewhere else."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(302)
            self.send_header("Location", place)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *said: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


def test_a_token_comes_from_its_endpoint() -> None:
    with token_endpoint({"cw": SECRET}) as endpoint:
        token, seconds = fetch_token(login(endpoint.address))
    assert token.count(".") == 2
    assert seconds > 0


def test_an_endpoint_that_points_elsewhere_is_refused_and_nothing_goes_there() -> None:
    with token_endpoint({"cw": SECRET}) as other, pointing_to(other.address) as endpoint:
        with pytest.raises(TokenError, match=r"gave no token \(HTTP 302\)"):
            fetch_token(login(endpoint))
        assert other.given == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/token", "https://nowhere.invalid/token"])
def test_an_endpoint_that_is_away_is_told_without_the_secret(address: str) -> None:
    with pytest.raises(TokenError) as refused:
        fetch_token(login(address))
    assert SECRET not in str(refused.value)
    assert "token_endpoint gave no token (URLError)" in str(refused.value)
