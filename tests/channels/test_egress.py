"""Where messages may go: the table of addresses that are refused, however they are written."""

import ipaddress
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from coordwatch.adapters.egress import INSIDE, Egress, ForbiddenError, Target
from coordwatch.adapters.posting import READ_MAX, Pinned, Poster, tls_context
from coordwatch.clock import SystemClock
from coordwatch.errors import TemporaryError

PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111"]
FORBIDDEN = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "169.254.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "192.0.0.1", "::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:93.184.215.14", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "fd00:ec2::254", "100::1",
    "fec0::1", "::127.0.0.1", "192.0.0.192", "192.88.99.1", "168.63.129.16", "3fff::1", "2002:a83f:8110::",
]  # fmt: skip


def names(*numbers: str) -> Egress:
    return Egress(resolve=lambda host, port: numbers)


@pytest.mark.parametrize("number", PUBLIC)
def test_public_addresses_are_gone_to(number):
    target = names(number).of_url("https://hooks.example.com/x?y=1")
    assert (target.number, target.host, target.port, target.path) == (number, "hooks.example.com", 443, "/x?y=1")


@pytest.mark.parametrize("number", FORBIDDEN)
def test_no_name_leads_to_an_address_that_is_not_public(number):
    with pytest.raises(ForbiddenError, match="egress"):
        names(number).of_url("https://hooks.example.com/")
    with pytest.raises(ForbiddenError):
        names(*PUBLIC, number).of_url("https://hooks.example.com/")
    host = f"[{number}]" if ":" in number else number
    with pytest.raises(ForbiddenError):
        Egress().of_url(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://x/", "//hooks.example.com/", "hooks.example.com", "https://",
        "https://ada:secret@hooks.example.com/", "http://hooks.example.com/", "https://hooks.example.com:99999/", "https://[::1",
    ],
)  # fmt: skip
def test_other_schemes_passwords_in_urls_and_plain_http_are_refused(url):
    with pytest.raises(ForbiddenError):
        names(*PUBLIC).of_url(url)


@pytest.mark.parametrize("url", ["https://0x7f.1/", "https://2130706433/", "https://0177.0.0.1/"])
def test_numbers_written_in_other_ways_are_seen_through(url):
    with pytest.raises((ForbiddenError, TemporaryError)):
        Egress().of_url(url)


def test_a_name_is_looked_up_once_so_that_it_cannot_mean_two_things():
    answers = iter([("93.184.215.14",), ("127.0.0.1",)])
    target = Egress(resolve=lambda host, port: next(answers)).of_url("https://hooks.example.com/")
    assert target.number == "93.184.215.14"
    assert next(answers) == ("127.0.0.1",)


def test_what_the_settings_allow_is_gone_to_also_without_tls():
    egress = Egress([ipaddress.ip_network("10.20.0.0/16")], lambda host, port: ("10.20.3.4",))
    assert egress.of_url("http://alertmanager.internal:9093/api").port == 9093
    with pytest.raises(ForbiddenError):
        Egress([ipaddress.ip_network("10.20.0.0/16")], lambda host, port: ("10.21.3.4",)).of_url("http://x.internal/")


CLOUDS = ["fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"]


@pytest.mark.parametrize("number", CLOUDS)
def test_a_wide_network_that_is_allowed_does_not_mean_where_clouds_keep_their_secrets(number):
    wide = [*INSIDE, ipaddress.ip_network("168.63.0.0/16")]
    with pytest.raises(ForbiddenError, match="where a cloud keeps its secrets"):
        Egress(wide, lambda host, port: (number,), plain=True).of_url("http://registry.internal/")
    assert (
        Egress([ipaddress.ip_network(number)], lambda host, port: (number,)).of_url("http://x.internal/").number
        == number
    )


class Giver(BaseHTTPRequestHandler):
    """Answers with more than anybody needs."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(4 * READ_MAX))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(b"x" * (4 * READ_MAX))

    def log_message(self, *said):
        return


def test_no_more_of_an_answer_is_read_than_anybody_needs():
    with HTTPServer(("127.0.0.1", 0), Giver) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        poster = Poster(Egress([ipaddress.ip_network("127.0.0.0/8")]), SystemClock())
        reply = poster.get(f"http://127.0.0.1:{server.server_address[1]}/", {})
        thread.join(10)
    assert (reply.status, len(reply.body)) == (200, READ_MAX)


def test_a_connection_that_stands_when_the_time_is_over_is_not_used():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connection = Pinned(Target("127.0.0.1", "x.example", port, tls=False), 5.0, tls_context(None))
        connection.cut()
        with pytest.raises(TimeoutError):
            connection.connect()
        connection.close()
