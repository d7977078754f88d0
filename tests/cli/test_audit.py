"""`coordwatch audit` as it is typed."""

import json
import sqlite3
import subprocess
import sys

import pytest

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.audit.chain import GENESIS
from coordwatch.cli import main
from coordwatch.events.times import DAY
from tests.build import CARDS, NOW, fill
from tests.tidy.tree import ROOT


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("audit") / "a.db"
    store = SqlStore(path, CARDS, durable=False)
    fill(store)
    store.close()
    return path


def said(capsys, *words: str, code: int = 0):
    assert main(["audit", *words]) == code
    return capsys.readouterr()


def test_it_is_listed_and_filtered(database, capsys):
    rows = [
        json.loads(line)
        for line in said(capsys, "list", "--database", str(database), "--actor", "ada@ops.test").out.splitlines()
    ]
    assert [row["kind"] for row in rows] == ["alert.snooze", "alert.acknowledge"]
    more = said(capsys, "list", "--database", str(database), "--kind", "alert", "--limit", "2")
    assert more.err.startswith("more: --before ")


def test_what_was_exported_shows_that_the_end_was_cut_off(database, capsys, tmp_path):
    copy = tmp_path / "copy.db"
    with sqlite3.connect(database) as raw, sqlite3.connect(copy) as other:
        raw.backup(other)
    exported = said(capsys, "export", "--database", str(copy))
    head = exported.err.removeprefix("head: ").strip()
    assert json.loads(exported.out.splitlines()[-1])["seal"] == head.partition(":")[2]
    assert said(capsys, "verify", "--database", str(copy), "--head", head).out.startswith("whole, ")
    with sqlite3.connect(copy) as raw:
        raw.executescript(
            "DROP TRIGGER trail_stays_delete; DELETE FROM trail WHERE number = (SELECT max(number) FROM trail)"
        )
    assert said(capsys, "verify", "--database", str(copy)).out.startswith("whole, ")
    (tmp_path / "anchors").write_text(f"2026-03-02T12:00:00Z {head}\n", encoding="utf-8")
    for noted in (["--head", head], ["--anchor", str(tmp_path / "anchors")]):
        told = said(capsys, "verify", "--database", str(copy), "--json", *noted, code=1)
        assert (json.loads(told.out)["flaw"], json.loads(told.out)["broken"]) == ("cut", int(head.partition(":")[0]))


def test_what_was_pruned_is_said_and_the_rest_is_checked(database, capsys, tmp_path):
    copy = tmp_path / "copy.db"
    with sqlite3.connect(database) as raw, sqlite3.connect(copy) as other:
        raw.backup(other)
    store = SqlStore(copy, {}, durable=False)
    trail = store.trail()
    assert trail.prune(NOW + DAY, NOW + 40 * DAY, 1) == 1
    base = trail.base()
    store.close()
    told = said(capsys, "verify", "--database", str(copy), "--head", f"0:{GENESIS}")
    assert told.out.startswith("whole, ")
    assert told.err.strip() == f"pruned through {base}; heads before it, which can be looked for no more: 1"
    assert said(capsys, "export", "--database", str(copy)).err.startswith(f"begins behind: {base}")


def test_the_first_broken_entry_is_named(database, capsys, tmp_path):
    copy = tmp_path / "copy.db"
    with sqlite3.connect(database) as raw, sqlite3.connect(copy) as other:
        raw.backup(other)
        other.executescript("DROP TRIGGER trail_stays_update; UPDATE trail SET actor = 'me' WHERE number IN (6, 9)")
    assert said(capsys, "verify", "--database", str(copy), code=1).out.startswith("broken at entry 6 (changed): ")


def test_an_alert_that_was_changed_past_the_trail_is_named(database, capsys, tmp_path):
    copy = tmp_path / "copy.db"
    with sqlite3.connect(database) as raw, sqlite3.connect(copy) as other:
        raw.backup(other)
        (alert,) = other.execute("SELECT id FROM alerts WHERE status = 'acknowledged'").fetchone()
        other.execute("UPDATE alerts SET status = 'resolved' WHERE id = ?", [alert])
    told = said(capsys, "verify", "--database", str(copy), code=1).out
    assert told.startswith("broken at entry ")
    assert f"(past): alert {alert} is resolved, and the trail left it acknowledged" in told


def test_what_cannot_be_done_is_said(database, capsys, tmp_path):
    assert "there is no database" in said(capsys, "verify", "--database", str(tmp_path / "no.db"), code=2).err
    assert "no head" in said(capsys, "verify", "--database", str(database), "--head", "x", code=2).err
    assert (
        "cannot be read"
        in said(capsys, "verify", "--database", str(database), "--anchor", str(tmp_path / "no"), code=2).err
    )


def test_an_export_is_checked_without_this_program_as_the_guide_says(database, capsys):
    guide = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    program = guide.partition("```python\n")[2].partition("```")[0]
    exported = said(capsys, "export", "--database", str(database)).out
    done = subprocess.run([sys.executable, "-c", program], input=exported, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = exported.splitlines()
    broken = "\n".join([*lines[:3], lines[3].replace('"actor":"', '"actor":"x'), *lines[4:]])
    done = subprocess.run([sys.executable, "-c", program], input=broken, capture_output=True, text=True, check=False)
    assert "entry 4 is broken" in done.stderr
