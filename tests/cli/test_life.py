"""`coordwatch incidents` and `coordwatch silences`: what people do from a terminal."""

import csv
import io
import json

import pytest

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.cli import main
from tests.build import CARDS, NOW, fill


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "a.db"
    store = SqlStore(path, CARDS, durable=False)
    fill(store)
    store.holding().prepare(NOW)
    store.incidents().refresh(NOW)
    store.close()
    return str(path)


@pytest.fixture
def said(capsys, database):
    def one(*words, code=0):
        assert main([*words, "--database", database]) == code
        out = capsys.readouterr()
        return [json.loads(line) for line in out.out.splitlines() if line.startswith("{")] if code == 0 else out.err

    return one


def test_incidents_are_listed_shown_taken_and_given_back(said):
    every = said("incidents", "list", "--sort", "customers")
    first = every[0]
    assert first["customers"] >= every[-1]["customers"]
    (shown,) = said("incidents", "show", first["id"])
    assert shown["causes"][0]["evidence"]
    (taken,) = said("incidents", "ack", first["id"], "--actor", "ada", "--note", "pausing it", "--version", "1")
    assert (taken["status"], taken["taken_by"], taken["note"]) == ("acknowledged", "ada", "pausing it")
    assert "at version 2, not 1" in said("incidents", "resolve", first["id"], "--version", "1", code=2)
    (back,) = said("incidents", "undo", first["id"])
    assert back["status"] == "open"
    assert "there is no incident 'none'" in said("incidents", "show", "none", code=2)


def test_the_customers_to_repair_are_taken_along(said, capsys, database):
    first = said("incidents", "list", "--sort", "customers")[0]["id"]
    lines = said("incidents", "repairs", first)
    (done,) = said("incidents", "repair", first, lines[0]["customer"], "--note", "=called", "--actor", "ada")
    assert (done["state"], done["by"]) == ("repaired", "ada")
    assert main(["incidents", "repairs", first, "--csv", "--database", database]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out.removeprefix("\ufeff"))))
    assert [row["customer"] for row in rows] == [line["customer"] for line in lines]
    assert rows[0]["note"] == "'=called"


def test_silences_are_made_listed_and_ended(said):
    (made,) = said(
        "silences", "add", "severity=low", 'tool=~"Ad.*"', "--for", "2h", "--comment", "a test", "--actor", "ada"
    )
    assert (made["state"], made["matchers"], made["created_by"]) == ("active", 'severity=low, tool=~"Ad.*"', "ada")
    (later,) = said("silences", "add", "bot-loop", "--from", "1h", "--for", "1h", "--comment", "a test")
    assert later["state"] == "pending"
    assert [one["id"] for one in said("silences", "list")] == [made["id"], later["id"]]
    (ended,) = said("silences", "expire", made["id"])
    assert ended["state"] == "expired"
    assert said("silences", "list", "--state", "active") == []
    assert "no alert has a label" in said("silences", "add", "colour=red", "--for", "1h", "--comment", "x", code=2)
    assert "there is no silence" in said("silences", "expire", "none", code=2)
