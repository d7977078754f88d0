"""Pictures of every page in light, dark and on a phone, for the eye: `make screenshots`.

What enters: a running demo whose simulated tools collide; with `--docs` the invented data of `sample_data` instead.
What leaves: PNG files in `screenshots/`, which git ignores; with `--docs` those that the documents show.
"""

import argparse
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Browser

from tests.pages.paths import alert_of
from tests.pages.sample_data import MAIN, Sample, sample
from tests.pages.serving import chromium, serving
from tests.pages.stranger import running_demo
from tests.services.waiting import wait_until

ROOT = Path(__file__).parents[2]
FOLDER, DOCS = ROOT / "screenshots", ROOT / "docs" / "screenshots"
LAPTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LOOKS = {"light": ("light", LAPTOP), "dark": ("dark", LAPTOP), "phone": ("light", PHONE)}
ENOUGH, PATIENCE = 60, 120.0
"""How many alerts there must be before the first picture, and how many seconds that may take."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: a name, a path, a theme, a size; `whole` takes the full length of the page, `press` are keys before it."""

    name: str
    path: str
    theme: str = "light"
    size: Mapping[str, int] = field(default_factory=lambda: LAPTOP)
    media: str = "screen"
    whole: bool = True
    press: Sequence[str] = ()


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
    for key in shot.press:
        page.keyboard.press(key)
    if shot.whole:
        # A window as high as the page, so that bars that stay in place stand where they belong.
        page.set_viewport_size({"width": shot.size["width"], "height": page.evaluate("document.body.scrollHeight")})
    page.screenshot(path=folder / f"{shot.name}.png", full_page=shot.whole)
    context.close()


# ---- the demo


def every_page(client: httpx.Client) -> list[tuple[str, str, Sequence[str]]]:
    """One address of every kind of page in a running demo: a name, a path, keys to press first."""
    rows = client.get("/v1/alerts", params={"limit": 200}).json()["items"]
    first = {row["rule"]: row for row in reversed(rows)}
    alert = first.get("promo-during-open-complaint", rows[0])
    absence = first.get("delay-without-notice", alert)
    incidents = client.get("/v1/incidents", params={"sort": "customers"}).json()["items"]
    incident = f"/incidents/{incidents[0]['id']}" if incidents else "/incidents/not-there"
    rule, customer = quote(alert["rule"], safe=""), quote(alert["customer"], safe="")
    return [
        ("inbox", "/", ()),
        ("inbox-selected", "/", ("j", "x", "j", "x")),
        ("inbox-keys", "/", ("?",)),
        ("inbox-acknowledged", "/?status=acknowledged&sort=oldest", ()),
        ("inbox-nothing", "/?campaign=none+of+that+name", ()),
        ("alert", f"/alerts/{alert['id']}", ()),
        ("alert-absence", f"/alerts/{absence['id']}", ()),
        ("alert-not-there", "/alerts/not-there", ()),
        ("incidents", "/incidents", ()),
        ("incident", incident, ()),
        ("customers", "/customers", ()),
        ("customer", f"/customers/{customer}", ()),
        ("rules", "/rules", ()),
        ("rule", f"/rules/{rule}", ()),
        ("tools", "/tools", ()),
        ("sources", "/sources", ()),
        ("silences", "/silences", ()),
        ("silence-new", f"/silences/new?alert={alert['id']}", ()),
        ("audit", "/audit", ()),
        ("settings", "/settings", ()),
        ("search", "/search?q=spring", ()),
    ]


def act_a_little(client: httpx.Client) -> None:
    """A few alerts that somebody has handled, as on any evening."""
    rows = client.get("/v1/alerts", params={"limit": 40, "status": "open"}).json()["items"]
    handled = (
        ("acknowledge", "asked the campaign team"),
        ("snooze", ""),
        ("resolve", "campaign paused"),
        ("verdict", ""),
    )
    for index, row in enumerate(rows[::4]):
        verb, note = handled[index % len(handled)]
        fields = {"verb": verb, "version": row["version"], "note": note, "snooze": "4h"}
        client.post(f"/alerts/{row['id']}", data=fields)
    silence = {"matchers": f'rule="{rows[0]["rule"]}", severity=low', "length": "4h", "comment": "known, fixed tonight"}
    client.post("/silences", data={"verb": "make", **silence})
    client.post("/views", data={"verb": "keep", "name": "Parcels", "back": "/?tool=EasyPost"})


def _alerts(client: httpx.Client) -> int:
    return len(client.get("/v1/alerts", params={"limit": ENOUGH}).json()["items"])


@contextmanager
def lively_demo() -> Iterator[str]:
    """The address of a demo in which tools have collided and people have acted."""
    with running_demo("--speed", "3000") as address, httpx.Client(base_url=address, timeout=30) as client:
        wait_until(lambda: _alerts(client) >= ENOUGH, f"{ENOUGH} alerts", PATIENCE)
        act_a_little(client)
        yield address


def picture_demo(browser: Browser, folder: Path, only: str) -> None:
    """Every page of a demo in every look."""
    with lively_demo() as address, httpx.Client(base_url=address, timeout=30) as client:
        for name, path, keys in every_page(client):
            for look, (theme, size) in LOOKS.items():
                if re.search(only, f"{name}-{look}"):
                    take(
                        browser, address, Shot(f"{name}-{look}", path, theme, size, press=keys, whole=not keys), folder
                    )


# ---- the documents


def docs_shots(filled: Sample) -> list[Shot]:
    """What the documents show."""
    promo = alert_of(filled, MAIN, "promo-during-open-complaint")
    rows, _ = filled.store.alerts({"status": "open"}, 200, None)
    first = {row.rule: f"/alerts/{row.id}" for row in rows}
    return [
        Shot("inbox-light", "/", whole=False),
        Shot("inbox-dark", "/", "dark", whole=False),
        Shot("inbox-phone", "/", "dark", PHONE, whole=False),
        Shot("alert-light", promo),
        Shot("alert-dark", promo, "dark"),
        Shot("alert-phone", promo, "light", PHONE),
        Shot("alert-print", promo, size={"width": 780, "height": 1000}, media="print"),
        Shot("alert-absence", first["delay-without-notice"], whole=False),
        Shot("customer", f"/customers/{MAIN}"),
        Shot("rules", "/rules"),
        Shot("tools", "/tools", whole=False),
        Shot("sources", "/sources", "dark"),
    ]


def picture_docs(browser: Browser, folder: Path) -> None:
    """The pictures of the documents, from data that stays the same."""
    filled = sample()
    with serving(filled.context) as site:
        for shot in docs_shots(filled):
            take(browser, site.address, shot, folder)


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where they go")
    parser.add_argument("--docs", action="store_true", help="those that the documents show, from invented data")
    parser.add_argument(
        "--only", default="", metavar="PATTERN", help="only pictures whose name has this, such as ^inbox"
    )
    args = parser.parse_args()
    folder = args.folder or (DOCS if args.docs else FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    with chromium(os.environ.get("COORDWATCH_CHROMIUM", "/usr/bin/chromium")) as browser:
        if args.docs:
            picture_docs(browser, folder)
        else:
            picture_demo(browser, folder, args.only)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main()
