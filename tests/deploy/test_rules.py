"""Prometheus' rules: checked and tried by Prometheus' own tool, and held against the metrics that we export."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.rules import FILES, FOLDER, alerts, rules
from tests.tidy.tree import ROOT

TESTS = sorted((FOLDER / "tests").glob("*.yml"))
GUIDE = ROOT / "docs" / "deploy.md"


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_rules(promtool: str) -> None:
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *FILES)


def test_the_rules_do_what_their_tests_say(promtool: str) -> None:
    assert len(TESTS) == len(FILES)
    run(promtool, "test", "rules", *TESTS)


def test_prometheus_takes_its_configuration(promtool: str, tmp_path: Path) -> None:
    """With the token in place, as in the container."""
    token = tmp_path / "token"
    token.write_text("invented", encoding="utf-8")
    text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    moved = text.replace("/run/secrets/coordwatch_token", str(token)).replace("rules/*", f"{FOLDER}/rules/*")
    (tmp_path / "prometheus.yml").write_text(moved, encoding="utf-8")
    run(promtool, "check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yml")


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_can_be_understood_at_night(name: str) -> None:
    """A summary with the place, a description in sentences, and a heading in the guide that says what to do."""
    alert = alerts()[name]
    assert name.startswith("Coordwatch")
    assert alert["labels"]["severity"] in ("critical", "warning")
    said = alert["annotations"]
    assert set(said) == {"summary", "description", "runbook_url"}
    assert len(said["summary"]) <= 100
    assert said["description"].endswith(".")
    assert not re.search(r"promql|histogram|lag\b|offset|consumer group", said["description"], re.IGNORECASE)
    page, _, heading = said["runbook_url"].partition("#")
    assert ROOT / page == GUIDE
    assert heading == name.lower()
    assert f"### {name}\n" in GUIDE.read_text(encoding="utf-8")


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    loaded = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in TESTS]
    tried = [one for file in loaded for test in file["tests"] for one in test.get("alert_rule_test", ())]
    fired = {one["alertname"] for one in tried if one["exp_alerts"]}
    assert fired == set(alerts())


def test_every_recorded_series_has_a_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in TESTS)
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    assert len(recorded) > 10
    assert [] == sorted(name for name in recorded if name not in text)
