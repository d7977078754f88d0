"""What a mapping reads of a payload, what it only looks at, and what it leaves behind."""

import json
from pathlib import Path

import pytest

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.cli import main
from coordwatch.cli.sources_shown import side_by_side
from coordwatch.sources.coverage import coverage
from coordwatch.sources.examples import example_pieces, run_examples
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record
from tests.sources.build import mapping

OWN = """
id: {digest: [number, at]}
time: {path: at, format: iso}
identifiers: [{type: email, path: who.mail}]
let: {parts: lines, u: {first_of: [user, owner]}}
drop_if: [{when: {internal: true}, reason: staff}]
emit:
  - event: service.case.opened
    when: {action: opened}
    refs: {case: {template: "t:{number}"}, order: "lines[*].order", account: $let.u.id}
    set: {kind: {path: topic, map: {a: claim}, default: question}, items: {each: $let.parts, fields: {sku: $each.sku}}}
tests:
  - name: a case
    payload:
      number: 1
      action: opened
      at: "2026-01-31T09:30:00Z"
      internal: false
      topic: a
      who: {mail: mina@example.com, name: M}
      lines: [{order: "7", sku: A, price: 3}]
      user: {id: U-1, name: M}
      text: never seen
      tags: [a, b]
    events: [{type: service.case.opened, case: "t:1"}]
"""


def test_every_field_of_a_payload_is_in_one_of_three() -> None:
    own = mapping(OWN)
    found = coverage(own, example_pieces(own))
    assert found.taken == ("at", "lines[*].order", "lines[*].sku", "number", "topic", "user.id", "who.mail")
    assert found.looked_at == ("action", "internal")
    assert found.left == ("lines[*].price", "tags", "text", "user.name", "who.name")


def test_before_and_after_stand_side_by_side() -> None:
    own = mapping(OWN)
    (result,) = run_examples(own)
    lines = list(side_by_side(result, 100))
    assert lines[0].split("|")[1].strip() == "service.case.opened"
    assert any(
        '"action": "opened",' in line and "| " in line and "time: 2026-01-31T09:30:00Z" in line for line in lines
    )
    assert not [line for line in lines if len(line) > 100]


def test_what_is_refused_and_left_aside_is_shown_with_its_reason() -> None:
    (sendgrid,) = [one for one in load_mappings() if one.name == "sendgrid"]
    lines = [line for result in run_examples(sendgrid) for line in side_by_side(result, 160)]
    assert any("refused: wrong_kind at email:" in line for line in lines)
    assert any("left aside: already_reported" in line for line in lines)


def test_the_command_shows_examples_and_fields_and_those_of_other_payloads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, payloads = tmp_path / "own.yaml", tmp_path / "payloads.json"
    own.write_text("source: tool\nfamily: crm\n" + OWN)
    payloads.write_text(json.dumps({"number": 2, "at": "2026-01-31T09:30:00Z", "other": {"thing": 1}}))
    assert main(["sources", "test", str(own), "--show", "--fields", str(payloads)]) == 0
    example, fields = map(json.loads, capsys.readouterr().out.splitlines())
    assert example["result"] == "pass"
    assert example["before"]["number"] == 1
    assert example["events"][0]["case"] == "t:1"
    assert fields == {"source": "tool", "fields": {"taken": ["at", "number"], "looked_at": [], "left": ["other.thing"]}}


def test_a_record_that_cannot_be_read_has_no_pieces() -> None:
    own = Mapper([mapping(OWN)])
    assert [own.pieces(Record(value), "tool") for value in (b"{", None, b"[]", b"7")] == [[], [], [], []]
