"""A house whose tables and accounts are made once, and copied for each test; and the whole site of such a house on a socket."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser

from coordwatch.access.provider import Provider
from coordwatch.adapters.pages.router import pages_router
from coordwatch.adapters.pages.sign_in import BarePages, SignInContext, sign_in_router
from coordwatch.embedded.server import listen
from tests.access.people import House, a_house
from tests.api.build import Client, an_api
from tests.pages.sample_data import sample
from tests.pages.serving import chromium
from tests.services.waiting import wait_until


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with an account of each role."""
    path = tmp_path_factory.mktemp("furnished") / "house.db"
    a_house(path).store.close()
    return path


@pytest.fixture
def house(furnished: Path, tmp_path: Path) -> Iterator[House]:
    """A house of this test's own; one token may ask five times a minute."""
    made = a_house(shutil.copy(furnished, tmp_path / "house.db"), calls=5, furnish=False)
    yield made
    made.store.close()


@dataclass
class Lived:
    """A house with its whole site."""

    house: House
    client: Client
    application: Any


def site_of(house: House, database: Path, provider: Provider | None = None, **more: Any) -> Lived:
    """API, pages and sign-in of a house, over the same database."""
    context = SignInContext(house.gate, house.clock, accounts=True, provider=provider)
    beside = [pages_router(sample().context), sign_in_router(context)]
    away = BarePages().turn_away
    api = an_api(filled=True, database=database, accounts=house.door, beside=beside, turn_away=away, **more)
    return Lived(house, api.client, api.application)


@pytest.fixture
def lived(house: House, tmp_path: Path) -> Lived:
    """The whole site of this test's own house, without a socket."""
    return site_of(house, tmp_path / "house.db")


@contextmanager
def on_a_socket(application: Any) -> Iterator[str]:
    """Serve an application on loopback as in earnest."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off", proxy_headers=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to start")
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
        listening.close()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One Chromium for a whole file of tests."""
    with chromium(chromium_path) as browser:
        yield browser
