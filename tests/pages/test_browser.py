"""The pages in a real Chromium: no violation that axe finds, keys, the stream, the forms with and without a script."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from coordwatch.adapters.http_api.following import message_of_moves
from coordwatch.alerts.alert import Order
from coordwatch.alerts.lifecycle import AlertAction
from tests.pages.conftest import Served
from tests.pages.paths import alert_of, main_paths
from tests.pages.sample_data import CUSTOMERS, MAIN, NOW
from tests.services.waiting import wait_until

pytestmark = pytest.mark.browser
LAPTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
Open = Callable[..., AbstractContextManager[Page]]


@pytest.fixture
def opened(browser: Browser) -> Open:
    """Open an address in a context of its own; whatever the browser complains about fails the test."""

    @contextmanager
    def open_page(address: str, **options: Any) -> Iterator[Page]:
        context = browser.new_context(**{"viewport": LAPTOP, "timezone_id": "UTC", "locale": "en-GB", **options})
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        outside: list[str] = []
        origin = address.split("/", 3)[:3]
        page.on(
            "request", lambda request: outside.append(request.url) if request.url.split("/", 3)[:3] != origin else None
        )
        page.goto(address, wait_until="load")
        yield page
        context.close()
        expected = [text for text in complaints if "404" not in text and "409" not in text]
        assert [] == expected
        assert [] == outside

    return open_page


# ---- every page


def test_axe_finds_nothing(served: Served, opened: Open, axe_source: str) -> None:
    """WCAG 2.2 A and AA on every kind of page, in both themes, on a laptop and on a phone; each is loaded once."""
    with opened(served.address + "/") as page:
        for path in main_paths(served.sample):
            page.goto(served.address + path, wait_until="load")
            page.evaluate(axe_source)
            for theme, size in product(("light", "dark"), (LAPTOP, PHONE)):
                page.set_viewport_size(size)
                page.emulate_media(color_scheme=theme)
                page.evaluate("() => new Promise(requestAnimationFrame)")  # the page has heard of its new size
                assert [] == violations_in(page), (path, theme, size)


def violations_in(page: Page) -> list[tuple[str, list[object]]]:
    """What axe finds in the page as it is now."""
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]]


def test_axe_finds_nothing_on_a_first_start(empty_served: Served, opened: Open, axe_source: str) -> None:
    """The empty pages too."""
    for path in ("/", "/customers", "/tools", "/sources"):
        with opened(empty_served.address + path) as page:
            page.evaluate(axe_source)
            found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
            assert [] == [violation["id"] for violation in found["violations"]], path


def test_no_page_is_wider_than_its_window(served: Served, opened: Open) -> None:
    """Only a table or a picture may scroll sideways, in its own box."""
    with opened(served.address + "/") as page:
        for path in main_paths(served.sample):
            page.goto(served.address + path, wait_until="load")
            for width in (320, 390, 768, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                page.evaluate("() => new Promise(requestAnimationFrame)")  # the page has heard of its new size
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_targets_are_large_enough_for_a_finger(served: Served, opened: Open) -> None:
    """On a phone the buttons that matter are 44 pixels high, the bar at the bottom 44 too."""
    with opened(served.address + alert_of(served.sample, MAIN, "promo-during-open-complaint"), viewport=PHONE) as page:
        heights = page.eval_on_selector_all(
            ".actions button, .rail li:nth-child(-n + 4) a", "nodes => nodes.map(node => node.offsetHeight)"
        )
        assert len(heights) >= 8
        assert min(heights) >= 44


def test_a_policy_violation_would_be_seen(served: Served, browser: Browser) -> None:
    """The policy is alive: a style written into the page from outside its files is refused."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.address + "/rules")
    page.evaluate(
        """() => {
          window.refused = [];
          document.addEventListener("securitypolicyviolation", event => window.refused.push(event.effectiveDirective));
          document.body.insertAdjacentHTML("beforeend", '<p style="color: red">x</p><img src="https://elsewhere.example/x">');
        }"""
    )
    page.wait_for_function("window.refused.length >= 2")
    assert {"style-src-attr", "img-src"} <= set(page.evaluate("window.refused"))
    context.close()


# ---- without a script


def test_reading_and_acknowledging_need_no_script(own_served: Served, opened: Open) -> None:
    """With scripts switched off: filter, open a row, acknowledge, undo."""
    with opened(own_served.address + "/", java_script_enabled=False) as page:
        page.get_by_label("Tool").select_option("Parcelway")
        page.get_by_role("button", name="Show").click()
        wanted, _ = own_served.sample.store.alerts({"tool": "Parcelway", "status": "open"}, 50, None)
        expect(page.locator("tr.row")).to_have_count(len(wanted))
        page.locator("tr.row a.open").first.click()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_role("status")).to_have_text("Acknowledged.")
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status")).to_have_text("Undone.")
        expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


# ---- acting with a script


def test_acknowledging_changes_the_alert_in_place(own_served: Served, opened: Open) -> None:
    """The page stays; the notice has the focus and offers the way back."""
    path = alert_of(own_served.sample, MAIN, "promo-during-open-complaint")
    with opened(own_served.address + path) as page:
        page.evaluate("window.stayed = true")
        page.get_by_label("Note").fill("asked the campaign team")
        page.get_by_role("button", name="Acknowledge").click()
        notice = page.get_by_role("status")
        expect(notice).to_have_text("Acknowledged.")
        expect(notice).to_be_focused()
        assert page.evaluate("window.stayed") is True
        expect(page.locator(".history")).to_contain_text("asked the campaign team")
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status")).to_have_text("Undone.")
        expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


def test_the_second_of_two_people_is_told(own_served: Served, opened: Open) -> None:
    """A refusal is shown in the page, with how it stands now."""
    path = alert_of(own_served.sample, MAIN, "promo-during-open-complaint")
    with opened(own_served.address + path) as one, opened(own_served.address + path) as other:
        one.get_by_role("button", name="Acknowledge").click()
        expect(one.get_by_role("status")).to_have_text("Acknowledged.")
        other.get_by_role("button", name="Resolve").click()
        expect(other.get_by_role("status")).to_contain_text("It changed while you looked at it.")
        expect(other.locator(".facts .status")).to_have_text("acknowledged")


def test_several_rows_are_acknowledged_and_undone(own_served: Served, opened: Open) -> None:
    """Select two with x, acknowledge with a, take it back with the button."""
    with opened(own_served.address + "/") as page:
        before = page.locator("tr.row").count()
        expect(page.locator(".bulk")).to_be_hidden()
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator(".picked")).to_have_text("With the 2 selected:")
        page.keyboard.press("a")
        expect(page.get_by_role("status")).to_contain_text("2 alerts acknowledged.")
        expect(page.locator("tr.row")).to_have_count(before - 2)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("tr.row")).to_have_count(before)


# ---- keys


def test_keys_walk_the_rows_and_open_one(served: Served, opened: Open) -> None:
    """j and k move, Enter opens, / searches; a key in a field is a letter."""
    with opened(served.address + "/") as page:
        links = page.locator("tr.row a.open")
        page.keyboard.press("j")
        expect(links.nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(links.nth(1)).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(links.nth(0)).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("jkx?")
        expect(page.get_by_role("searchbox")).to_have_value("jkx?")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/alerts/*")


def test_keys_can_be_switched_off_and_are_explained(served: Served, opened: Open) -> None:
    """? says which there are; off means off, kept for the next page."""
    with opened(served.address + "/") as page:
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        with page.expect_navigation():
            page.get_by_role("group", name="Keys").get_by_role("button", name="off").click()
        page.keyboard.press("j")
        page.keyboard.press("?")
        expect(page.locator("dialog")).to_be_hidden()
        expect(page.locator("tr.row a.open").first).not_to_be_focused()
        expect(page.get_by_role("group", name="Keys").get_by_role("button", name="off")).to_have_attribute(
            "aria-pressed", "true"
        )


def test_the_switch_beats_the_system(served: Served, opened: Open) -> None:
    """A dark system, a light choice; and back to what the system says."""
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(served.address + "/rules", color_scheme="dark") as page:
        dark = page.evaluate(ground)
        theme = page.get_by_role("group", name="Theme")
        with page.expect_navigation():
            theme.get_by_role("button", name="light").click()
        assert "rgb(255, 255, 255)" == page.evaluate(ground) != dark
        assert page.url.endswith("/rules")
        with page.expect_navigation():
            theme.get_by_role("button", name="auto").click()
        assert dark == page.evaluate(ground)


# ---- what is new


def test_new_alerts_wait_behind_a_line(own_served: Served, opened: Open) -> None:
    """Nothing moves by itself: a line counts what this view would show, and a click shows it."""
    with opened(own_served.address + "/?severity=high") as page:
        own_served.wait_for_stream()
        rows = page.locator("tr.row a.open").all_text_contents()
        for number, severity in enumerate(("high", "low", "high", "high")):
            own_served.site.announce(id=f"n{number}", severity=severity, status="open", rule="bot-loop")
        own_served.site.announce(id="n0", severity="high", status="open", rule="bot-loop")
        show = page.get_by_role("link", name="3 new - show")
        expect(show).to_be_visible()
        assert rows == page.locator("tr.row a.open").all_text_contents()
        assert "polite" == page.locator(".fresh").get_attribute("aria-live")
        show.click()
        expect(page.locator(".fresh .show")).to_be_hidden()
        assert page.url.endswith("/?severity=high")


def test_what_somebody_else_does_shows_at_once_and_moves_nothing(own_served: Served, opened: Open) -> None:
    """The row says what became of it and stays where it is, the counts follow, an open alert offers how it stands now."""
    row = own_served.sample.store.alerts({"status": "open"}, 1, None)[0][0]
    with opened(own_served.address + "/") as inbox, opened(f"{own_served.address}/alerts/{row.id}") as page:
        wait_until(lambda: len(own_served.site.queues) >= 2, "both pages to listen")
        rows = inbox.locator("tr.row a.open").all_text_contents()
        own_served.sample.store.act(row.id, Order(AlertAction.ACKNOWLEDGE, "ada", NOW + 1))
        (move,) = own_served.sample.store.shelf().moves(own_served.sample.store.shelf().newest_move() - 1, 10)
        totals = dict(own_served.sample.store.alert_totals()) | {"open": 1234}
        own_served.site.send("changed", message_of_moves([move], totals))
        mark = inbox.locator(f"tr[data-alert='{row.id}'] .status")
        expect(mark).to_have_text("acknowledged")
        expect(mark).to_have_attribute("title", "acknowledged by ada")
        assert rows == inbox.locator("tr.row a.open").all_text_contents()
        expect(inbox.locator(".rail .count").first).to_contain_text("1\u202f234")
        expect(page.locator(".facts .status")).to_have_text("acknowledged")
        page.get_by_role("link", name="acknowledged by ada - show").click()
        expect(page.get_by_role("button", name="Resolve")).to_be_visible()
        expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
        expect(page.locator(".history")).to_contain_text("ada")


def test_selected_rows_are_snoozed_by_a_key(own_served: Served, opened: Open) -> None:
    """All on the page by one click, then z; nothing is selected by the field that says for how long."""
    with opened(own_served.address + "/?rule=bot-loop") as page:
        many = page.locator("tr.row").count()
        page.get_by_role("link", name=f"select all {many} on this page").click()
        expect(page.locator(".picked")).to_have_text(f"With the {many} selected:")
        page.get_by_label("Snooze for how long").select_option("1d")
        page.locator("tr.row a.open").first.focus()
        page.keyboard.press("z")
        expect(page.get_by_role("status")).to_contain_text(f"{many} alerts snoozed.")


# ---- times


def test_times_are_also_said_in_the_persons_zone(served: Served, opened: Open) -> None:
    """In Paris an hour later than UTC, in the list, in the picture and in the tooltip, which keeps UTC too."""
    path = alert_of(served.sample, MAIN, "promo-during-open-complaint")
    with opened(served.address + path, timezone_id="Europe/Paris") as page:
        expect(page.locator(".events .exact").first).to_contain_text("13:07:00")
        assert "3 Mar 2026 12:07:00 UTC" == page.locator(".events .exact").first.get_attribute("title")
        expect(page.locator(".timeline .wide .tick.clock").first).to_have_text("13:07")
        expect(page.locator(".timeline .wide .zone")).to_have_text("local")
        title = page.locator(".facts time").first.get_attribute("title") or ""
        assert "15:17:00" in title
        assert "14:17:00 UTC" in title


# ---- phone and paper


def test_a_phone_gets_the_narrow_picture_and_four_nouns(served: Served, opened: Open) -> None:
    """The wide picture is hidden; the bar at the bottom shows the first four nouns; the list stays."""
    path = alert_of(served.sample, CUSTOMERS[5], "bot-loop")
    with opened(served.address + path, viewport=PHONE) as page:
        expect(page.locator(".timeline .narrow svg")).to_be_visible()
        expect(page.locator(".timeline .wide svg")).to_be_hidden()
        expect(page.locator(".events li")).to_have_count(10)
        shown = [link.get_attribute("href") for link in page.locator(".rail a").all() if link.is_visible()]
        assert ["/", "/incidents", "/customers", "/rules"] == shown
        page.get_by_text("More", exact=True).click()
        more = [link.get_attribute("href") for link in page.locator(".more a").all() if link.is_visible()]
        assert ["/tools", "/sources", "/silences", "/audit", "/settings"] == more
        expect(page.locator(".state a")).to_have_attribute("href", "/sources")


def test_paper_is_black_and_white_and_says_exact_times(served: Served, opened: Open) -> None:
    """No buttons, no navigation; every colour is a grey; ages carry their instant."""
    path = alert_of(served.sample, MAIN, "promo-during-open-complaint")
    with opened(served.address + path, color_scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        for hidden in (".rail", ".top", ".actions", "details", ".look"):
            expect(page.locator(hidden).first).to_be_hidden()
        colours = page.evaluate(
            """() => [...new Set([...document.querySelectorAll("main, main *")].flatMap(node => {
                 const style = getComputedStyle(node);
                 return [style.color, style.backgroundColor, style.fill, style.stroke, style.borderTopColor];
               }))].filter(colour => colour.startsWith("rgb"))"""
        )
        parts = {colour: re.findall(r"[\d.]+", colour)[:3] for colour in colours}
        assert {} == {colour: part for colour, part in parts.items() if len(set(part)) > 1}
        after = page.evaluate("getComputedStyle(document.querySelector('.facts time'), '::after').content")
        assert "attr(title)" in after or "3 Mar 2026 14:17:00 UTC" in after
        expect(page.locator(".printed")).to_be_visible()
