"""What a process begins with stands in the audit trail where it changed, and its head is noted beside the database."""

from dataclasses import replace

from coordwatch.adapters.audit_anchor import Anchor
from coordwatch.adapters.memory.trail import MemoryTrail
from coordwatch.app.content import load_rules
from coordwatch.app.what_runs import note_what_runs
from coordwatch.audit.chain import check, heads_in
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.trail import Asked
from coordwatch.codec import decode_json
from coordwatch.events.times import MINUTE
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
