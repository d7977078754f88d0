"""The compose file and the settings beside it: no Docker runs here, so they are read and held against each other."""

import argparse
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

import coordwatch
from coordwatch.app import load_content, progress_of
from coordwatch.cli.worker import add_arguments
from coordwatch.context.progress import Progress
from coordwatch.processor import cannot_be_fed
from coordwatch.settings import KafkaInput, Settings, read_settings
from coordwatch.simulator.run import live
from tests.tidy.tree import ROOT

DEPLOY = ROOT / "deploy"
SECRET = "invented-for-a-test-0123456789ab"
OURS = "coordwatch:local"
ENDS = {"topics"}  # does its work once and is gone


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compose: dict[str, Any]) -> Settings:
    """The settings as the worker reads them: with the secrets that its service is given, as files."""
    for name in compose["services"]["worker"]["secrets"]:
        (tmp_path / name).write_text(SECRET + "\n", encoding="utf-8")
    monkeypatch.setenv("COORDWATCH_SECRETS_DIR", str(tmp_path))
    return read_settings(DEPLOY / "coordwatch.yaml")


def test_nothing_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert len(ports) > 3
    assert [] == [port for port in ports if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)]
    assert [] == [name for name, service in compose["services"].items() if "network_mode" in service]


def test_every_image_is_of_one_version(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        _, _, tag = service["image"].partition(":")
        assert tag, name
        assert tag != "latest", name


def test_what_runs_for_long_is_restarted_watched_and_held(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["logging"]["options"]["max-size"], name
        if name in ENDS:
            assert service["restart"] == "no", name
            continue
        # Whatever the exit code: 75 asks for it, 70 is seen by the alert on many restarts.
        assert service["restart"] == "unless-stopped", name
        # What is ours has its check in its image.
        assert service["image"] == OURS or service["healthcheck"]["test"][0] == "CMD", name


def test_what_is_ours_writes_nowhere_but_in_its_volume(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if service["image"] == OURS}
    assert set(ours) == {"worker", "detect"}
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"] == ["/tmp"]
    writable = [volume for service in ours.values() for volume in service["volumes"] if not volume.endswith(":ro")]
    assert writable == ["worker:/var/lib/coordwatch"], "one process writes alerts"


def test_a_second_worker_has_a_slot_and_leaves_the_alerts_to_the_first(
    compose: dict[str, Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = compose["services"]["detect"]
    assert more["profiles"] == ["more"]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(more["command"][1:]).role == ["detect"]
    monkeypatch.setenv("COORDWATCH_KAFKA__SLOT", more["environment"]["COORDWATCH_KAFKA__SLOT"])
    second = read_settings(DEPLOY / "coordwatch.yaml")
    assert settings.kafka is not None
    assert second.kafka is not None
    assert second.kafka.slot not in (None, settings.kafka.slot)
    assert second.kafka.bootstrap == settings.kafka.bootstrap, "one variable does not push the rest aside"


def test_secrets_are_files_that_git_does_not_see(compose: dict[str, Any]) -> None:
    declared = compose["secrets"]
    used = {name for service in compose["services"].values() for name in service.get("secrets", ())}
    assert used == set(declared)
    assert all(Path(one["file"]).parent == Path("secrets") for one in declared.values())
    assert (DEPLOY / "secrets" / ".gitignore").read_text(encoding="utf-8").splitlines()[-2:] == ["*", "!.gitignore"]
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert [] == [name for name in declared if name not in guide], "the guide says how each secret is made"
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|TOKEN|SECRET", name) or str(value).startswith("/run/secrets"), name


def test_every_mounted_file_and_volume_is_there(compose: dict[str, Any]) -> None:
    named = set()
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source, _, rest = volume.partition(":")
            if source.startswith("."):
                assert (DEPLOY / source).exists(), volume
                assert rest.endswith(":ro"), volume
            else:
                named.add(source)
    assert named == set(compose["volumes"])


def test_no_service_waits_for_one_that_is_not_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, how in dict.fromkeys(service.get("depends_on", ())).items():
            assert other in services, name
            wanted = (
                service["depends_on"][other]["condition"]
                if how is not None or isinstance(service["depends_on"], dict)
                else ""
            )
            assert wanted != "service_healthy" or "healthcheck" in services[other], name


def test_one_broker_makes_no_topic_by_itself_and_needs_no_second_one(compose: dict[str, Any]) -> None:
    broker = compose["services"]["kafka"]["environment"]
    assert broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    factors = {name: value for name, value in broker.items() if name.endswith(("REPLICATION_FACTOR", "MIN_ISR"))}
    assert len(factors) == 6
    assert set(factors.values()) == {1}
    listeners = dict(one.split("://") for one in broker["KAFKA_LISTENERS"].split(","))
    advertised = dict(one.split("://") for one in broker["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert set(advertised) == set(listeners) - {broker["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    protocols = dict(one.split(":") for one in broker["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(protocols) == set(listeners)


def test_the_example_settings_are_read_and_fit_the_containers(settings: Settings, compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert settings.kafka is not None
    assert settings.kafka.bootstrap == "kafka:9092"
    assert settings.kafka.replication == 1
    assert services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].startswith("INSIDE://kafka:9092,")
    assert settings.port == 8484
    assert services["worker"]["ports"] == ["127.0.0.1:8484:8484"]
    assert settings.database.parent == Path("/var/lib/coordwatch")
    assert settings.token is not None
    assert settings.token.get_secret_value() == SECRET
    assert settings.identity.key is not None
    assert settings.identity.key.get_secret_value() == SECRET


def test_the_topics_that_are_made_are_those_that_are_read(settings: Settings, compose: dict[str, Any]) -> None:
    (script,) = compose["services"]["topics"]["command"]
    (made,) = re.findall(r"for topic in (.+?); do", script.replace("\\\n", " "))
    read = [one.topic for one in settings.inputs if isinstance(one, KafkaInput)]
    assert sorted(made.split()) == sorted(read)
    assert len(read) == len(settings.inputs)
    assert "$$topic" in script, "compose would take $topic for a variable of its own"


def test_what_the_settings_name_lies_beside_them_in_the_containers(settings: Settings, compose: dict[str, Any]) -> None:
    assert settings.sources.catalogue == DEPLOY / "catalogue.yaml"
    for name in ("worker", "detect"):
        mounted = dict(volume.split(":")[:2] for volume in compose["services"][name]["volumes"])
        assert mounted["./coordwatch.yaml"] == "/etc/coordwatch/coordwatch.yaml"
        assert mounted["./catalogue.yaml"] == "/etc/coordwatch/catalogue.yaml"
    shop = Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml"
    assert yaml.safe_load((DEPLOY / "catalogue.yaml").read_text()) == yaml.safe_load(shop.read_text())


def test_every_input_of_the_example_has_its_mapping(settings: Settings) -> None:
    content = load_content(settings)
    progress = progress_of(settings, content)
    assert [one.name for one in progress] == [one.name for one in settings.inputs]
    carried = Progress(progress).carried()
    assert [] == [spec.id for spec in content.rules if cannot_be_fed(spec, carried)], "each rule that ships is fed"


def test_the_example_reads_what_the_simulator_publishes(settings: Settings) -> None:
    published = {simulated.record.topic for simulated in islice(live(1, customers=200), 4000)}
    assert published == {one.topic for one in settings.inputs if isinstance(one, KafkaInput)}


def test_prometheus_watches_the_worker_with_its_token(compose: dict[str, Any]) -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    job = next(one for one in config["scrape_configs"] if one["job_name"] == "coordwatch")
    assert job["static_configs"] == [{"targets": ["worker:8484"]}]
    assert job["authorization"] == {"credentials_file": "/run/secrets/coordwatch_token"}
    assert "coordwatch_token" in compose["services"]["prometheus"]["secrets"]
    source = yaml.safe_load(
        (DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text(encoding="utf-8")
    )
    (grafana,) = source["datasources"]
    assert grafana["url"] == "http://prometheus:9090"
    assert grafana["jsonData"]["timeInterval"] == config["global"]["scrape_interval"]
