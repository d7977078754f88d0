"""The settings in force as people see them: every one, where it comes from, and no secret."""

from pathlib import Path

import pytest

from coordwatch.settings import demo_settings, read_settings
from coordwatch.settings.shown import shown_settings

SECRET = "0f3a9c1d2b4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5061728394a5b6c7d8e"
YAML = """\
database: mine.db
identity:
  park_for: 2h
inputs:
  - {kind: http, name: shop, disorder: 5m}
channels:
  - {kind: webhook, name: hook, url: "https://hooks.example.com/services/T0/S3CRET?key=S3CRET"}
"""


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """The settings of a site by name: value and origin."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "coordwatch_identity__key").write_text(SECRET, encoding="utf-8")
    for name, value in (
        ("COORDWATCH_TOKEN", SECRET),
        ("COORDWATCH_CHANNEL_SECRETS__HOOK", SECRET),
        ("COORDWATCH_SETTLE", "90s"),
        ("COORDWATCH_SECRETS_DIR", str(secrets)),
    ):
        monkeypatch.setenv(name, value)
    (tmp_path / "site.yaml").write_text(YAML, encoding="utf-8")
    return {one.name: (one.value, one.origin) for one in shown_settings(read_settings(tmp_path / "site.yaml"))}


def test_every_setting_says_where_it_comes_from(shown: dict[str, tuple[str, str]]) -> None:
    assert shown["database"][1] == "site.yaml, line 1"
    assert shown["identity.park_for"] == ("2h", "site.yaml, line 3")
    assert shown["inputs[1].disorder"] == ("5m", "site.yaml, line 5")
    assert shown["settle"] == ("1m30s", "environment, COORDWATCH_SETTLE")
    assert shown["identity.key"] == ("set, and hidden", "a file of the secrets folder")
    assert shown["identity.fanout_max"] == ("20", "default")
    assert shown["kafka"] == ("not set", "default")


def test_no_secret_is_shown(shown: dict[str, tuple[str, str]]) -> None:
    assert shown["token"] == ("set, and hidden", "environment, COORDWATCH_TOKEN")
    assert shown["channel_secrets.hook"] == ("set, and hidden", "environment, COORDWATCH_CHANNEL_SECRETS__HOOK")
    assert shown["channels[1].url"][0] == "https://hooks.example.com/…"
    everything = repr(shown)
    assert SECRET not in everything
    assert "S3CRET" not in everything


def test_settings_that_a_program_wrote_come_from_no_file() -> None:
    shown = shown_settings(demo_settings({"bind": "127.0.0.1:9"}), {})
    assert {"default"} == {one.origin for one in shown}
