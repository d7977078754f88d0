"""What the server does with requests that are made to deceive: on a raw socket, as in earnest."""

import json
import socket
from contextlib import suppress

import pytest

from coordwatch.embedded.server import HttpServer, address_of, listen
from tests.api.build import an_api
from tests.services.waiting import wait_until

LIVE = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def server():
    """A server as `serve` starts it, open on loopback."""
    listening = listen("127.0.0.1", 0)
    running = HttpServer(an_api(filled=True).application, listening)
    running.start()
    wait_until(lambda: answered(address_of(listening), b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "the server")
    yield address_of(listening)
    running.stop()


def answered(address, raw):
    """Everything that comes back until the server closes, or says nothing more for a moment."""
    host, _, port = address.removeprefix("http://").partition(":")
    parts = []
    with socket.create_connection((host, int(port)), 60) as connection:
        connection.sendall(raw)
        with suppress(OSError):
            while part := connection.recv(65536):
                parts.append(part)
                connection.settimeout(0.15)
    return b"".join(parts)


POST = b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
SMUGGLED = {
    "both lengths": POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/rules HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length in words": POST + b"Content-Length: two\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "another encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "an encoding twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 2\r\n\r\n{}",
    "a folded header": POST + b"X-Long: a\r\n b\r\nContent-Length : 2\r\n\r\n{}",
    "no host": b"GET /v1/rules HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/rules HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
    "a NUL in a header": b"GET /v1/rules HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_a_request_that_can_be_read_in_two_ways_is_refused(server, name):
    answer = answered(server, SMUGGLED[name])
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403 ")), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, "what stands behind it is no second request"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PATCH", "DELETE", "PROPFIND"])
def test_methods_that_nobody_needs_are_not_answered(server, method):
    answer = answered(server, f"{method} /v1/rules HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Secret: canary\r\n\r\n".encode())
    assert answer.split()[1] in (b"400", b"404", b"405")
    assert b"canary" not in answer


def test_a_handshake_for_a_websocket_is_refused(server):
    answer = answered(
        server,
        b"GET /v1/stream HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: 127.0.0.1", "Forwarded: for=127.0.0.1;host=127.0.0.1", "X-Real-IP: ::1",
     "X-User: admin", "X_User: admin", "X-Forwarded-User: admin", "X_Forwarded_User: admin", "Remote-User: admin",
     "X-Original-URL: /livez", "X-Rewrite-URL: /livez", "X-HTTP-Method-Override: GET", "X-Forwarded-For: ::ffff:127.0.0.1",
     "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /livez"],
)  # fmt: skip
def test_what_somebody_in_between_may_have_written_opens_nothing(server, header):
    for request in (f"GET /v1/rules HTTP/1.1\r\nHost: evil.example\r\n{header}\r\n\r\n",):
        assert answered(server, request.encode()).startswith(b"HTTP/1.1 403 ")
    locked = an_api(token=TOKEN).client
    name, _, value = header.partition(": ")
    assert locked.get("/v1/rules", headers={name: value}).status_code == 401


def test_the_server_does_not_say_what_it_is_made_of(server):
    answer = answered(server, b"GET /v1/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").lower()
    assert b"\r\nserver:" not in answer
    for word in (b"uvicorn", b"python", b"starlette", b"traceback"):
        assert word not in answer


def test_a_fault_is_logged_by_its_route_and_names_no_customer(caplog):
    api = an_api(filled=True)
    api.away = lambda *_: 1 // 0
    assert api.client.get("/v1/customers/ann%40example.com").status_code == 500
    assert "GET /v1/customers/{key:path} failed" in caplog.text
    assert "ann" not in "".join(one.getMessage() for one in caplog.records)


def test_a_fault_inside_says_nothing_of_the_inside():
    api = an_api(filled=True)
    api.store.alerts = lambda *_: 1 // 0
    answer = api.client.get("/v1/alerts")
    assert answer.status_code == 500
    assert json.loads(answer.content)["detail"] == "something went wrong here; the log says what"
    assert answer.headers["x-content-type-options"] == "nosniff"
