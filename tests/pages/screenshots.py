"""Pictures of the pages: `python -m tests.pages.screenshots` for docs/screenshots, with a folder many more, for the eye.

What enters: the invented data of `sample_data`. What leaves: PNG files.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.pages.sample_data import CUSTOMERS, MAIN, Sample, empty_sample, sample
from tests.pages.serving import CHROMIUM_ARGUMENTS, serving

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
KEPT = ("inbox-light", "inbox-dark", "inbox-phone", "alert-light", "alert-dark", "alert-phone", "alert-print",
        "alert-absence", "customer", "rules", "tools", "sources")  # fmt: skip
LAPTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: a name, a path, a theme, a size; `whole` takes the full length of the page."""

    name: str
    path: str
    theme: str = "light"
    size: Mapping[str, int] = field(default_factory=lambda: LAPTOP)
    media: str = "screen"
    whole: bool = True


def alert_path(filled: Sample, customer: str, rule: str) -> str:
    """The address of a customer's alert of one rule."""
    row = next(row for row in filled.store.customer_alerts(customer) if row.rule == rule)
    return f"/alerts/{row.id}"


def shots(filled: Sample) -> list[Shot]:
    """What is worth a picture."""
    promo = alert_path(filled, MAIN, "promo-during-open-complaint")
    good = alert_path(filled, CUSTOMERS[3], "cancelled-without-notice")
    unknown = alert_path(filled, CUSTOMERS[4], "promo-during-open-complaint")
    linger = alert_path(filled, CUSTOMERS[6], "promo-during-open-complaint")
    loop = alert_path(filled, CUSTOMERS[5], "bot-loop")
    rows, _ = filled.store.alerts({"status": "open"}, 200, None)
    first = {row.rule: f"/alerts/{row.id}" for row in rows}
    return [
        Shot("inbox-light", "/", whole=False),
        Shot("inbox-dark", "/", "dark", whole=False),
        Shot("inbox-phone", "/", "dark", PHONE, whole=False),
        Shot("alert-light", promo),
        Shot("alert-dark", promo, "dark"),
        Shot("alert-phone", promo, "light", PHONE),
        Shot("customer-phone", f"/customers/{MAIN}", "dark", PHONE),
        Shot("rules-phone", "/rules", "light", PHONE, whole=False),
        Shot("tools-phone", "/tools", "light", PHONE, whole=False),
        Shot("sources-phone", "/sources", "light", PHONE, whole=False),
        Shot("alert-print", promo, size={"width": 780, "height": 1000}, media="print"),
        Shot("alert-absence", first["delay-without-notice"], whole=False),
        Shot("alert-made-good", good, "dark", whole=False),
        Shot("alert-could-not-know", unknown, whole=False),
        Shot("alert-long-gap", first["ad-for-returned-defective-item"], "dark", whole=False),
        Shot("alert-linger", linger, whole=False),
        Shot("alert-loop", loop, whole=False),
        Shot("customer", f"/customers/{MAIN}"),
        Shot("rules", "/rules"),
        Shot("rule", "/rules/promo-during-open-complaint", "dark"),
        Shot("tools", "/tools", whole=False),
        Shot("sources", "/sources", "dark"),
    ]


def take(browser: Browser, address: str, shot: Shot, folder: Path) -> None:
    """Open one page and keep its picture."""
    options: dict[str, Any] = {
        "viewport": shot.size,
        "color_scheme": shot.theme,
        "timezone_id": "UTC",
        "locale": "en-GB",
    }
    context = browser.new_context(**options, device_scale_factor=1)
    page = context.new_page()
    page.emulate_media(media=shot.media, color_scheme=shot.theme)  # type: ignore[arg-type]
    page.goto(address + shot.path, wait_until="load")
    if shot.whole:
        # A window as high as the page, so that bars that stay in place stand where they belong.
        page.set_viewport_size({"width": shot.size["width"], "height": page.evaluate("document.body.scrollHeight")})
    page.screenshot(path=folder / f"{shot.name}.png", full_page=shot.whole)
    context.close()


def main() -> None:
    """Take every picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    filled = sample()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("COORDWATCH_CHROMIUM", "/usr/bin/chromium"), args=CHROMIUM_ARGUMENTS
        )
        with serving(filled.context) as site:
            wanted = [shot for shot in shots(filled) if folder != FOLDER or shot.name in KEPT]
            for shot in wanted:
                take(browser, site.address, shot, folder)
        if folder != FOLDER:
            with serving(empty_sample().context) as site:
                take(browser, site.address, Shot("inbox-empty", "/", whole=False), folder)
        browser.close()
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main()
