"""Avro records on a real topic, under a registry that is away at first: they wait, and none of them is lost."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordwatch.clock import ManualClock
from coordwatch.errors import TemporaryError
from coordwatch.processor.letters import read_letter
from coordwatch.processor.stage import KIND, Place, Slice
from coordwatch.worker.driver import Driver
from coordwatch.worker.exits import Ending, ExitCode
from tests.registry.schemas import avro, headed
from tests.services.consume import Read, produce, read_until
from tests.services.registry import RegistryServer, registry
from tests.services.topics import Topics
from tests.services.waiting import ANSWER, wait_until
from tests.worker.house import Worker

KEY = {"COORDWATCH_IDENTITY__KEY": "a key that no site has at all", "COORDWATCH_KAFKA__REGISTRY__PASSWORD": "geheim"}
FIELDS = [{"name": "id", "type": "string"}, {"name": "at", "type": "long"}, {"name": "customer", "type": "string"}]
SCHEMA = {"type": "record", "name": "Link", "fields": FIELDS}
MAPPING = """\
source: tool
family: crm
id: id
time: {path: at, format: epoch_ms}
identifiers: [{type: customer_id, path: customer}]
emit: [{event: customer.identifiers.linked}]
"""
SETTINGS = """\
bind: 127.0.0.1:0
kafka: {{bootstrap: '{bootstrap}', prefix: {prefix}, partitions: 2, replication: 1, commit_interval: 100ms, session_timeout: 30s,
         registry: {{url: '{url}', username: cw}}}}
identity: {{mode: trusted_id}}
sources: {{mappings: [tool.yaml]}}
inputs: [{{kind: kafka, name: tool, topic: {source}, source: tool}}]
"""


def record(number: int, schema: int) -> bytes:
    value = {"id": f"n{number}", "at": 1_769_851_800_000 + number, "customer": f"C-{number}"}
    return headed(schema, avro([SCHEMA], value))


def a_worker(topics: Topics, folder: Path, server: RegistryServer) -> tuple[Worker, str, str]:
    """A worker that ingests, its topic, and the prefix of ours."""
    source, prefix = topics.create("tool"), f"{topics.prefix}.cw"
    (folder / "tool.yaml").write_text(MAPPING)
    config = folder / "worker.yaml"
    config.write_text(SETTINGS.format(bootstrap=topics.bootstrap, prefix=prefix, url=server.url, source=source))
    command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(config), "--role", "ingest"]
    return Worker([*command, "--runtime", "plain"], folder / "worker.log", {**os.environ, **KEY}), source, prefix


def answer(worker: Worker, path: str) -> httpx.Response:
    """What the last start of the worker answers."""
    addresses = re.findall(r"answers at (\S+)", worker.said)
    return httpx.get(f"{addresses[-1]}{path}", timeout=ANSWER)


def events(found: Sequence[Read]) -> list[str]:
    return [json.loads(one.value or b"")["id"] for one in found if one.header(KIND) is None]


def test_records_wait_for_their_registry_and_an_unknown_schema_is_a_dead_letter(topics: Topics, tmp_path: Path) -> None:
    with registry() as server:
        server.kept.login, server.kept.broken = ("cw", "geheim"), 503
        schema = server.kept.register("tool-value", json.dumps(SCHEMA))
        worker, source, prefix = a_worker(topics, tmp_path, server)
        try:
            produce(topics.bootstrap, source, [record(1, schema), record(2, 99), record(3, schema)])

            def waits() -> bool:
                worker.supervise()  # it ends when it has waited for a while, to be started again
                with suppress(httpx.TransportError, IndexError):
                    metrics, ready = answer(worker, "/metrics").text, answer(worker, "/readyz").text
                    said = f"records wait for schema {schema}"
                    return "coordwatch_schema_registry_waiting 1.0" in metrics and said in ready and said in worker.said
                return False

            wait_until(waits, "it waits", 180)
            server.kept.broken = None
            found = read_until(
                topics.bootstrap, f"{prefix}.events",
                lambda all_of_it: [worker.supervise(), len(events(all_of_it)) >= 2][1], 180,
            )  # fmt: skip
            assert ["n1", "n3"] == sorted(events(found))
            letters = read_until(topics.bootstrap, f"{prefix}.dead-letters", lambda all_of_it: len(all_of_it) >= 1)
            (letter,) = [read_letter(one.value, one.headers) for one in letters]
            assert letter is not None
            assert ("decode", "unknown_schema") == letter.refusal[:2]
            assert record(2, 99) == letter.origin.value
            assert "geheim" not in worker.said
            assert 0 == worker.stop(), worker.said
        finally:
            worker.close()


class Waiting:
    """A stage whose records need something that is away."""

    role, inputs, changelog, broadcast = "ingest", ("t",), None, None
    stopped: Mapping[Place, str] = {}
    pending = False

    def take(self, records: Slice, now: int) -> int:
        raise TemporaryError("schema 7 is needed and http://registry does not answer. Nothing is lost")


def test_a_registry_that_stays_away_ends_the_worker_to_be_started_again() -> None:
    place = Place("t", 0)
    anything: Any = None
    driver = Driver(Waiting(), anything, anything, ManualClock(), member=anything or object())  # type: ignore[arg-type]
    driver.positions[place] = 0
    with pytest.raises(Ending, match="ingest: schema 7 is needed") as ending:
        driver.take(Slice(place, [0], [None], [b""], [None], [0]))
    assert ExitCode.AGAIN is ending.value.code
    assert {place: 0} == driver.positions
