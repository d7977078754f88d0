"""A real Prometheus on loopback, for what scrapes us and for the expressions that we ship.

Enters: a configuration, in Prometheus' own words, and a folder. Leaves: a running server that is asked in PromQL.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.services.cache import MissingError
from tests.services.processes import LOOPBACK, Tied, free_port
from tests.services.waiting import wait_until

PATIENCE = 120.0  # seconds
HOW = "no {name}: run `bash tests/prometheus.sh`, which brings it or says what to type"


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer: its labels (with `__name__` where it has one) and its value."""

    labels: Mapping[str, str]
    value: float


def prometheus_path() -> str:
    """Give the server's path, COORDWATCH_PROMETHEUS first.

    Raises: MissingError
    """
    return _found(os.environ.get("COORDWATCH_PROMETHEUS", "prometheus"))


def promtool_path() -> str:
    """Give the path of its tool.

    Raises: MissingError
    """
    return _found("promtool")


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise MissingError(HOW.format(name=name))
    return path


class Prometheus:
    """One server; `with Prometheus(config, folder) as server:` has it ready, and leaves nothing running.

    The configuration is written into the folder: a rule file that it names is looked for from there.
    """

    def __init__(self, config: str, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "prometheus.yml"
        self._text = config
        self._process: Tied | None = None
        self._http = httpx.Client(timeout=30)

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises: MissingError
        """
        path = prometheus_path()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self._text, encoding="utf-8")
        address = f"{LOOPBACK}:{free_port()}"
        words = [
            f"--config.file={self.config}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={address}",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ]
        self._process = Tied([path, *words], self.folder / "prometheus.log")
        self._http.base_url = f"http://{address}"
        wait_until(self._ready, "Prometheus to be ready", PATIENCE)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return str(self._http.base_url)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.running, f"Prometheus ended:\n{self._process.said()}"
        with suppress(httpx.TransportError):
            return self._http.get("/-/ready").status_code == 200
        return False

    def get(self, what: str, **parameters: str | float) -> Any:
        """Ask its API (`rules`, `alerts`, `targets`, `query_range`), and give the data of the answer."""
        answer = self._http.get(f"/api/v1/{what}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """Give what an expression is now, or was then; an expression that is wrong fails with Prometheus' own words.

        Units: `at` in seconds since 1970 UTC
        """
        data = self.get("query", query=expression, **({} if at is None else {"time": at}))
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def wait_for(self, expression: str, patience: float = PATIENCE) -> list[Sample]:
        """Ask until the answer has a series, and give it."""
        return wait_until(lambda: self.query(expression), f"a series of {expression}", patience)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        if self._process is not None:
            self._process.stop()
        self._http.close()

    def __enter__(self) -> "Prometheus":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
