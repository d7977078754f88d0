"""A first mapping read off payloads: it runs as it is, says why, gives nobody away, and is right more often than not."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.cli import main
from coordwatch.cli.sources_infer import inferred
from coordwatch.codec import encode_json
from coordwatch.events.times import format_time
from coordwatch.sources.infer.infer import propose
from coordwatch.sources.infer.shapes import masked
from coordwatch.sources.infer.writing import mapping_yaml
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.parse import parse_mappings
from coordwatch.sources.record import Record
from tests.sources.infer_measure import measure
from tests.sources.shipped import SOURCES, golden_records, shipped_mapper


def a_ticket(number: int, kind: str) -> dict[str, object]:
    return {
        "schema": None,
        "payload": {
            "event_id": f"5d0f4a1c-0000-4000-8000-00000000000{number}",
            "event": f"ticket.{kind}",
            "occurred_at": f"2026-01-31T09:30:0{number}+01:00",
            "ticket": {"id": 40 + number % 2, "subject": "my parcel is late", "assignee_email": "sam@example.org"},
            "customer": {"id": f"C-{number}", "email": f"mina{number}@example.com", "phone": "+1-555-0100"},
            "expires_at": "2026-02-28T00:00:00Z",
        },
    }


TICKETS = [
    Record(encode_json(a_ticket(n, kind))) for n, kind in enumerate(["created", "solved", "reopened", "tagged", "odd"])
]


def test_a_help_desk_is_read_without_a_line_by_hand() -> None:
    text = inferred(TICKETS, "house-desk")
    assert "Of these 5 payloads it makes 4 events, leaves 0 aside and refuses 1 (not_recognised 1)." in text
    (mapping,) = parse_mappings(text, "proposal.yaml")
    mapper = Mapper([mapping])
    events = [event for record in TICKETS for event in mapper.map_record(record, "house-desk").events]
    assert [(event.type, event.data.get("status")) for event in events] == [
        ("service.case.opened", None),
        ("service.case.status_changed", "solved"),
        ("service.case.status_changed", "reopened"),
        ("service.case.updated", None),
    ]
    first = events[0]
    assert (first.id, format_time(first.time)) == ("5d0f4a1c-0000-4000-8000-000000000000", "2026-01-31T08:30:00Z")
    assert first.data["case"] == "40"
    assert first.data["identifiers"] == [
        {"type": "email", "value": "mina0@example.com"},
        {"type": "phone", "value": "+1-555-0100"},
        {"type": "customer_id", "value": "C-0"},
    ]
    assert (mapping.family, [one.name for one in mapping.unwrap]) == ("crm", ["connect"])


def test_it_says_how_sure_it_is_and_shows_three_values_that_give_nobody_away() -> None:
    text = inferred(TICKETS, "house-desk")
    assert '- {type: email, path: "customer.email"}  # 0.95: m***@e***.com' in text
    assert '# - {type: email, path: "ticket.assignee_email"}  # perhaps not the customer' in text
    assert '- {path: "occurred_at", format: iso}  # 1.00: 2026-01-31T09:30:00+01:00, ' in text
    assert '# "ticket.odd" (1) is unknown: give it an event, or name it under drop_if.' in text
    assert "#   ticket.subject: my *** (17 characters)" in text
    assert not [word for word in ("mina", "sam@", "555", "parcel") if word in text]


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_proposed_for_a_vendor_runs_as_it_is_and_shows_no_address(source: str) -> None:
    records = golden_records(source)
    text = inferred(records, source)
    parse_mappings(text, f"{source}.yaml")
    named = [event.data.get("identifiers", ()) for one in records for event in shipped_mapper().map_record(one).events]
    emails = {one["value"] for each in named for one in each if one["type"] == "email" and "@" in one["value"]}
    assert [] == [email for email in emails if email in text]


def test_id_time_and_identifiers_are_found_as_a_person_mapped_them() -> None:
    """The numbers only go up; `python -m tests.sources.infer_measure` prints the table."""
    found = [one for source in SOURCES if (one := measure(source)) is not None]
    ids, times, identifiers = (sum(marks) for marks in zip(*(one.marks for one in found), strict=True))
    assert len(found) >= 37
    assert (ids >= 34, times >= 28, identifiers >= 16) == (True, True, True), (ids, times, identifiers)


ODD = [
    "",
    "x y",
    "a.b",
    "$",
    "[*]",
    'q"',
    "a: b",
    "y",
    "null",
    "Call",
    "order_id",
    "message_id",
    "event",
    "data",
    "payload",
    "schema",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(ODD) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(JSON, min_size=1, max_size=6))
def test_whatever_the_payloads_are_the_proposal_can_be_read_back(bodies: list[object]) -> None:
    records = [Record(json.dumps(body).encode("utf-8", "surrogatepass")) for body in bodies]
    proposal = propose(records, "tool")
    if proposal.pieces:
        parse_mappings(mapping_yaml(proposal), "proposal.yaml")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("mina@example.com", "m***@e***.com"),
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"),
        ("C-1", "***"),
        ("+1-555-0100", "+1-***"),
        ("a long text about a person", "a l*** (26 characters)"),
        (True, "true"),
    ],
)
def test_a_value_is_shown_by_its_form(value: object, shown: str) -> None:
    assert masked(value) == shown


def test_the_command_reads_files_and_writes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    payloads, out = tmp_path / "Help Desk.ndjson", tmp_path / "own.yaml"
    payloads.write_bytes(b"\n".join(record.value or b"" for record in TICKETS))
    assert main(["sources", "infer", str(payloads), "--out", str(out)]) == 0
    assert "\nsource: help-desk\n" in out.read_text()
    assert main(["map", "--config", str(out), "--source", "help-desk", str(payloads)]) == 1, "one payload is unknown"
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["sources", "infer", str(payloads), "--out", str(out)]) == 2, "nothing is written over"
    assert main(["sources", "infer"]) == 2
    assert main(["sources", "infer", str(tmp_path / "gone")]) == 2
    (tmp_path / "text").write_text("no json at all")
    assert main(["sources", "infer", str(tmp_path / "text")]) == 2
    assert "nothing can be read off them" in capsys.readouterr().err
