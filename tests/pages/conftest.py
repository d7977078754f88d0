"""The served sample, once for all tests that only read, and anew for each test that acts; and one browser."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser

from tests.pages.sample_data import Sample, empty_sample, sample
from tests.pages.serving import Site, chromium, serving
from tests.services.waiting import ANSWER


@dataclass(frozen=True, slots=True)
class Served:
    """A sample and the place where it is served."""

    sample: Sample
    site: Site

    @property
    def address(self) -> str:
        return self.site.address

    def wait_for_stream(self) -> None:
        """Return when a page listens for new alerts."""
        assert self.site.listening.wait(60), "no page opened the stream"


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """For reading only."""
    filled = sample()
    with serving(filled.context) as site:
        yield Served(filled, site)


@pytest.fixture
def own_served() -> Iterator[Served]:
    """For a test that changes alerts."""
    filled = sample()
    with serving(filled.context) as site:
        yield Served(filled, site)


@pytest.fixture(scope="session")
def empty_served() -> Iterator[Served]:
    """A first start."""
    nothing = empty_sample()
    with serving(nothing.context) as site:
        yield Served(nothing, site)


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client that follows nothing by itself."""
    with httpx.Client(base_url=served.address, timeout=ANSWER) as client:
        yield client


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for a whole file of tests."""
    with chromium(chromium_path) as browser:
        yield browser
