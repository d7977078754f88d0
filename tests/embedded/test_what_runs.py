"""What a process begins with stands in the audit trail where it changed, and its head is noted beside the database."""

from dataclasses import replace

import pytest

from coordwatch.adapters.audit_anchor import Anchor, Pruning
from coordwatch.adapters.memory.trail import MemoryTrail
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app.channels import desk_of
from coordwatch.app.content import load_rules
from coordwatch.app.what_runs import note_what_runs
from coordwatch.audit.chain import check, heads_in
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.trail import Asked
from coordwatch.codec import decode_json
from coordwatch.errors import DocumentError
from coordwatch.events.times import DAY, MINUTE
from coordwatch.rules.spec import RuleStatus
from coordwatch.settings import read_settings
from tests.build import NOW


def settings_of(tmp_path, text):
    path = tmp_path / "coordwatch.yaml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def test_only_what_changed_is_written_down(tmp_path, monkeypatch):
    trail, rules = MemoryTrail(), load_rules().specs[:3]
    first = settings_of(tmp_path, "settle: 1m\n")
    note_what_runs(first, rules, trail, NOW)
    assert [link.kind for link in trail.links()] == ["settings.load", *["rules.load"] * 3]
    note_what_runs(first, rules, trail, NOW + 1)
    assert trail.head().number == 4
    changed = [replace(rules[0], status=RuleStatus.SHADOW), rules[1]]
    note_what_runs(settings_of(tmp_path, "settle: 2m\n"), changed, trail, NOW + 2)
    found = [(link.kind, link.subject, decode_json(link.facts).get("status")) for link in trail.links(4)]
    assert found == [
        ("settings.load", "", None), ("rules.load", rules[0].id, "shadow"), ("rules.load", rules[2].id, "gone"),
    ]  # fmt: skip
    note_what_runs(settings_of(tmp_path, "settle: 2m\n"), changed, trail, NOW + 3)
    assert trail.head().number == 7
    monkeypatch.setenv("COORDWATCH_TOKEN", "canary-of-the-token-2e")
    note_what_runs(settings_of(tmp_path, "settle: 2m\n"), changed, trail, NOW + 4)
    assert trail.page(Asked(kind="settings.load"), 1)[0].number == 8
    assert not any("canary" in link.facts for link in trail.links())
    monkeypatch.setenv("COORDWATCH_TOKEN", "another-of-the-token-3f")
    note_what_runs(settings_of(tmp_path, "settle: 2m\n"), changed, trail, NOW + 5)
    assert trail.head().number == 8, "a digest tells nothing of a secret, not even that it changed"


def test_the_head_is_noted_now_and_then_where_something_was_done(tmp_path, caplog):
    trail, path = MemoryTrail(), tmp_path / "heads.txt"
    anchor = Anchor(path, trail, 10 * MINUTE)
    for minute in range(0, 60, 5):
        if minute < 40:
            trail.add([Deed(NOW, "ada", DeedKind.VIEW_SAVE, str(minute))])
        anchor.note(NOW + minute * MINUTE)
    noted = list(heads_in(path.read_text()))
    assert [one.number for one in noted] == [1, 3, 5, 7, 8]
    assert check(trail.links(), noted).broken is None
    assert check(list(trail.links())[:6], noted).broken.number == 7
    trail.add([Deed(NOW, "ada", DeedKind.VIEW_SAVE)])
    lost = Anchor(tmp_path / "no" / "heads.txt", trail, 0)
    lost.note(NOW)
    assert "is not noted in" in caplog.text


def test_the_trail_is_kept_for_ever_or_as_long_as_the_settings_say(tmp_path):
    path = tmp_path / "cw.yaml"
    kept = []
    for text in ("{}", "audit: {keep: 400d}"):
        path.write_text(text)
        store = SqlStore(tmp_path / "a.db", {}, durable=False)
        pruning = desk_of(read_settings(path), store, {}, alone=True).pruning
        kept.append(None if pruning is None else pruning.keep)
        store.close()
    assert kept == [None, 400 * DAY]
    path.write_text("audit: {keep: 7d}")
    with pytest.raises(DocumentError, match="kept for 30d at least"):
        read_settings(path)


def test_what_is_older_is_let_go_of_once_an_hour():
    asked = []

    class Prunes:
        def prune(self, before, now):
            asked.append((before, now))
            return len(asked)

    pruning = Pruning(Prunes(), 40 * DAY)
    for minute in (0, 30, 59, 60, 61):
        pruning.note(NOW + minute * MINUTE)
    assert asked == [(at - 40 * DAY, at) for at in (NOW, NOW + 60 * MINUTE)]
