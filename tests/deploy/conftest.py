"""What the deployment tests share: a running coordwatch, and a real Prometheus that reads it with the rules that ship."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.deploy.boards import JOB
from tests.deploy.rules import FOLDER
from tests.deploy.running import Running, embedded, workers
from tests.services.prometheus import Prometheus
from tests.services.waiting import wait_until

PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Watched:
    """A running coordwatch, and the Prometheus that reads it."""

    kind: str
    running: Running
    prometheus: Prometheus


@pytest.fixture(scope="module", params=["embedded", pytest.param("workers", marks=pytest.mark.kafka)])
def watched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, promtool: str
) -> Iterator[Watched]:
    """One of each kind for all questions; `promtool` comes in one package with the server."""
    del promtool
    folder = tmp_path_factory.mktemp(request.param)
    on_kafka = request.param == "workers"
    with workers(folder, request.getfixturevalue("kafka")) if on_kafka else embedded(folder) as running:
        config = configuration(running, folder)
        with Prometheus(config, folder / "prometheus") as prometheus:
            _wait_for_readings(prometheus, len(running.targets))
            running.go_on()
            _wait_for_readings(prometheus, len(running.targets))
            yield Watched(request.param, running, prometheus)


def _wait_for_readings(prometheus: Prometheus, targets: int) -> None:
    """Wait for five more of each process: a rate needs two, and a series recorded from a recorded one is one behind.

    What a process was too busy to answer is no reading.
    """

    def readings() -> dict[str, float]:
        asked = f'sum_over_time(up{{job="{JOB}"}}[1h])'
        return {one.labels["instance"]: one.value for one in prometheus.query(asked)}

    before = readings()

    def has_come() -> bool:
        found = readings()
        return len(found) == targets and all(value >= before.get(name, 0) + 5 for name, value in found.items())

    wait_until(has_come, "five more readings of each process", PATIENCE)


def configuration(running: Running, folder: Path) -> str:
    """The configuration that ships, with other targets, another token, and less patience."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / name) for name in config["rule_files"]]
    (job,) = (job for job in config["scrape_configs"] if job["job_name"] == JOB)
    token = folder / "token"
    token.write_text(running.token or "", encoding="utf-8")
    job["static_configs"] = [{"targets": list(running.targets)}]
    job["authorization"]["credentials_file"] = str(token)
    return yaml.safe_dump({**config, "scrape_configs": [job]})
