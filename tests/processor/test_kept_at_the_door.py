"""Who was forgotten is left aside at the door, with the refs that are named beside them; everybody else comes in."""

from typing import Any

from coordwatch.identity.identity import Identity
from coordwatch.processor.forgetting import away_output
from coordwatch.processor.ingesting import Ingest, IngestSettings
from coordwatch.processor.stage import Place, Slice
from tests.processor.ingest import CRM, CRM_SOURCE, GRAPH, NOW, TOPICS, canonical


def placed(*events: dict[str, Any]) -> tuple[list[Any], bytes | None, int]:
    """What ingest sends to identity of these events when one address was forgotten, the drops counted, the new entries."""
    stage = Ingest(IngestSettings(TOPICS, (CRM_SOURCE,), GRAPH), None)
    digest = Identity(GRAPH).digest("email:ann@example.com")
    entry = away_output(TOPICS, GRAPH.digester.kept_away(str(digest)), NOW)
    stage.hear(Slice(Place(TOPICS.forgotten, 0), [0], [entry.key], [entry.value], [()], [NOW]), NOW)
    stage.assign(CRM, {})
    values = [canonical(str(number), data={"kind": "complaint", **data}).value for number, data in enumerate(events)]
    count = len(values)
    stage.take(Slice(CRM, list(range(count)), [b"k"] * count, values, [()] * count, [NOW] * count), NOW)
    outputs = stage.give(NOW)
    counted = {one.key: one.value for one in outputs if one.topic == TOPICS.ledger}
    places = [one for one in outputs if one.topic == TOPICS.identity and one.headers[0][1] == b"place"]
    fresh = len([one for one in outputs if one.topic == TOPICS.forgotten])
    return places, counted.get(b"tally/ingest/crm.events%2F0/dropped.forgotten"), fresh


ANN, BEN = "email:ann@example.com", "email:ben@example.com"


def test_an_event_of_somebody_who_was_forgotten_comes_no_further() -> None:
    places, dropped, fresh = placed(
        {"case": "K-9", "identifiers": [ANN]}, {"case": "K-9"}, {"case": "K-1", "identifiers": [BEN]}
    )
    assert (len(places), dropped, fresh) == (1, b"2", 1)


def test_who_shares_a_case_with_somebody_forgotten_loses_the_case_and_not_the_event() -> None:
    places, dropped, fresh = placed(
        {"case": "K-9", "identifiers": [ANN]}, {"case": "K-9", "order": "O-1", "identifiers": [BEN]}
    )
    assert (len(places), dropped, fresh) == (1, b"1", 1)
    assert b"K-9" not in places[0].value
    assert b"O-1" in places[0].value


def test_a_thing_that_is_kept_away_takes_nothing_else_with_it() -> None:
    places, dropped, fresh = placed(
        {"case": "K-9", "identifiers": [ANN]}, {"case": "K-9", "order": "O-1"}, {"case": "K-2", "order": "O-1"}
    )
    assert (len(places), dropped, fresh) == (1, b"2", 1)
    assert b"O-1" in places[0].value
