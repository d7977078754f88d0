"""What a stranger does first, in a real browser: wait for a conflict, look at it, acknowledge it, walk through the pages.

What enters: the address of a running demo, a browser. What leaves: nothing, or an assertion.
The next room: the tests of each way to run a demo.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services.waiting import wait_until

PATIENCE = 120_000
"""How long the slowest machine may take until the first conflict, in milliseconds."""


@contextmanager
def running_demo(*arguments: str) -> Iterator[str]:
    """The address of a running demo, which is ended afterwards."""
    command = [sys.executable, "-m", "coordwatch", "demo", "--for", "300s", "--no-browser", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                yield found[0]
                break
        else:
            pytest.fail(f"the demo ended without an address:\n{''.join(lines)}")
    finally:
        process.terminate()
        process.communicate(timeout=180)


def sees_a_conflict_and_acknowledges_it(demo: str, browser: Browser, axe_source: str) -> None:
    """Alerts arrive, wait behind their line, open with their picture, take an acknowledgement; the browser has no complaint."""
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(demo, wait_until="load")
    show = page.locator(".fresh .show")
    expect(show).to_have_text(re.compile(r"(\d+ new|many changes) - show"), timeout=PATIENCE)
    show.click()
    row = page.locator("tr.row a.open").first
    expect(row).to_be_visible()
    # At one moment, since the list that was asked for may take the place of this one in between.
    path = row.evaluate("row => { row.click(); return row.getAttribute('href'); }")
    expect(page).to_have_url(demo + path)
    wait_until(lambda: _says_how_it_stands(page), "the alert as it stands")
    expect(page.locator(".timeline .wide svg .mark.act")).to_have_count(1)
    expect(page.locator(".steps li").first).to_be_visible()
    page.evaluate(axe_source)
    violations = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")[
        "violations"
    ]
    assert [] == [violation["id"] for violation in violations]
    too_late = _acknowledges(page, demo)
    expect(page.locator(".history")).to_contain_text("acknowledged")
    for path in ("/rules", "/tools", "/sources", "/customers"):
        page.goto(demo + path)
        expect(page.locator("h1")).to_have_count(1)
    page.goto(f"{demo}/customers")
    page.locator("tr.row a.open").first.click()
    expect(page.locator(".timeline .wide svg")).to_be_visible()
    context.close()
    assert [409] * too_late == [409 if "409" in complaint else complaint for complaint in complaints]


def _says_how_it_stands(page: Page) -> bool:
    """Whether an alert's page says what the alert says before and after it: the tools go on, and it may happen again."""
    before = _stands(page)["sentence"]
    page.reload(wait_until="load")
    return before == page.locator("h1").inner_text() == _stands(page)["sentence"]


def _stands(page: Page) -> Any:
    """The alert of a page as it stands now."""
    address = urlsplit(page.url)
    return page.context.request.get(f"{address.scheme}://{address.netloc}/v1{address.path}").json()


def _acknowledges(page: Page, demo: str) -> int:
    """Acknowledge the alert at hand; where the tools have ended it meanwhile, be told so and take another.

    Gives: how often a click came too late
    """
    too_late = 0
    while True:
        seen = page.locator("#alert").get_attribute("data-version")
        if page.locator(".facts .status").inner_text() == "open":
            page.get_by_role("button", name="Acknowledge").click()
            notice = page.get_by_role("status")
            expect(notice).to_have_text(re.compile(r"^Acknowledged\.$|It changed while you looked at it\."))
            if notice.inner_text() == "Acknowledged.":
                return too_late
            too_late += 1
        stands = _stands(page)
        assert (str(stands["version"]) != seen, stands["status"]) != (False, "open"), "refused, and nothing had changed"
        page.goto(demo)
        page.locator("tr.row a.open").first.click()
        expect(page.locator("#alert")).to_be_visible()
