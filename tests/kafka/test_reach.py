"""Reaching the brokers: each way in which it fails is told from the others, with the move that helps."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.apis import ask
from coordwatch.adapters.kafka.clients import Seldom
from coordwatch.adapters.kafka.findings import Finding, refuse
from coordwatch.adapters.kafka.reach import Reached, ask_all, reach
from coordwatch.errors import PermanentError, TemporaryError


def test_a_broker_that_answers_says_what_it_can(kafka: str) -> None:
    access = KafkaAccess(kafka)
    reached = reach(access)
    assert isinstance(reached, Reached)
    assert list(reached.brokers.values()) == [kafka]
    abilities = ask_all(access, reached)
    assert abilities.findings == ()
    assert abilities.apis[kafka].transactions
    assert abilities.apis[kafka].release_number >= (3, 0)


def test_nobody_at_the_address_may_be_there_a_minute_later() -> None:
    found = reach(KafkaAccess("127.0.0.1:1"), 1)
    assert isinstance(found, Finding)
    assert found.text == "no broker answers at 127.0.0.1:1 (Connection refused)"
    with pytest.raises(TemporaryError, match="start it, or correct kafka"):
        refuse([found])


def test_the_first_address_that_tells_more_is_named() -> None:
    found = reach(KafkaAccess("nowhere.invalid:1,127.0.0.1:1"), 1)
    assert isinstance(found, Finding)
    assert found.text.startswith("no broker answers at nowhere.invalid:1 (")


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, int]]:
    """A listener that says the same to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Kafka"),
        (b"\x00\x00\x00\x02ab", "too short"),
        (b"\x00\x00\x00\xffab", "closed"),
        (b"\xff\xff\xff\xff", "does not speak Kafka"),
        (b"\x15\x03\x03\x00\x02\x02\x0a", "speaks TLS"),
    ],
)
def test_whatever_answers_is_no_reason_to_fall(answer: bytes, words: str) -> None:
    with answering(answer) as address, pytest.raises(OSError, match=words):
        ask(address, None, 60)


def test_a_count_that_lies_reads_no_further_than_the_answer() -> None:
    body = b"\x00\x00\x00\x01\x00\x00\x7f\xff\xff\xff" + b"\x00\x12\x00\x00\x00\x04"
    with answering(len(body).to_bytes(4, "big") + body) as address:
        apis = ask(address, None, 60)
    assert dict(apis.versions) == {18: (0, 4)}
    assert (apis.release, apis.transactions) == ("before 2.5", False)


def test_all_that_is_bad_is_in_one_refusal() -> None:
    findings = [Finding("topics", "one", "do this"), Finding("topics", "two", "nothing", bad=False)]
    with pytest.raises(PermanentError, match=r"^one: do this$"):
        refuse(findings)
    refuse(findings[1:])
    refuse([])


def test_what_a_client_says_again_and_again_is_logged_once_in_half_a_minute() -> None:
    said = "FAIL [coordwatch#producer-{0}] [thrd:127.0.0.1:9/bootstrap]: Connect failed: Connection refused (after {0}ms in state CONNECT)"
    seldom, passed = Seldom(), []
    for second, words in (
        (0, said.format(1)),
        (0.05, said.format(2)),
        (1, "another thing"),
        (29, said.format(3)),
        (31, said.format(1)),
    ):
        record = logging.LogRecord("coordwatch.kafka", logging.ERROR, "", 0, words, (), None)
        record.created = 1_000_000.0 + second
        if seldom.filter(record):
            passed.append(second)
    assert passed == [0, 1, 31]
