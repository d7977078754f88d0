"""The drawing: every mark of every sample has its shape and its place, and nothing in it can break out."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.pages.alert import NARROW, WIDE
from coordwatch.adapters.pages.drawing import Bar, Drawing, Mark, Ruler, Shade
from coordwatch.adapters.pages.picture import customer_drawing, detection_drawing, entries_of
from coordwatch.adapters.pages.timeline import draw
from coordwatch.events.times import HOUR, MINUTE
from coordwatch.ports import CustomerView
from coordwatch.rules.detection import Detection
from tests.pages import sample_data
from tests.pages.sample_data import CUSTOMERS, MAIN, NOW, SPECS

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "\"><script>alert(1)</script>&\x00\u202e' onload=x {{7*7}}"


def picture_of(detection: Detection, customer: CustomerView | None = None, width: int = WIDE) -> ET.Element:
    """One detection's picture, parsed as XML."""
    spec = SPECS[detection.rule]
    drawing = detection_drawing(detection, entries_of(detection, spec), spec, customer, spec.severity.value)
    return parsed(draw(drawing, width, "t"))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def marks_of(root: ET.Element, kind: str) -> list[ET.Element]:
    return [group for group in root.iter(f"{SVG}g") if group.get("class") == f"mark {kind}"]


def classes_of(root: ET.Element) -> set[str]:
    return {word for element in root.iter() for word in (element.get("class") or "").split()}


def texts_of(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def box_of(mark: ET.Element) -> tuple[float, float]:
    """The middle of a mark's shape."""
    rect = next(element for element in mark if element.get("class") == "body")
    x, y, width, height = (float(rect.get(name, "")) for name in ("x", "y", "width", "height"))
    return x + width / 2, y + height / 2


def every_picture() -> Iterator[tuple[str, ET.Element]]:
    known = sample_data.customers()
    for detection in sample_data.detections():
        for width in (WIDE, NARROW):
            yield detection.rule, picture_of(detection, known.get(detection.customer), width)


def test_every_sample_is_well_formed_and_stays_inside() -> None:
    """No style, no script, no handler; every coordinate of a mark lies in the picture; ids are unique."""
    count = 0
    for rule, root in every_picture():
        count += 1
        width, height = (float(number) for number in root.get("viewBox", "").split()[2:])
        for element in root.iter():
            assert not {"style", "onload", "onclick", "href"} & set(element.attrib), rule
            assert f"{SVG}script" != element.tag
            for name, limit in (("x", width), ("y", height)):
                assert -1 <= float(element.get(name, "0")) <= limit + 1, (rule, element.attrib)
        ids = [element.get("id", "") for element in root.iter() if element.get("id")]
        assert sorted(set(ids)) == sorted(ids)
        assert 1 == len(marks_of(root, "act")), rule
    assert count > 100


def test_an_open_complaint_is_a_bar_with_grace_and_the_gap_is_said() -> None:
    """The act is filled, the evidence outlined, in lanes of their own, joined by a line that says 2 h 10 min."""
    detection = sample_data.promo_complaint(MAIN, NOW - 3 * MINUTE, 0)
    root = picture_of(detection, sample_data.main_customer())
    act, evidence = box_of(marks_of(root, "act")[0]), box_of(marks_of(root, "evidence")[0])
    assert evidence[0] < act[0]
    assert evidence[1] < act[1]
    assert {"Deskflow", "Journeys", "2 h 10 min"} <= set(texts_of(root))
    assert {"bar", "grace", "join", "drop", "pivot"} <= classes_of(root)
    assert "linger" not in classes_of(root)
    assert "complaint open: case K-1042" in texts_of(root)


def test_a_lingering_state_ends_and_is_shaded_after_it() -> None:
    """The complaint was closed five hours before the act: the bar ends there, the linger covers the act."""
    customer = sample_data.lingering_customer()
    detection = sample_data.promo_complaint(CUSTOMERS[6], NOW - 50 * MINUTE, 66, gap=72 * HOUR)
    root = picture_of(detection, customer)
    linger = next(rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "shade linger")
    start, width = float(linger.get("x", "")), float(linger.get("width", ""))
    assert start < box_of(marks_of(root, "act")[0])[0] < start + width
    assert "complaint for 2 days 19 h: case K-1108" in texts_of(root)


def test_a_missing_event_is_dashed_at_its_deadline() -> None:
    """In a lane of its own, at the end of a dashed line that says how long was waited."""
    root = picture_of(sample_data.delayed(CUSTOMERS[2], NOW, 1))
    missing = box_of(marks_of(root, "missing")[0])
    assert box_of(marks_of(root, "act")[0])[0] < missing[0]
    assert {"missing", "not seen: delay notice sent", "4 h, nothing came"} <= set(texts_of(root))
    assert "dashed" in classes_of(root)


def test_a_late_event_stands_behind_its_deadline() -> None:
    """Made good: the deadline stays on the picture, the late event has a ring."""
    root = picture_of(sample_data.cancelled(CUSTOMERS[3], NOW, 7, late=2 * HOUR + 5 * MINUTE))
    assert box_of(marks_of(root, "due")[0])[0] < box_of(marks_of(root, "late")[0])[0]
    assert "due in 1 h, came 2 h 5 min late" in texts_of(root)
    assert "ring" in classes_of(root)
    assert [] == marks_of(root, "missing")


def test_what_reached_the_log_late_has_a_tick_after_the_act() -> None:
    """Evidence that could not be known: its tick stands to the right of the act."""
    root = picture_of(sample_data.promo_complaint(CUSTOMERS[4], NOW, 61, gap=41 * MINUTE, delay=52 * MINUTE))
    tick = next(path for path in root.iter(f"{SVG}path") if path.get("class") == "seen")
    found = re.match(r"M([\d.]+) ", tick.get("d", ""))
    assert found
    assert box_of(marks_of(root, "act")[0])[0] < float(found[1])


def test_counted_events_are_numbered_and_said_once() -> None:
    """Nine answers and the tenth: numbers 1 to 10 in order, one ruler for all of them."""
    root = picture_of(sample_data.bot_loop(CUSTOMERS[5], NOW, 77, repeats=9))
    numbers = [text for text in texts_of(root) if text.isdecimal()]
    assert [str(number) for number in range(1, 11)] == sorted(numbers, key=int)
    assert "9 in 10 min" in texts_of(root)
    assert 2 == texts_of(root).count("bot answered")


def test_marks_that_would_cover_each_other_become_one() -> None:
    """Sixty events in a minute and one an hour later: a pill with their numbers, nothing outside."""
    marks = [
        Mark("evidence", "Parley", NOW + second * 1_000_000, "bot answered", str(second + 1)) for second in range(60)
    ]
    drawing = Drawing("t", "d", [*marks, Mark("act", "Parley", NOW + HOUR, "bot answered", "61")])
    root = parsed(draw(drawing, NARROW, "t"))
    assert len(marks_of(root, "evidence")) < 20
    assert any("–" in text for text in texts_of(root))


def test_the_list_says_what_the_picture_shows() -> None:
    """Every event of a detection stands in the list, oldest first, with its gap to the act in words."""
    detection = sample_data.asked_again(CUSTOMERS[2], NOW, 3)
    entries = entries_of(detection, SPECS[detection.rule])
    assert [1, 2, 3] == [entry.number for entry in entries]
    assert ["evidence", "evidence", "act"] == [entry.kind for entry in entries]
    assert ["9 min before the act", "3 min before the act", "the act"] == [entry.relation for entry in entries]
    described = parsed(draw(detection_drawing(detection, entries, SPECS[detection.rule], None, "low"), WIDE, "t"))
    words = next(described.iter(f"{SVG}desc")).text or ""
    assert all(entry.tool in words and entry.words in words for entry in entries)


def test_hostile_names_stay_text() -> None:
    """A tool, a state or a label that tries to leave its element is shown as letters."""
    detection = sample_data.promo_complaint(HOSTILE, NOW, 0)
    detection = replace(
        detection,
        act=replace(detection.act, tool=HOSTILE),
        evidence=(replace(detection.evidence[0], tool=HOSTILE + "2", data={"kind": HOSTILE, "case": HOSTILE}),),
    )
    for width in (WIDE, NARROW):
        svg = draw(
            detection_drawing(detection, entries_of(detection, None), SPECS[detection.rule], None, HOSTILE), width, "t"
        )
        assert "<script" not in svg
        assert "\x00" not in svg
        assert "\u202e" not in svg
        assert any(text.startswith('"><script>') for text in texts_of(parsed(svg)))


def test_a_customer_without_facts_has_an_empty_picture() -> None:
    """No mark, no bar, and still a picture that a browser can read."""
    root = parsed(draw(customer_drawing(CustomerView("c"), [], SPECS, 80), WIDE, "c"))
    assert [] == list(root.iter(f"{SVG}g"))


WORDS = st.text(max_size=30)
TIMES = st.integers(-(10**15), 4 * 10**15)
KINDS = st.sampled_from(["act", "evidence", "late", "missing", "due", "context", "alert"])


@given(
    st.lists(
        st.builds(Mark, KINDS, WORDS, TIMES, WORDS, st.sampled_from(["", "1", "12"]), st.none() | TIMES), max_size=12
    ),
    st.lists(st.tuples(WORDS, TIMES, TIMES, WORDS), max_size=4),
    st.sampled_from([WIDE, NARROW]),
)
def test_anything_can_be_drawn(marks: list[Mark], spans: list[tuple[str, int, int, str]], width: int) -> None:
    """Any names, any times, any order: well-formed XML comes out."""
    bars = [
        Bar(lane, min(start, end), None if start > end else max(start, end), text) for lane, start, end, text in spans
    ]
    shades = [Shade("grace", lane, min(start, end), max(start, end), text) for lane, start, end, text in spans]
    rulers = [Ruler(lane, min(start, end), max(start, end), text) for lane, start, end, text in spans]
    parsed(draw(Drawing("t", "d", marks, bars, shades, rulers), width, "t"))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_labels_of_one_row_do_not_cover_each_other(width: int) -> None:
    """By the estimate of their lengths, no two words of the customer's picture share a place."""
    root = parsed(draw(customer_drawing(sample_data.main_customer(), [], SPECS, 80), width, "c"))
    rows: dict[str, list[tuple[float, float]]] = {}
    for text in root.iter(f"{SVG}text"):
        css = text.get("class") or ""
        if css.startswith(("mark-text", "bar-text")):
            start = float(text.get("x", ""))
            rows.setdefault(text.get("y", ""), []).append((start, start + 6.2 * len(text.text or "")))
    for spans in rows.values():
        spans.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
