"""`coordwatch simulate` and its score, as a person types them."""

import argparse
import io
import json
from pathlib import Path

import pytest

from coordwatch.adapters.files import load_rules
from coordwatch.cli import simulate as command
from coordwatch.codec import encode_json
from coordwatch.engine.replay import replay_events
from coordwatch.events.event import Event
from coordwatch.events.wire import decode_event

SMALL = ("--customers", "40", "--days", "2", "--seed", "4")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser(prog="coordwatch simulate")
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def lines(data: bytes) -> list[dict]:
    return [json.loads(line) for line in data.splitlines()]


def simulated(folder: Path) -> tuple[Path, Path, list[dict]]:
    labels, events, detections = folder / "labels.jsonl", folder / "events.jsonl", folder / "detections.jsonl"
    assert run(*SMALL, "--labels", str(labels), "--out", str(events)) == 0
    history = [event for event in map(decode_event, events.read_bytes().splitlines()) if isinstance(event, Event)]
    rows = replay_events(load_rules(None).specs, history)
    detections.write_bytes(b"".join(encode_json(row) + b"\n" for row in rows))
    return labels, detections, rows


def test_canonical_lines_are_canonical_events_with_their_customer(capsysbinary):
    assert run(*SMALL) == 0
    out = capsysbinary.readouterr().out
    events = [decode_event(line) for line in out.splitlines()]
    assert len(events) > 200
    assert all(isinstance(event, Event) for event in events)
    assert any(event.subject == "C-100001" for event in events if isinstance(event, Event))


def test_the_same_words_give_the_same_bytes_and_another_seed_gives_others(capsysbinary):
    outs = []
    for words in (SMALL, SMALL, (*SMALL[:-1], "5")):
        assert run(*words) == 0
        outs.append(capsysbinary.readouterr().out)
    assert outs[0] == outs[1] != outs[2]


def test_vendor_lines_are_records_as_the_log_holds_them(capsysbinary):
    assert run(*SMALL, "--shape", "vendor") == 0
    records = lines(capsysbinary.readouterr().out)
    assert {record["topic"] for record in records} >= {"sendgrid.events", "rasa.events", "shopify.webhooks"}
    assert all(record.keys() == {"topic", "timestamp", "headers", "value"} for record in records)
    shop = next(record for record in records if record["topic"] == "shopify.webhooks")
    assert shop["headers"]["X-Shopify-Topic"]


def test_a_file_can_take_the_place_of_standard_output(tmp_path, capsysbinary):
    target = tmp_path / "events.jsonl"
    assert run(*SMALL, "--out", str(target)) == 0
    assert capsysbinary.readouterr().out == b""
    assert run(*SMALL) == 0
    assert target.read_bytes() == capsysbinary.readouterr().out


def test_labels_say_which_act_was_what_and_why(tmp_path):
    labels, _, _ = simulated(tmp_path)
    plain = lines(labels.read_bytes())
    assert {label["kind"] for label in plain} == {"true_conflict", "hard_negative"}
    assert all(label["act"].keys() == {"source", "id"} and label["because"] for label in plain)


def test_a_perfect_score_says_so_and_exits_0(tmp_path, capsys):
    labels, detections, _ = simulated(tmp_path)
    assert run("score", "--labels", str(labels), str(detections)) == 0
    out = capsys.readouterr().out
    assert "promo-during-open-complaint      precision 1.000  recall 1.000" in out
    assert out.endswith("Everything that the logs can show was found, nothing else.\n")


def test_a_missed_and_an_invented_detection_are_explained_and_exit_1(tmp_path, capsys):
    labels, detections, rows = simulated(tmp_path)
    wanted = [one for one in lines(labels.read_bytes()) if one["kind"] == "true_conflict" and one["published"]]
    missing = next(row for row in rows if any(one["act"]["id"] == row["act"]["id"] for one in wanted))
    strange = {**missing, "act": {**missing["act"], "id": "strange"}}
    changed = [strange, *(row for row in rows if row is not missing)]
    detections.write_bytes(b"".join(encode_json(row) + b"\n" for row in changed))
    assert run("score", "--labels", str(labels), str(detections)) == 1
    out = capsys.readouterr().out
    assert f"    missed: {missing['act']['source']} {missing['act']['id']}: not raised, customer " in out
    assert f"    invented: {missing['act']['source']} strange: raised at {missing['at']}" in out
    assert out.splitlines()[-1] == f"Not perfect: {missing['rule']}."


def test_detections_may_come_by_standard_input_and_the_score_as_json(tmp_path, capsys, monkeypatch):
    labels, detections, _ = simulated(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(detections.read_bytes())))
    assert run("score", "--labels", str(labels), "-", "--json") == 0
    scores = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["rule"] for one in scores] == sorted(one["rule"] for one in scores)
    assert all(one["precision"] in (1.0, None) and one["missed"] == [] for one in scores)


def test_what_was_retracted_on_the_way_does_not_count(tmp_path):
    labels, detections, rows = simulated(tmp_path)
    trail = {**rows[0], "act": {**rows[0]["act"], "id": "strange"}, "change": "retracted"}
    with detections.open("ab") as file:
        file.write(encode_json(trail) + b"\n")
    assert run("score", "--labels", str(labels), str(detections)) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--days", "0"), "--days: a number from 1 to 3,650"),
        (("--customers", "-1"), "--customers: a number from 1 to 1,000,000"),
        (("--start", "yesterday"), "--start: not a time with a zone"),
        (("--out", "/nowhere/at/all.jsonl"), "/nowhere/at/all.jsonl"),
    ],
)
def test_bad_words_are_refused_with_exit_2(words, said, capsys):
    assert run(*SMALL, *words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "labels.jsonl:1: not JSON"),
        (b'\n{"rule": "r"}\n', "labels.jsonl:2: no label"),
        (b"[]\n", "labels.jsonl:1: no label"),
    ],
)
def test_labels_that_are_none_name_their_line(content, said, tmp_path, capsys):
    labels, detections = tmp_path / "labels.jsonl", tmp_path / "detections.jsonl"
    labels.write_bytes(content)
    detections.write_bytes(b"")
    assert run("score", "--labels", str(labels), str(detections)) == 2
    assert said in capsys.readouterr().err


def test_detections_that_are_none_name_their_line(tmp_path, capsys):
    labels, detections = tmp_path / "labels.jsonl", tmp_path / "detections.jsonl"
    labels.write_bytes(b"")
    detections.write_bytes(b'{"rule": "r", "act": "a text"}\n')
    assert run("score", "--labels", str(labels), str(detections)) == 2
    assert "detections.jsonl:1: no detection" in capsys.readouterr().err


def test_nothing_to_score_says_so(tmp_path, capsys):
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    assert run("score", "--labels", str(empty), str(empty)) == 0
    assert "Nothing to score" in capsys.readouterr().out
