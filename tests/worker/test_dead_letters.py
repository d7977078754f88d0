"""A tool changes its format, from end to end: put aside, stopped, corrected, gone on, sent round again."""

import json
import os
import sys
from collections import Counter
from pathlib import Path

from coordwatch.cli import main
from coordwatch.processor.outcomes import TallyLine, amount_of, line_of
from coordwatch.processor.stage import KIND
from tests.identity.whose import accounts
from tests.services.consume import Read, Sent, latest, produce, read_until, settled
from tests.services.topics import Topics
from tests.services.waiting import wait_until
from tests.worker.house import Worker

KEY = {"COORDWATCH_IDENTITY__KEY": "a key that no site has at all"}
MAPPING = """\
source: tool
family: crm
id: {field}
time: {{path: at, format: iso}}
identifiers: [{{type: customer_id, path: customer}}]
emit: [{{event: customer.identifiers.linked}}]
"""
SETTINGS = """\
kafka: {{bootstrap: '{bootstrap}', prefix: {prefix}, partitions: 2, replication: 1, commit_interval: 100ms, session_timeout: 30s,
         dead_letter_limit: {{consecutive: 5}}}}
identity: {{mode: trusted_id}}
sources: {{mappings: [tool.yaml]}}
inputs: [{{kind: kafka, name: tool, topic: {source}, source: tool}}]
"""
RECORDS = 8


class Shop:
    """One tool, one worker that ingests, and the topics between them."""

    def __init__(self, topics: Topics, folder: Path) -> None:
        self.kafka, self.prefix, self.folder = topics.bootstrap, f"{topics.prefix}.cw", folder
        self.source = topics.create("tool")
        self.config = folder / "worker.yaml"
        self.config.write_text(SETTINGS.format(bootstrap=self.kafka, prefix=self.prefix, source=self.source))
        self.map_id_from("id")
        command = [sys.executable, "-m", "coordwatch", "worker", "--config", str(self.config)]
        self._command = [*command, "--role", "ingest", "--runtime", "plain"]

    def map_id_from(self, field: str) -> None:
        (self.folder / "tool.yaml").write_text(MAPPING.format(field=field))

    def worker(self) -> Worker:
        return Worker(self._command, self.folder / "worker.log", {**os.environ, **KEY})

    def events(self, count: int) -> list[str]:
        """The ids of the canonical events, when there are so many."""
        topic = f"{self.prefix}.events"
        found = read_until(self.kafka, topic, lambda all_of_it: len(canonical(all_of_it)) >= count)
        return [json.loads(one.value or b"")["id"] for one in canonical(found)]

    def tallies(self, topic: str) -> dict[str, int]:
        rows = latest(self.kafka, f"{self.prefix}.ledger")
        lines = {line_of(key): value for key, value in rows.items() if key is not None}
        return accounts(
            {
                line.name: amount_of(value)
                for line, value in lines.items()
                if isinstance(line, TallyLine) and line.place == f"{topic}/0"
            }
        )


def canonical(found: list[Read]) -> list[Read]:
    return [one for one in found if one.header(KIND) is None]


def test_a_changed_format_loses_nothing(topics: Topics, tmp_path, capsys):
    shop = Shop(topics, tmp_path)
    rows = [{"number": f"n{n}", "at": "2026-03-02T12:00:00Z", "customer": f"C-{n % 3}"} for n in range(RECORDS)]
    produce(shop.kafka, shop.source, [Sent(json.dumps(row).encode()) for row in rows])

    worker = shop.worker()
    try:
        wait_until(lambda: worker.supervise() or f"{shop.source}/0 stands at offset 5" in worker.said, "the stop", 120)
        assert worker.stop() == 0, worker.said
        settled(shop.kafka, f"{shop.prefix}.dead-letters")
        assert main(["dead-letters", "list", "--config", str(shop.config)]) == 0
        letters = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(one["offset"], one["reason"]) for one in letters] == [(n, "missing_id") for n in (4, 3, 2, 1, 0)]

        shop.map_id_from("number")
        worker.start()
        assert sorted(shop.events(3)) == ["n5", "n6", "n7"]
        for sent in (1, 2):
            assert main(["dead-letters", "replay", "--all", "--config", str(shop.config)]) == 0
            assert json.loads(capsys.readouterr().out)["sent"] == 5
            assert Counter(shop.events(3 + 5 * sent)) == Counter(
                {f"n{n}": 1 if n >= 5 else sent for n in range(RECORDS)}
            )
        settled(shop.kafka, f"{shop.prefix}.ledger")
        assert shop.tallies(shop.source) == {
            "in": 8, "passed": 3, "dead_lettered": 5, "dead_lettered.map.missing_id": 5
        }  # fmt: skip
        assert shop.tallies(f"{shop.prefix}.replayed") == {"in": 10, "passed": 10}
        assert worker.stop() == 0, worker.said
    finally:
        worker.close()
