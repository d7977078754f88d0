"""A new alert reaches an open page, whoever wrote it: this process, another on the same database, or both while nobody looked."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from coordwatch.adapters.sql.database import read_database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.one_process import build
from coordwatch.clock import SystemClock
from coordwatch.embedded.server import HttpServer
from coordwatch.embedded.service import Service
from coordwatch.events.times import HOUR, MINUTE, format_time
from coordwatch.ports import Books
from coordwatch.settings.reading import for_serve, read_settings
from tests.api.build import an_event
from tests.build import CARDS, a_promo, raised
from tests.services.waiting import ANSWER, wait_until


@pytest.fixture
def served(postgres: Callable[[], str], tmp_path: Path) -> Iterator[tuple[Service, SqlStore]]:
    """A site on a PostgreSQL, and the store of another process there."""
    place = postgres()
    config = tmp_path / "coordwatch.yaml"
    key = f"identity: {{key: {'k' * 32}}}"
    config.write_text(f"bind: 127.0.0.1:0\ninputs: [{{kind: http}}]\ndatabase: {place}\n{key}\n")
    service = build(for_serve(read_settings(config)))
    server = HttpServer(service.application, service.listening)
    writer = threading.Thread(target=service.runtime.run)
    other = SqlStore(read_database(place), CARDS, durable=False)
    for begin in (*service.beginning, server.start, writer.start):
        begin()
    yield service, other
    service.runtime.stop()
    writer.join()
    service.stream.close()
    for end in (server.stop, *service.closing, other.close):
        end()


def test_new_alerts_are_announced_whoever_wrote_them_and_also_what_came_while_nobody_looked(
    served: tuple[Service, SqlStore], browser: Browser
) -> None:
    service, other = served
    now = SystemClock().now()

    def elsewhere(*customers: str) -> None:
        found = [raised(a_promo(one, now - MINUTE, case=f"K-{one}")) for one in customers]
        other.keep(Books(changes=found), now)

    elsewhere("first")
    page = browser.new_context().new_page()
    page.goto(service.address)
    wait_until(lambda: service.stream.watchers == 1, "the page to listen")
    rows = page.locator("tr.row a.open").all_text_contents()
    assert len(rows) == 1
    events = [
        an_event("E-1", at=format_time(now - HOUR), subject="second"),
        an_event("E-2", "marketing.message.sent", format_time(now - MINUTE), subject="second", message="M-1",
                 channel="email", category="promotional", campaign="Sale"),
    ]  # fmt: skip
    httpx.post(f"{service.address}/v1/events", json=events, timeout=ANSWER).raise_for_status()
    show = page.locator(".fresh .show")
    expect(show).to_have_text("1 new - show")
    elsewhere("third")
    expect(show).to_have_text("2 new - show")
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    wait_until(lambda: service.stream.watchers == 0, "the page to stop listening")
    elsewhere("fourth")
    page.evaluate("window.dispatchEvent(new Event('pageshow'))")
    expect(show).to_have_text("3 new - show")
    elsewhere(*(f"storm-{number}" for number in range(150)))
    expect(show).to_have_text(re.compile("^[0-9]+ new and many changes - show$"))
    assert rows == page.locator("tr.row a.open").all_text_contents(), "nothing moved"
    show.click()
    expect(page.locator("tr.row")).to_have_count(50)
    expect(show).to_be_hidden()
    page.context.close()
