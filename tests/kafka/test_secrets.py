"""No command says a secret: not when it works, not when it fails, not in a refusal of wrong settings."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coordwatch.cli import COMMANDS, main
from tests.kafka.secured import give, least_rights
from tests.services.kafka import Cluster
from tests.services.topics import Topics

NOT_IT, KEY, TOKEN = "canary-not-the-password", "canary-of-the-identity-key-1f", "canary-of-the-token-2e"
ASK = ("--kafka", "secrets.cw.events@..", "--config")
WITH_SETTINGS: dict[str, tuple[str, ...]] = {
    "serve": ("serve", "--config"),
    "worker": ("worker", "--config"),
    "replay": ("replay", *ASK),
    "backtest": ("backtest", "--rules", "rule.yaml", *ASK),
    "map": ("map", "-", "--config"),
    "doctor": ("doctor", "--config"),
    "alerts": ("alerts", "list", "--config"),
    "dead-letters": ("dead-letters", "list", "--config"),
    "identity": ("identity", "explain", "email:ann@example.com", "--config"),
    "subject": ("subject", "export", "email:ann@example.com", "--config"),
    "forget": ("forget", "email:ann@example.com", "--config"),
    "channels": ("channels", "list", "--config"),
    "audit": ("audit", "verify", "--config"),
    "incidents": ("incidents", "list", "--config"),
    "report": ("report", "--config"),
    "silences": ("silences", "list", "--config"),
    "users": ("users", "list", "--config"),
    "tokens": ("tokens", "list", "--config"),
}
WITHOUT = {"demo", "explain", "rules", "sources", "simulate"}
RULE = """\
{id: promo, title: A promotion, status: live, severity: low, owner: nobody, why: It is an example.,
 when: {promo: {event: marketing.message.sent}}}
"""


def test_every_command_that_takes_settings_is_tried() -> None:
    assert set(WITH_SETTINGS) | WITHOUT == set(COMMANDS)
    for name in WITHOUT:
        shown = subprocess.run([sys.executable, "-m", "coordwatch", name, "--help"], capture_output=True, check=True)
        assert b"--config" not in shown.stdout, name


def run(folder: Path, words: tuple[str, ...], text: str, secrets: dict[str, str]) -> str:
    """Everything that a command says on this machine's settings."""
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    (folder / "rule.yaml").write_text(RULE, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COORDWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "coordwatch", *words, str(folder / "site.yaml")],
        cwd=folder, env=environment | secrets, capture_output=True, check=False, timeout=300, input=b"{}\n",
    )  # fmt: skip
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "site.yaml")
    return (done.stdout + done.stderr + written).decode("utf-8", "replace")


def site(cluster: Cluster, security: str) -> str:
    return (
        "bind: 127.0.0.1:0\nrules: [rule.yaml]\nidentity: {mode: trusted_id}\n"
        f"kafka: {{bootstrap: '{cluster.addresses('SASLSSL')}', prefix: secrets.cw, replication: 1, partitions: 1,\n"
        f"  security: {{protocol: sasl_ssl, ca: '{cluster.certificates}/ca.pem', {security}}}}}\n"
        "inputs: [{kind: kafka, name: shop, topic: secrets.shop, source: shopify}]\n"
    )


SHARED = {"COORDWATCH_IDENTITY__KEY": KEY, "COORDWATCH_TOKEN": TOKEN}
EVERY = list(WITH_SETTINGS.values())


Asked = tuple[tuple[str, ...], str, dict[str, str]]


def side_by_side(folder: Path, asked: Sequence[Asked]) -> dict[str, str]:
    """What each command says, by its words: most of their time they wait for brokers that do not let them in."""
    folders = [folder / str(number) for number in range(len(asked))]
    for one in folders:
        one.mkdir()
    with ThreadPoolExecutor(4) as pool:
        said = pool.map(lambda at, one: run(at, *one), folders, asked)
        return {
            f"{' '.join(words)}|{number}": text
            for number, ((words, _, _), text) in enumerate(zip(asked, said, strict=True))
        }


def test_a_wrong_secret_is_not_said(secure_kafka: Cluster, tmp_path: Path) -> None:
    scram = site(secure_kafka, "mechanism: SCRAM-SHA-512, username: cw")
    bearer = site(secure_kafka, "mechanism: OAUTHBEARER, client_id: cw, token_endpoint: 'http://127.0.0.1:1/token'")
    wrong = {**SHARED, "COORDWATCH_KAFKA__SECURITY__PASSWORD": NOT_IT}
    asked: list[Asked] = [(words, scram, wrong) for words in EVERY]
    secret = {**SHARED, "COORDWATCH_KAFKA__SECURITY__CLIENT_SECRET": NOT_IT}
    asked += [(words, bearer, secret) for words in EVERY if words[0] in ("doctor", "worker")]
    said = side_by_side(tmp_path, asked)
    assert [words for words, text in said.items() if "canary" in text] == []
    assert all("OAUTHBEARER" in text for text in list(said.values())[len(EVERY) :])


def test_a_right_secret_is_not_said(secure_kafka: Cluster, tmp_path: Path) -> None:
    """A worker that is let in stays; what it says is watched where it works (tests/worker)."""
    own = Topics(secure_kafka.bootstrap, "secrets")
    own.create("shop")
    give(secure_kafka, least_rights("secrets.cw", "secrets.shop"))
    scram = site(secure_kafka, "mechanism: SCRAM-SHA-512, username: cw")
    right = {**SHARED, "COORDWATCH_KAFKA__SECURITY__PASSWORD": "cw-secret"}
    said = side_by_side(tmp_path, [(words, scram, right) for words in EVERY if words[0] != "worker"])
    assert [words for words, text in said.items() if "canary" in text or "cw-secret" in text] == []


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_a_secret_in_the_file_is_refused_and_not_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(f"kafka: {{security: {{protocol: sasl_ssl, mechanism: PLAIN, password: {NOT_IT}}}}}\n")
    assert main([words[0], *(str(tmp_path / "empty") if one == "-" else one for one in words[1:]), str(file)]) != 0
    said = "".join(capsys.readouterr())
    assert "canary" not in said
    assert words[0] == "map" or "COORDWATCH_KAFKA__SECURITY__PASSWORD" in said
