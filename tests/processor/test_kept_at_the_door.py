"""Who was forgotten is left aside at the door, with the refs that are named beside them; everybody else comes in."""

from typing import Any

from coordwatch.identity.identity import Identity
from coordwatch.processor.forgetting import away_output
from coordwatch.processor.ingesting import Ingest, IngestSettings
from coordwatch.processor.stage import Place, Slice
from tests.processor.ingest import CRM, CRM_SOURCE, GRAPH, NOW, TOPICS, canonical


def test_an_event_of_somebody_who_was_forgotten_comes_no_further() -> None:
    stage = Ingest(IngestSettings(TOPICS, (CRM_SOURCE,), GRAPH), None)
    digest = Identity(GRAPH).digest("email:ann@example.com")
    entry = away_output(TOPICS, GRAPH.digester.kept_away(str(digest)), NOW)
    stage.hear(Slice(Place(TOPICS.forgotten, 0), [0], [entry.key], [entry.value], [()], [NOW]), NOW)
    stage.assign(CRM, {})
    events: list[dict[str, Any]] = [
        {"kind": "complaint", "case": "K-9", "identifiers": ["email:ann@example.com"]},
        {"kind": "complaint", "case": "K-9"},
        {"kind": "complaint", "case": "K-1", "identifiers": ["email:ben@example.com"]},
    ]
    values = [canonical(str(number), data=data).value for number, data in enumerate(events)]
    stage.take(Slice(CRM, [0, 1, 2], [b"k"] * 3, values, [()] * 3, [NOW] * 3), NOW)
    outputs = stage.give(NOW)
    assert [one.key for one in outputs if one.topic == TOPICS.identity and one.headers[0][1] == b"place"] != []
    assert len([one for one in outputs if one.topic == TOPICS.identity and one.headers[0][1] == b"place"]) == 1
    counted = {one.key: one.value for one in outputs if one.topic == TOPICS.ledger}
    assert counted[b"tally/ingest/crm.events%2F0/dropped.forgotten"] == b"2"
    assert len([one for one in outputs if one.topic == TOPICS.forgotten]) == 1
