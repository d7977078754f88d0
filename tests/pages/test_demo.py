"""The real thing, end to end: the command that a stranger types, its pages in a real browser, a conflict acknowledged."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.pages.stranger import running_demo, sees_a_conflict_and_acknowledges_it
from tests.services.topics import Topics
from tests.services.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def demo() -> Iterator[str]:
    """The address of a running demo, which is ended afterwards."""
    with running_demo() as address:
        yield address


def test_a_stranger_sees_a_conflict_and_acknowledges_it(demo: str, browser: Browser, axe_source: str) -> None:
    """Alerts arrive, wait behind their line, open with their picture, take an acknowledgement; the browser has no complaint."""
    sees_a_conflict_and_acknowledges_it(demo, browser, axe_source)


@pytest.fixture
def demo_beside_kafka(topics: Topics) -> Iterator[str]:
    """The address of a demo whose tools publish to a real Kafka."""
    with running_demo("--kafka", topics.bootstrap, "--prefix", topics.prefix) as address:
        yield address
    # It ends when the controller has removed its topics; a node hears of that a moment later.
    wait_until(lambda: topics.existing() == [], "nothing of it to be left behind")


def test_the_same_beside_a_real_kafka(demo_beside_kafka: str, kafka: str, browser: Browser, axe_source: str) -> None:
    """The tools' own topics, keys and headers, a worker with every role, and the same pages."""
    sees_a_conflict_and_acknowledges_it(demo_beside_kafka, browser, axe_source)
