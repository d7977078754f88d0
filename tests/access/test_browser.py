"""Signing in with a real browser: without a script, in the dark, on a phone; and nothing that axe complains about."""

import pytest
from playwright.sync_api import expect

from coordwatch.access.accounts import SESSION_COOKIE
from tests.access.conftest import on_a_socket
from tests.access.people import PASSWORD

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1100, "height": 700}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1100, "height": 700}},
    "phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"


def complaints(page, axe_source):
    page.evaluate(axe_source)
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in page.evaluate(RULES)["violations"]]


@pytest.mark.parametrize("look", LOOKS)
def test_the_way_in_and_out_can_be_used_by_everybody(lived, browser, axe_source, look):
    with on_a_socket(lived.application) as address:
        context = browser.new_context(**LOOKS[look])
        page = context.new_page()
        errors = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/rules")
        expect(page).to_have_url(f"{address}/sign-in?back=%2Frules")
        assert complaints(page, axe_source) == []
        width = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert width, "nothing sticks out sideways"
        page.get_by_label("Name").fill("privacy")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{address}/rules")
        assert complaints(page, axe_source) == []
        page.get_by_label("Personal data is hidden.").select_option("repair")
        page.get_by_role("button", name="Show for 15 minutes").click()
        expect(page.get_by_text("Personal data is shown, and that is written down.")).to_be_visible()
        assert complaints(page, axe_source) == []
        page.get_by_role("button", name="Hide it").click()
        expect(page.get_by_label("Personal data is hidden.")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert errors == []
        context.close()


def test_without_a_script_everything_about_signing_in_works(lived, browser):
    with on_a_socket(lived.application) as address:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        for password, there in (("a wrong password", "/sign-in"), (PASSWORD, "/")):
            page.get_by_label("Name").fill("viewer")
            page.get_by_label("Password").fill(password)
            with page.expect_navigation():
                page.get_by_role("button", name="Sign in").click()
            assert page.url == address + there
        cookie = next(one for one in context.cookies() if one["name"] == SESSION_COOKIE)
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        assert page.goto(f"{address}/unmask").status == 405
        page.goto(f"{address}/")
        assert page.get_by_text("Personal data is hidden.").count() == 0, "who may not see it is not asked"
        with page.expect_navigation():
            page.get_by_role("button", name="Sign out").click()
        page.goto(f"{address}/rules")
        assert page.url.startswith(f"{address}/sign-in")
        context.close()
