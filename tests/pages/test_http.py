"""The pages as a client without a browser sees them: status, headers, size, forms, what is escaped."""

import hashlib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from coordwatch.access.principal import Principal, Way
from coordwatch.access.roles import ROLES, Role
from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.pages import static
from coordwatch.adapters.pages.inbox import summary_words
from coordwatch.adapters.pages.inventory import Ledger, tools_values
from coordwatch.adapters.pages.shell import shown_nouns
from coordwatch.adapters.pages.sources import account_words, sources_values
from coordwatch.adapters.pages.telling import told_line
from coordwatch.alerts.card import cards_of
from coordwatch.clock import ManualClock
from coordwatch.errors import Elsewhere, PermanentError, TemporaryError
from coordwatch.events.times import DAY, HOUR
from coordwatch.notify.outbox import TellingView
from coordwatch.ports import (
    AlertRow,
    Count,
    CustomerView,
    DeadLetter,
    Effects,
    ExplainStep,
    PairCount,
    RuleCounts,
    SourceView,
    StateView,
    WaitingView,
)
from coordwatch.rules.detection import Detection, DetectionChange
from tests.pages import sample_data
from tests.pages.conftest import Served
from tests.pages.paths import alert_of, every_path, incident_of, main_paths
from tests.pages.sample_data import MAIN, NOW, SPECS
from tests.pages.serving import serving
from tests.services.waiting import ANSWER

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements_of(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(text)
    return parser.found


# ---- every page


def test_every_page_answers_under_a_strict_policy(served: Served, client: httpx.Client) -> None:
    """No inline style, script or handler, nothing from outside, and the headers that hold it there."""
    for path in every_path(served.sample):
        answer = client.get(path)
        assert (404 if "not-there" in path else 200) == answer.status_code, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "private, no-cache" == answer.headers["cache-control"]
        for tag, attributes in elements_of(answer.text):
            assert "style" not in attributes, (path, tag)
            assert not [name for name in attributes if name.startswith("on")], (path, tag)
            assert "style" != tag
            assert tag != "script" or attributes.get("src"), path
            for name in ("src", "href", "action", "hx-get", "hx-post"):
                address = attributes.get(name)
                assert address is None or address.startswith(("/", "#")), (path, tag, address)
                assert address is None or not address.startswith("//")


def test_every_page_has_one_heading_that_is_a_sentence_and_one_title(served: Served, client: httpx.Client) -> None:
    """A sentence before a table, on every page."""
    for path in main_paths(served.sample):
        text = client.get(path).text
        assert 1 == text.count("<h1"), path
        title = re.findall(r"<title>([^<]+) · coordwatch</title>", text)
        assert title, path


def test_links_inside_the_pages_lead_somewhere(served: Served, client: httpx.Client) -> None:
    """No page links to a page that is not there."""
    addresses = set()
    for path in main_paths(served.sample):
        if "not-there" in path:
            continue
        for tag, attributes in elements_of(client.get(path).text):
            # Files are given out by the API, which is not served here and has tests of its own.
            if tag == "a" and "download" not in attributes and (attributes.get("href") or "").startswith("/"):
                addresses.add(attributes["href"] or "")
    broken = {address: status for address in sorted(addresses) if (status := client.get(address).status_code) != 200}
    assert {} == broken
    assert len(addresses) > 60


def test_the_first_page_is_small(client: httpx.Client) -> None:
    """Fifty rows at most, under 60 KB, and with style, script and htmx together under 60 KB on the wire."""
    page = client.get("/")
    assert len(page.content) < 60_000
    wire = 0
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    for address in ("/", *dict.fromkeys(addresses)):
        with client.stream("GET", address) as answer:
            wire += sum(len(chunk) for chunk in answer.iter_raw())
    assert 10_000 < wire < 60_000


def test_head_and_an_unchanged_page(client: httpx.Client) -> None:
    """HEAD answers without a body; a page that has not changed is not sent again."""
    assert b"" == client.head("/").content
    first = client.get("/rules")
    again = client.get("/rules", headers={"If-None-Match": first.headers["etag"]})
    assert (304, b"") == (again.status_code, again.content)
    assert 200 == client.get("/rules", headers={"If-None-Match": 'W/"else"'}).status_code


# ---- files


def test_files_are_named_by_their_content_and_kept(client: httpx.Client) -> None:
    """Their names hold a digest, so a browser may keep them for ever; compressed when it asks."""
    page = client.get("/").text
    for address in set(re.findall(r'"(/static/[^"]+)"', page)):
        answer = client.get(address)
        assert 200 == answer.status_code
        assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
        assert "gzip" == answer.headers["content-encoding"]
        assert hashlib.sha256(answer.content).hexdigest()[:10] in address
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
        assert 304 == client.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code


def test_a_file_under_another_name_is_not_there(client: httpx.Client) -> None:
    """Neither an old digest nor a way out of the folder."""
    for name in ("pages.css", "pages.0000000000.css", "..%2frouter.py", "VENDORED.md"):
        assert 404 == client.get(f"/static/{name}").status_code


def test_the_mark_is_served_as_the_icon(client: httpx.Client) -> None:
    """A browser that asks for the icon by its old name gets it."""
    answer = client.get("/favicon.ico")
    assert (200, "image/svg+xml") == (answer.status_code, answer.headers["content-type"])


def test_what_is_vendored_is_what_the_note_says() -> None:
    """The sum of htmx in VENDORED.md is the sum of the file, and its licence stands there."""
    folder = Path(static.__file__).with_name("static")
    note = (folder / "VENDORED.md").read_text(encoding="utf-8")
    body = (folder / "htmx.min.js").read_bytes()
    assert hashlib.sha256(body).hexdigest() in note
    assert "4.0.1" in note
    assert b"4.0.1" in body
    assert "THE SOFTWARE IS PROVIDED" in note


# ---- the inbox


def test_the_inbox_says_a_sentence_first(served: Served, client: httpx.Client) -> None:
    """How many wait, in which status, how bad."""
    text = client.get("/").text
    summary = summary_words(served.sample.store.alert_totals())
    assert re.fullmatch(r"\d+ alerts wait: \d+ open, \d+ acknowledged and \d+ snoozed; \d+ high among them\.", summary)
    assert text.index(summary) < text.index("<table")


def test_the_sentence_fits_what_there_is() -> None:
    """One alert, one status, several statuses, nothing."""
    assert "No alert is waiting for anybody." == summary_words({"resolved": 4})
    assert "1 alert is open; 1 critical among them." == summary_words({"open": 1, "critical": 1})
    assert "3 alerts are acknowledged." == summary_words({"acknowledged": 3, "medium": 3})
    assert "4 alerts wait: 3 open and 1 snoozed; 1 critical and 2 high among them." == summary_words(
        {"open": 3, "snoozed": 1, "critical": 1, "high": 2}
    )


def test_what_was_due_is_said_as_what_it_was(client: httpx.Client) -> None:
    """A notice is not sent; a refund is not done."""
    assert "not sent by <time" in client.get("/?status=all&rule=delay-without-notice").text
    assert "not done by <time" in client.get("/?status=all&rule=refund-promised-not-made").text


def test_filters_and_order_live_in_the_address(client: httpx.Client) -> None:
    """Each filter narrows; each neighbouring view keeps the others."""
    rows = '<tr class="row"'
    everything = client.get("/?status=all").text.count(rows)
    assert 50 == everything
    bot = client.get("/?status=all&rule=bot-loop").text
    assert 6 == bot.count(rows)
    assert "/?rule=bot-loop&amp;status=all&amp;sort=severity" in bot
    tool = client.get("/?status=all&tool=Parcelway").text
    assert 6 == tool.count(rows)
    assert "Remove: " in tool
    assert client.get("/?status=all&range=1h").text.count(rows) < everything
    medium = client.get("/?status=all&severity=medium").text
    assert 0 == medium.count('<span class="sev high"><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">'
                             '<path d="M6 1 12 11.5H0Z"/></svg>high</span></td>')  # fmt: skip


def test_the_order_can_be_turned(client: httpx.Client) -> None:
    """Newest first, oldest first: the same rows from either end."""
    ages = [re.findall(r'class="num age"><time datetime="([^"]+)"', client.get(f"/?status=open&sort={sort}").text)
            for sort in ("newest", "oldest")]  # fmt: skip
    assert ages[0] == sorted(ages[0], reverse=True)
    assert ages[1] == sorted(ages[1])


def test_pages_follow_each_other_without_gap_or_repeat(served: Served, client: httpx.Client) -> None:
    """The link to older alerts leads through all of them once."""
    seen: list[str] = []
    address = "/?status=all"
    while address:
        text = client.get(address).text
        seen += re.findall(r'class="open" href="/alerts/([^"]+)"', text)
        older = re.findall(r'<a href="([^"]+)" rel="next"', text)
        address = html.unescape(older[0]) if older else ""
    every, _ = served.sample.store.alerts({}, 1000, None)
    assert [row.id for row in every] == seen
    assert len(every) > 50


@pytest.mark.parametrize(
    "address",
    [
        "/?status=nonsense&severity=worst&sort=sideways&range=ever",
        "/?status=&rule=&q=%00&after=",
        "/?rule=" + "x" * 5000,
        "/?unheard=1&status=open,nonsense",
    ],
)
def test_a_senseless_address_shows_what_it_can(client: httpx.Client, address: str) -> None:
    """What means nothing is left out."""
    assert 200 == client.get(address).status_code


def test_a_foreign_cursor_is_answered_in_words(client: httpx.Client) -> None:
    """Not a crash, and a way back."""
    answer = client.get("/?after=AAAA")
    assert 400 == answer.status_code
    assert "cursor" in answer.text
    assert "Go back" in answer.text


def test_empty_pages_say_what_would_fill_them(empty_served: Served) -> None:
    """A first start: the command that brings something stands on the page."""
    with httpx.Client(base_url=empty_served.address, timeout=ANSWER) as client:
        assert "coordwatch demo" in client.get("/").text
        assert "coordwatch demo" in client.get("/customers").text
        assert "coordwatch demo" in client.get("/tools").text
        assert "coordwatch serve" in client.get("/sources").text
        assert 200 == client.get("/rules").status_code


# ---- one alert


def test_an_alert_stands_in_the_order_of_its_questions(served: Served, client: httpx.Client) -> None:
    """Sentence, buttons, picture, list, known, what to do, why, lately, history, raw evidence folded."""
    text = client.get(alert_of(served.sample, MAIN, "promo-during-open-complaint")).text
    order = [
        "<h1", ">Acknowledge<", ">Snooze<", ">Resolve<", ">Not a conflict<", "timeline-svg", 'class="events"',
        "Could it have known", "Yes. The evidence lay in the log for 2 h 9 min before Journeys acted.", "What to do",
        "Stop the bleeding: in Journeys, pause Spring sale", "hit by the same cause", "Why this fired",
        "What would have stopped it", "This rule lately", "History", "<details><summary>Raw evidence",
    ]  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_the_engines_own_explanation_comes_first(served: Served) -> None:
    """The engine's verdict on each step; where it agrees that the rule fired, in plain words."""
    act, state = SPECS["promo-during-open-complaint"].when.name, SPECS["promo-during-open-complaint"].while_[0].name
    steps = [
        ExplainStep(act, "when", True, "marketing.message.sent at 2026-03-03T14:17:00Z.", [("/journeys", "x")]),
        ExplainStep(state, "while", False, "The complaint was closed.", (), 60_000_000, "A closing an hour before."),
        ExplainStep("more", "unless", False, "Nothing came in between."),
        ExplainStep("other", "given", None, "No fact was there."),
    ]
    context = replace(served.sample.context, explain=lambda rule, customer, act: steps)
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        text = client.get(alert_of(served.sample, MAIN, "promo-during-open-complaint")).text
    for words in (
        "Journeys: promotion sent (campaign Spring sale).", "The complaint was closed.", "did not hold, missed by 1 min",
        "A closing an hour before.", "Nothing came in between.", "did not cancel", "No fact was there.", "unknown",
    ):  # fmt: skip
        assert words in text
    assert "2026-03-03T14:17:00Z." not in text


def test_an_alert_of_a_rule_that_is_gone_can_still_be_read(served: Served) -> None:
    """Without the rule: the sentence, the picture, and a line that says why there are no steps."""
    context = replace(served.sample.context, rules={})
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        answer = client.get(alert_of(served.sample, MAIN, "promo-during-open-complaint"))
    assert 200 == answer.status_code
    assert "is no longer loaded" in answer.text
    assert "timeline-svg" in answer.text


# ---- acting


def version_of(text: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', text)
    assert found
    return found[1]


@pytest.fixture
def acting(own_served: Served) -> Iterator[tuple[httpx.Client, str]]:
    """A client and an open alert of its own."""
    with httpx.Client(base_url=own_served.address, timeout=ANSWER) as client:
        yield client, alert_of(own_served.sample, MAIN, "promo-during-open-complaint")


def test_acting_needs_no_script(acting: tuple[httpx.Client, str]) -> None:
    """Acknowledge with a note, undo it, snooze it until it happens again: plain forms and redirects."""
    client, path = acting
    version = version_of(client.get(path).text)
    done = client.post(path, data={"verb": "acknowledge", "version": version, "note": "looking"})
    assert (303, f"{path}?done=acknowledge") == (done.status_code, done.headers["location"])
    page = client.get(done.headers["location"]).text
    assert "Acknowledged." in page
    assert "looking" in page
    assert ">Undo<" in page
    undone = client.post(path, data={"verb": "undo", "version": version_of(page)})
    assert f"{path}?done=undo" == undone.headers["location"]
    page = client.get(path).text
    assert ">Acknowledge<" in page
    client.post(path, data={"verb": "snooze", "version": version_of(page), "snooze": "repeat"})
    assert "until the next detection" in client.get(path).text
    page = client.get(path).text
    assert '<span class="status">snoozed until it happens again</span>' in page
    client.post(path, data={"verb": "snooze", "version": version_of(page), "snooze": "4h"})
    assert "until 3 Mar 2026 18:20 UTC" in client.get(path).text


def test_acting_on_what_has_changed_is_refused_in_words(acting: tuple[httpx.Client, str]) -> None:
    """The second of two people is told, sees how it stands, and can decide again."""
    client, path = acting
    version = version_of(client.get(path).text)
    client.post(path, data={"verb": "acknowledge", "version": version})
    late = client.post(path, data={"verb": "resolve", "version": version})
    assert 409 == late.status_code
    assert "It changed while you looked at it" in late.text
    assert version_of(late.text) != version
    again = client.post(path, data={"verb": "acknowledge", "version": version_of(late.text)})
    assert 409 == again.status_code
    assert "cannot take" in again.text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"verb": "raise", "version": "1"}, 400),
        ({"verb": "", "version": "1"}, 400),
        ({}, 400),
        ({"verb": "acknowledge"}, 409),
        ({"verb": "acknowledge", "version": "nonsense"}, 409),
        ({"verb": "acknowledge", "version": "-1"}, 409),
        ({"verb": "acknowledge", "version": "9" * 40}, 409),
    ],
)
def test_a_senseless_form_changes_nothing(acting: tuple[httpx.Client, str], form: dict[str, str], status: int) -> None:
    """A missing version is not "whatever stands"."""
    client, path = acting
    assert status == client.post(path, data=form).status_code
    assert ">Acknowledge<" in client.get(path).text


def test_acting_on_an_alert_that_is_not_there(client: httpx.Client) -> None:
    """404 and a sentence."""
    answer = client.post("/alerts/nobody", data={"verb": "acknowledge", "version": "1"})
    assert 404 == answer.status_code
    assert "There is no alert nobody" in answer.text


def test_several_at_once_and_undone_at_once(own_served: Served) -> None:
    """The boxes name alerts and versions; one that has changed meanwhile is left alone and counted."""
    rows, _ = own_served.sample.store.alerts({"status": "open"}, 3, None)
    tokens = [f"{row.id}.{row.version}" for row in rows[:2]] + [f"{rows[2].id}.77"]
    with httpx.Client(base_url=own_served.address, timeout=ANSWER) as client:
        done = client.post("/alerts", data={"verb": "acknowledge", "alert": tokens, "back": "/?sort=oldest"})
        assert done.headers["location"].startswith("/?sort=oldest&done=acknowledge&count=2&left=1&undo=")
        page = client.get(done.headers["location"]).text
        assert "2 alerts acknowledged. 1 other had changed meanwhile and is as before." in page
        undo = re.findall(r'name="alert" value="([^"]+)">', page.split("</form>")[1])
        back = client.post("/alerts", data={"verb": "undo", "alert": undo, "back": "/"})
        assert "count=2&left=0" in back.headers["location"]
    statuses = {row.id: row.status for row in own_served.sample.store.alerts({}, 100, None)[0]}
    assert ["open"] * 3 == [statuses[row.id] for row in rows]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(acting: tuple[httpx.Client, str], headers: dict[str, str]) -> None:
    """Whatever it says, nothing changes."""
    client, path = acting
    form = {"verb": "acknowledge", "version": version_of(client.get(path).text)}
    for target in (path, "/alerts", "/look"):
        assert 403 == client.post(target, data=form, headers=headers).status_code
    assert ">Acknowledge<" in client.get(path).text


def test_a_form_too_large_or_unreadable_is_refused(client: httpx.Client) -> None:
    """Bounded bytes, bounded fields, UTF-8."""
    assert 413 == client.post("/look", content=b"theme=" + b"x" * 70_000, headers=FORM).status_code
    assert 400 == client.post("/look", content="&".join(["a=1"] * 600).encode(), headers=FORM).status_code
    assert 400 == client.post("/look", content=b"theme=\xff\xfe", headers=FORM).status_code
    assert 303 == client.post("/look", content=b"theme=%ff%fe", headers=FORM).status_code


def test_the_look_is_kept_in_a_cookie(client: httpx.Client) -> None:
    """Dark by the switch, keys off, and back to the page where the person was, on this site only."""
    done = client.post("/look", data={"theme": "dark", "back": "/rules"})
    assert (303, "/rules") == (done.status_code, done.headers["location"])
    assert 'data-theme="dark"' in client.get("/rules").text
    client.post("/look", data={"keys": "off"})
    page = client.get("/").text
    assert 'data-theme="dark"' in page
    assert 'data-keys="off"' in page
    for elsewhere in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "x", "/a\r\nX: 1"):
        assert "/" == client.post("/look", data={"theme": "light", "back": elsewhere}).headers["location"]
    assert "data-theme" not in client.get("/", headers={"Cookie": "coordwatch_look=<script>.off"}).text


# ---- when something is wrong behind the pages


class BusyStore(MemoryStore):
    """A store whose database cannot be read just now."""

    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> tuple[list[AlertRow], str | None]:
        raise TemporaryError("the database is busy")

    def rule_counts(self) -> list[RuleCounts]:
        raise TemporaryError("the database is busy")


def test_a_busy_database_is_said_in_words(served: Served) -> None:
    """503, the reason, the next move, and still a page."""
    context = replace(served.sample.context, reader=BusyStore({}))
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        for path in ("/", "/rules", "/search?q=x"):
            answer = client.get(path)
            assert 503 == answer.status_code
            assert "Not now: the database is busy. Load the page again in a moment." in answer.text
        assert 200 == client.get("/tools").status_code


def test_an_explanation_that_fails_gives_way_to_the_derived_one(served: Served) -> None:
    """The engine cannot say why: the page says what the detection shows."""

    def fails(rule: str, customer: str, act: tuple[str, str]) -> Sequence[ExplainStep]:
        raise PermanentError("the context was forgotten")

    context = replace(served.sample.context, explain=fails)
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        text = client.get(alert_of(served.sample, MAIN, "promo-during-open-complaint")).text
    assert "began 2 h 10 min before the act and was open at the act." in text


def test_a_failure_behind_a_page_is_a_page_too(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of ours: 500, a sentence, a way back, and the trace in the log only."""

    def fails(key: str) -> CustomerView | None:
        raise KeyError("secret detail")

    context = replace(served.sample.context, customer=fails)
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        answer = client.get(f"/customers/{MAIN}")
    assert 500 == answer.status_code
    assert "This page failed." in answer.text
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_the_accounts_are_one_sentence_that_adds_up(client: httpx.Client) -> None:
    """What came in, where it went; a difference would be said."""
    text = client.get("/sources").text.replace("\u202f", " ")
    assert (
        "48 214 events in: 47 102 applied, 611 duplicates, 402 dropped by a rule of their mapping, "
        "96 waiting for their customer and 3 that could not be used." in text
    )
    assert account_words({"in": 10, "applied": 7}).endswith("; 3 not accounted for.")
    assert account_words({"in": 10, "applied": 7, "under_way": 3}).endswith(
        "and 3 on their way from one stage to the next."
    )
    assert "stage" not in account_words({"in": 7, "applied": 7})
    assert "" == account_words({})


# ---- a customer whom another process keeps


def test_a_customer_who_is_kept_elsewhere_is_said_to_be_with_the_alerts_that_are_known(served: Served) -> None:
    """A worker that cannot read a context in time shows what it has, says where the rest is, and its alert pages work."""

    def away(key: str) -> CustomerView | None:
        raise Elsewhere("this customer's context is kept in partition 3 of cw.detect-state, by another worker")

    context = replace(served.sample.context, customer=away, explain=lambda *_: (), at_hand=lambda key: None)
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        page = client.get(f"/customers/{MAIN}")
        assert 200 == page.status_code
        assert "kept in partition 3 of cw.detect-state" in html.unescape(page.text)
        assert "the rest is kept by another worker." in page.text
        assert "no state is open" not in page.text
        assert "None is kept" not in page.text
        row = next(row for row in served.sample.store.customer_alerts(MAIN))
        assert row.sentence in html.unescape(page.text)
        alert = client.get(f"/alerts/{row.id}")
        assert 200 == alert.status_code
        assert "Why this fired" in alert.text
        assert 200 == client.get("/customers/nobody").status_code
        assert 303 == client.get("/search", params={"q": MAIN}).status_code
        assert 200 == client.get("/search", params={"q": "no such word"}).status_code


# ---- search


def test_search_goes_to_the_only_thing_it_can_mean(served: Served, client: httpx.Client) -> None:
    """A customer's key, an alert's id, a rule's id lead there; words lead to a list."""
    rows, _ = served.sample.store.alerts({}, 1, None)
    for wanted, target in (
        (MAIN, f"/customers/{MAIN}"),
        (rows[0].id, f"/alerts/{rows[0].id}"),
        ("bot-loop", "/rules/bot-loop"),
        ("", "/"),
    ):
        answer = client.get("/search", params={"q": wanted})
        assert (303, target) == (answer.status_code, answer.headers["location"])
    listed = client.get("/search", params={"q": "complaint"}).text
    assert "speak of “complaint”" in listed
    assert "/rules/promo-during-open-complaint" in listed


# ---- hostile names


def hostile_detection() -> Detection:
    detection = sample_data.promo_complaint(HOSTILE, NOW - 60_000_000, 0)
    act = replace(detection.act, tool=HOSTILE, id=HOSTILE, data={**detection.act.data, "campaign": HOSTILE})
    opened = replace(detection.evidence[0], tool=HOSTILE + "2", data={"case": HOSTILE, "kind": HOSTILE})
    return replace(detection, act=act, evidence=(opened,))


def hostile_store() -> MemoryStore:
    store = MemoryStore(cards_of(SPECS.values()))
    letter = DeadLetter("d", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, NOW, HOSTILE.encode() + b"\xff\x00")
    counts = [
        Count("promo-during-open-complaint", NOW // 3_600_000_000, HOSTILE, HOSTILE + "2", kind, 5)
        for kind in ("acts", "detections")
    ]
    store.commit(
        Effects(
            changes=[DetectionChange("raised", hostile_detection())],
            counts=counts,
            dead_letters=[letter],
            tallies={HOSTILE: 1},
        ),
        NOW,
    )
    return store


def test_hostile_names_are_letters_on_every_page(served: Served) -> None:
    """Tools, customers, campaigns, notes, sources, dead letters: none of them becomes an element."""
    store = hostile_store()
    base = sample_data.main_customer()
    customer = replace(
        base,
        key=HOSTILE,
        facts=[replace(fact, tool=HOSTILE, id=HOSTILE, data={"case": HOSTILE}) for fact in base.facts],
        states=[StateView(HOSTILE, HOSTILE, HOSTILE, (HOSTILE, HOSTILE), NOW - 10_000_000, None, HOSTILE)],
        waiting=[WaitingView(HOSTILE, (HOSTILE, HOSTILE), HOSTILE, NOW, HOSTILE, HOSTILE)],
        truncated=[HOSTILE],
        warming=[HOSTILE],
        aliases=[HOSTILE],
    )
    source = SourceView(HOSTILE, HOSTILE, NOW, NOW, [HOSTILE], {HOSTILE: 1}, (1, 2), [(NOW, HOSTILE)], HOSTILE)
    context = replace(
        served.sample.context,
        reader=store,
        desk=store,
        shelf=store.shelf(),
        customer=lambda key: None if key == "<script>alert(1)" else customer,
        sources=lambda: [source],
        sentences=dict.fromkeys(SPECS, HOSTILE),
        rule_texts=dict.fromkeys(SPECS, HOSTILE),
        clock=ManualClock(NOW),
        explain=lambda rule, who, act: [ExplainStep(HOSTILE, HOSTILE, True, HOSTILE, [(HOSTILE, HOSTILE)], 1, HOSTILE)],
    )
    row = store.alerts({}, 1, None)[0][0]
    paths = ["/", f"/alerts/{row.id}", "/customers", "/customers/x", "/rules", "/rules/bot-loop", "/tools", "/sources"]
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        client.post(f"/alerts/{row.id}", data={"verb": "acknowledge", "version": str(row.version), "note": HOSTILE})
        texts = {path: client.get(path) for path in [*paths, "/?status=all"]}
        texts["search"] = client.get("/search", params={"q": "<script>alert(1)"})
        texts["filter"] = client.get("/", params={"rule": HOSTILE, "campaign": HOSTILE, "q": HOSTILE})
        texts["nobody"] = client.get(f"/alerts/{HOSTILE.replace('/', '')}")
    for path, answer in texts.items():
        assert answer.status_code in (200, 404), path
        tags = [(tag, attributes) for tag, attributes in elements_of(answer.text)]
        assert not [tag for tag, attributes in tags if tag == "img" and "onerror" in attributes], path
        assert not [tag for tag, attributes in tags if tag == "script" and "src" not in attributes], path
        assert not [tag for tag, attributes in tags if any(name.startswith("on") for name in attributes)], path
        assert "49" not in re.findall(r"alert\(2\)&gt;(..)", answer.text), path
    shown = [path for path, answer in texts.items() if "&lt;script&gt;" in answer.text]
    assert {"/", f"/alerts/{row.id}", "/customers", "/customers/x", "/tools", "/sources"} - set(shown) in ({"/"}, set())


# ---- saved views, many at once, what changed


def test_a_view_is_kept_under_a_name_and_removed_without_a_script(own_served: Served) -> None:
    """The form keeps the address; the view is a link on every inbox; a name that ships or is missing is refused in words."""
    with httpx.Client(base_url=own_served.address, timeout=ANSWER) as client:
        back = "/?tool=Parcelway&sort=count"
        assert "Save this view" in client.get(back).text
        kept = client.post("/views", data={"verb": "keep", "name": "  My  parcels ", "back": back + "&after=zzz"})
        assert (303, back + "&after=zzz") == (kept.status_code, kept.headers["location"])
        assert '<a href="/?tool=Parcelway&amp;sort=count">My parcels</a>' in client.get("/").text
        assert '<a href="/?tool=Parcelway&amp;sort=count" aria-current="true">My parcels</a>' in client.get(back).text
        for name, words in (("", "needs a name"), ("Worst first", "ships with coordwatch")):
            refused = client.post("/views", data={"verb": "keep", "name": name, "back": back})
            assert 400 == refused.status_code
            assert words in refused.text
        client.post("/views", data={"verb": "drop", "name": "My parcels", "back": back})
        assert "My parcels" not in client.get("/").text
        stranger = client.post("/views", data={"name": "x", "back": "/"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert 403 == stranger.status_code


def test_all_on_a_page_are_selected_and_snoozed_without_a_script(own_served: Served) -> None:
    """A link ticks every box; the bar snoozes for as long as it says, with a note; the list says who is on them."""
    with httpx.Client(base_url=own_served.address, timeout=ANSWER, follow_redirects=True) as client:
        page = client.get("/?rule=bot-loop&select=all").text
        tokens = re.findall(r'name="alert" value="([^"]+)" checked', page)
        assert len(tokens) == page.count('<tr class="row"') > 1
        done = client.post(
            "/alerts", data={"verb": "snooze", "snooze": "1d", "note": "known", "alert": tokens, "back": "/"}
        )
        assert f"{len(tokens)} alerts snoozed." in done.text
        asleep = client.get("/?status=snoozed&rule=bot-loop").text
        assert len(tokens) == asleep.count("snoozed by operator")
        assert ": known”" in asleep
    rows, _ = own_served.sample.store.alerts({"rule": "bot-loop", "status": "snoozed"}, 50, None)
    assert {NOW + DAY} == {row.snoozed_until for row in rows if f"{row.id}." in " ".join(tokens)}


def test_a_rate_of_the_matrix_is_out_of_every_act_once(client: httpx.Client) -> None:
    """However many tools a tool collided with, its acts are counted once."""
    values = tools_values(
        Ledger([PairCount("A", "", 50, 1), PairCount("A", "B", 50, 4), PairCount("A", "C", 50, 5)], (), (), {}), (), ()
    )
    assert "20.0 % (10 of 50" in values["tools"][0].rate
    assert "8.0 % (4 of 50" in values["cells"]["A", "B"].rate


def test_a_source_that_never_spoke_is_not_said_to_be_read() -> None:
    """A mapping that ships and that nobody uses is ready, not read; one that must speak and does not is dark."""
    sources = [
        SourceView("heard", "read", NOW, NOW), SourceView("unused", "read", NOW, None), SourceView("owed", "dark", None, None),
    ]  # fmt: skip
    counted = {"source.mapped.heard": 7, "lookup_unknown.heard.category": 1, "lookup_known.heard.category": 3}
    values = sources_values(sources, (), counted)
    assert ["owed", "heard"] == [line.view.name for line in values["sources"]]
    assert ["unused"] == values["silent"]
    assert "owed is dark; 1 of 2 sources read." == values["summary"]
    heard = values["sources"][1]
    assert [("used", 7)] == heard.records
    assert heard.unknown.startswith("25.0 % (1 of 4")


def test_whoever_nobody_was_found_for_is_said_in_words() -> None:
    details = ("identity_unresolved: quarantined", "identity_unresolved: no_owner", "'id' is missing")
    letters = [DeadLetter("d", "mail", "identity", "identity_unresolved", one, None, NOW, b"{}") for one in details]
    shared, unknown, other = (why for _, _, why in sources_values((), letters, {})["letters"])
    assert "belongs to too many customers" in shared
    assert "nobody was seen with what it names" in unknown
    assert other == "'id' is missing"


def test_a_rule_shows_what_changed_in_it(served: Served) -> None:
    """Each change with its lines, the newest first; the list of rules says when."""
    store = MemoryStore(cards_of(SPECS.values()))
    shelf = store.shelf()
    for at, text in ((NOW - DAY, "grace: 10m\nlinger: 48h\n"), (NOW - HOUR, "grace: 15m\nlinger: 48h\n")):
        shelf.note_rules({"bot-loop": text}, at)
    with (
        serving(replace(served.sample.context, shelf=shelf)) as site,
        httpx.Client(base_url=site.address, timeout=ANSWER) as client,
    ):
        page = client.get("/rules/bot-loop").text
        assert "1 line added, 1 line removed" in page
        assert '<span class="added">+ grace: 15m</span>' in page
        assert '<span class="removed">- grace: 10m</span>' in page
        assert "1 h ago" in client.get("/rules").text


# ---- incidents, silences, the trail, the settings


def test_an_incident_is_acknowledged_with_its_alerts_and_its_customers_are_put_right(own_served: Served) -> None:
    """All by forms: the incident with its alerts, then some of its customers with a note; a stale form is refused in words."""
    place = incident_of(own_served.sample)
    with httpx.Client(base_url=own_served.address, timeout=ANSWER, follow_redirects=True) as client:
        page = client.get(place).text
        version = re.findall(r'name="version" value="(\d+)"', page)[0]
        done = client.post(place, data={"verb": "acknowledge", "version": version, "note": "campaign paused"})
        assert "Acknowledged, with its alerts." in done.text
        assert "operator is on it" in done.text
        assert "campaign paused" in done.text
        stale = client.post(place, data={"verb": "resolve", "version": version})
        assert (409, True) == (stale.status_code, "It changed while you looked at it." in stale.text)
        customers = re.findall(r'name="customer" value="([^"]+)" checked', client.get(f"{place}?select=all").text)
        assert len(customers) > 1
        put_right = {"customer": customers[:2], "state": "repaired", "note": "apologised", "back": place}
        after = client.post(f"{place}/repairs", data=put_right)
        assert "2 customers are repaired now." in after.text
        assert "“apologised”" in after.text
        nobody = client.post(f"{place}/repairs", data={"state": "repaired"})
        assert (400, True) == (nobody.status_code, "select customers" in nobody.text)
        assert 400 == client.post(place, data={"verb": "burn", "version": version}).status_code
        assert 404 == client.post("/incidents/nobody", data={"verb": "resolve", "version": "1"}).status_code


def test_an_incident_is_split_put_back_and_taken_out_again_by_forms_alone(own_served: Served) -> None:
    """As a browser without a script sends them: hidden fields as the page wrote them."""
    place = incident_of(own_served.sample)
    with httpx.Client(base_url=own_served.address, timeout=ANSWER, follow_redirects=True) as client:

        def form_of(page: str, words: str) -> tuple[str, dict[str, str]]:
            form = next(one for one in re.findall(r"<form.*?</form>", page, re.S) if f">{words}" in one)
            hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', form)
            return re.findall(r'action="([^"]+)"', form)[0], dict(hidden)

        page = client.get(place).text
        alerts = re.findall(r'name="alert" value="([^"]+)"', page)
        action, fields = form_of(page, "Split off")
        nothing = client.post(action, data={**fields, "verb": "split"})
        assert (400, True) == (nothing.status_code, "select the alerts that belong apart" in nothing.text)
        split = client.post(action, data={**fields, "verb": "split", "alert": alerts[:2]})
        assert "Split off: this is the new one." in split.text
        assert "2 alerts</a>" in split.text
        action, fields = form_of(split.text, "Put it back")
        assert place == action
        together = client.post(action, data={**fields, "verb": "merge"})
        assert "Put together." in together.text
        action, fields = form_of(together.text, "Take out again")
        assert "Take it out again" in client.get(action).text
        apart = client.post(action, data={**fields, "verb": "undo"})
        assert "Undone." in apart.text
        assert "2 alerts</a>" in apart.text
        action, fields = form_of(apart.text, "Put in")
        other = re.findall(r'<option value="([^"]+)">', apart.text)[0]
        assert "Put together." in client.post(action, data={**fields, "verb": "merge", "other": other}).text
        stale = client.post(action, data={**fields, "verb": "merge", "other": other})
        assert (409, True) == (stale.status_code, "It changed while you looked at it." in stale.text)


def test_a_silence_is_made_from_an_alert_and_shows_first_what_it_would_hold_back(own_served: Served) -> None:
    """The matchers are filled in, the preview counts what is open, a reason is asked for, and it can be ended."""
    row = own_served.sample.store.alerts({"rule": "bot-loop", "status": "open"}, 1, None)[0][0]
    many = len(
        own_served.sample.store.alerts({"rule": "bot-loop", "act_tool": row.act_tool, "status": "open"}, 50, None)[0]
    )
    with httpx.Client(base_url=own_served.address, timeout=ANSWER, follow_redirects=True) as client:
        assert f"/silences/new?alert={row.id}" in client.get(f"/alerts/{row.id}").text
        form = client.get(f"/silences/new?alert={row.id}").text
        assert 'value="rule=bot-loop, act_tool=Parley"' in form
        assert f"{many} open alert" in form
        asked = {"matchers": "rule=bot-loop, act_tool=Parley", "length": "1d"}
        unsaid = client.post("/silences", data={"verb": "make", **asked, "comment": " "})
        assert (400, True) == (unsaid.status_code, "say why" in unsaid.text)
        wrong = client.post("/silences", data={"verb": "preview", **asked, "matchers": "rulle=x"})
        assert "rulle" in wrong.text
        assert 'role="alert"' in wrong.text
        made = client.post("/silences", data={"verb": "make", **asked, "comment": "known, fixed tonight"})
        assert "Silenced. Nobody is told" in made.text
        (silence,) = [
            one for one in own_served.sample.store.silences().silences(NOW) if one.comment == "known, fixed tonight"
        ]
        assert NOW + DAY == silence.ends_at
        gone = client.post(f"/silences/{silence.id}", data={"verb": "expire", "version": str(silence.version)})
        assert "Ended." in gone.text
        again = client.post(f"/silences/{silence.id}", data={"verb": "expire", "version": str(silence.version)})
        assert 409 == again.status_code
        assert 404 == client.post("/silences/nobody", data={"verb": "expire", "version": "1"}).status_code


def test_the_trail_can_be_narrowed_and_leads_to_what_was_done_to(client: httpx.Client) -> None:
    """By whom and what kind; a page goes on where the last ended."""
    everything = client.get("/audit").text
    assert "silence made" in everything
    assert "alert raised" in everything
    people = client.get("/audit?actor=operator&kind=silence").text
    assert 2 == people.count("silence made")
    assert "alert raised" not in people
    assert 3 == client.get("/audit?before=4").text.count("alert raised")
    assert "No entry is like this." in client.get("/audit?actor=nobody+at+all").text


def test_settings_say_where_they_come_from_and_no_secret(client: httpx.Client) -> None:
    """Two of three were made here."""
    page = client.get("/settings").text
    assert "2 settings were made here" in page
    assert "environment, COORDWATCH_TOKEN" in page
    assert "set, and hidden" in page


def test_who_may_not_see_a_page_is_not_led_there() -> None:
    """The rail shows what the role may see."""
    viewer = Principal("ada", ROLES[Role.VIEWER], Way.SESSION, Role.VIEWER)
    assert {"/audit", "/settings"}.isdisjoint(address for _, address in shown_nouns(viewer))
    assert {"/audit", "/settings"} <= {address for _, address in shown_nouns(None)}


def test_the_page_says_who_was_told_or_why_nobody_was(client: httpx.Client, served: Served) -> None:
    """One sentence below the facts."""
    assert (
        "It is not decided yet whether somebody is told."
        in client.get(alert_of(served.sample, MAIN, "promo-during-open-complaint")).text
    )
    held = TellingView(5, "", "silenced")
    late = TellingView(6, "slack", "new", "done", 1, 1, 0, NOW)
    assert "Nobody has been told by a message: silenced." == told_line([held])
    assert told_line([held, late]).startswith("Told: slack at 3 Mar 2026 14:20")


def test_why_an_alert_is_no_conflict_is_kept(own_served: Served) -> None:
    """The reason that was chosen beside the button is the verdict."""
    row = own_served.sample.store.alerts({"status": "open"}, 1, None)[0][0]
    form = {"verb": "verdict", "version": str(row.version), "mistake": "wrong_person"}
    with httpx.Client(base_url=own_served.address, timeout=ANSWER, follow_redirects=True) as client:
        assert "two people, not one" in client.get(f"/alerts/{row.id}").text
        assert 200 == client.post(f"/alerts/{row.id}", data=form).status_code
    after = own_served.sample.store.alert(row.id)
    assert after is not None
    assert ("not_a_conflict", "wrong_person") == (after.row.status, after.verdict)


def test_dead_letters_are_sent_round_again_and_it_is_said_what_came_of_it(served: Served) -> None:
    """Those that were ticked, in the name of whoever did; nothing ticked is refused in words; without a way there is no box."""
    asked: list[tuple[list[str], str]] = []

    def replay(letters: Sequence[DeadLetter], actor: str) -> str:
        asked.append(([one.id for one in letters], actor))
        return "2 of 2 could be used now."

    context = replace(served.sample.context, replay=replay)
    with serving(context) as site, httpx.Client(base_url=site.address, timeout=ANSWER, follow_redirects=True) as client:
        assert 3 == client.get("/sources").text.count('name="letter"')
        done = client.post("/dead-letters", data={"letter": ["d1", "d3", "not-there"]})
        assert "2 of 2 could be used now." in done.text
        assert [(["d1", "d3"], "operator")] == asked
        assert 400 == client.post("/dead-letters", data={"letter": "not-there"}).status_code
    without = replace(served.sample.context, replay=None)
    with serving(without) as site, httpx.Client(base_url=site.address, timeout=ANSWER) as client:
        assert 'name="letter"' not in client.get("/sources").text
