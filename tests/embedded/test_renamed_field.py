"""A tool renames a field: the metrics of a running service say so with the next payloads, at that tool, under one reason."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordwatch.app.one_process import build
from coordwatch.embedded.server import HttpServer
from coordwatch.settings import for_serve, read_settings

MINUTE_OF_EVENTS = 60  # one a second


def status_changed(number: int) -> dict[str, Any]:
    return {
        "account_id": 77,
        "id": f"ev-{number}",
        "type": "zen:event-type:ticket.status_changed",
        "time": "2025-10-09T10:00:00Z",
        "detail": {"id": str(5000 + number), "requester_id": "900"},
        "event": {"current": "SOLVED", "previous": "OPEN"},
    }


def renamed(body: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """The same payload with one name changed, wherever it stands."""
    return {
        new if name == old else name: renamed(value, old, new) if isinstance(value, dict) else value
        for name, value in body.items()
    }


class House:
    """A service that answers, as one reads it from outside."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=30)
        self._posted = 0

    def close(self) -> None:
        self._client.close()

    def post(self, old: str = "", new: str = "") -> None:
        """One minute of events."""
        rows = [renamed(status_changed(self._posted + number), old, new) for number in range(MINUTE_OF_EVENTS)]
        self._posted += MINUTE_OF_EVENTS
        self._client.post("/v1/events", params={"source": "zendesk"}, json=rows).raise_for_status()

    def metrics(self) -> dict[str, float]:
        """Every sample that speaks of sources and refusals."""
        text = self._client.get("/metrics").text
        found = re.findall(
            r"^(coordwatch_(?:mapping|source_\w+|dead_letters|events\w*)_total\S*) (\S+)$", text, re.MULTILINE
        )
        return {name.removeprefix("coordwatch_"): float(amount) for name, amount in found}

    def rise(self, old: str = "", new: str = "") -> dict[str, float]:
        """What one minute of events changes."""
        before = self.metrics()
        self.post(old, new)
        return {name: rise for name, amount in self.metrics().items() if (rise := amount - before.get(name, 0.0))}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    config = tmp_path / "coordwatch.yaml"
    config.write_text("bind: 127.0.0.1:0\ndurable: false\ninputs: [{kind: http}]\n")
    service = build(for_serve(read_settings(config)))
    server = HttpServer(service.application, service.listening)
    writer = threading.Thread(target=service.runtime.run)
    server.start()
    writer.start()
    try:
        house = House(service.address)
        yield house
        house.close()
    finally:
        service.runtime.stop()
        writer.join()
        server.stop()
        for close in service.closing:
            close()


def test_a_renamed_field_is_a_rise_of_one_reason_at_its_source_within_a_minute_of_events(house: House) -> None:
    mapped = house.rise()
    assert MINUTE_OF_EVENTS == mapped['mapping_total{result="mapped",source="zendesk"}']
    assert not any("dead_letters" in name or "refused" in name for name in mapped), mapped
    assert 0.0 == house.metrics()['mapping_total{result="refused",source="zendesk"}'], (
        "there before anything is refused"
    )

    without_id = house.rise("id", "event_id")
    assert MINUTE_OF_EVENTS == without_id['dead_letters_total{reason="missing_id",stage="map"}']
    assert MINUTE_OF_EVENTS == without_id['mapping_total{result="refused",source="zendesk"}']

    without_status = house.rise("current", "now")
    assert MINUTE_OF_EVENTS == without_status['dead_letters_total{reason="missing_field",stage="map"}']
    assert [] == [name for name in without_status if 'result="mapped"' in name]


def test_a_renamed_time_is_a_rise_at_its_source_too(house: House) -> None:
    assert not any("source_times" in name for name in house.rise())
    rise = house.rise("time", "occurred_at")
    assert MINUTE_OF_EVENTS == rise['source_times_total{basis="broker",source="zendesk"}']
    assert not any("dead_letters" in name for name in rise), "the events are kept, at the time when they came"


def test_a_renamed_field_that_need_not_be_there_makes_events_thinner(house: House) -> None:
    full, thin = house.rise(), house.rise("requester_id", "requested_by")
    identifiers = 'source_filled_total{source="zendesk",what="identifiers"}'
    assert MINUTE_OF_EVENTS == full[identifiers]
    assert identifiers not in thin
    assert MINUTE_OF_EVENTS == thin['mapping_total{result="mapped",source="zendesk"}'], (
        "the ticket still says whose it is"
    )
