"""Public files beside the vendors' payloads - contact flows, bots' answers, schemas, data sets: each ends with a stated reason.

As in `test_public_samples`, the files are not ours and are only looked at where a folder of them lies beside the checkout.
"""

from pathlib import Path

import pytest

from coordwatch.sources.record import Record
from tests.sources.shipped import shipped_mapper

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
AT = 1_760_000_000_000_000
# The topic a file would arrive on, and what becomes of it: types of events, or the reason and the place of its refusal.
KNOWN = {
    "aws/connect-event.json": ("aws.connect", ["customer.identifiers.linked"], None),
    "aws/lex-event.json": ("lex.hooks", ["bot.message.received", "bot.detail.captured", "bot.detail.captured"], None),
    # What a bot answers to its runtime names no session.
    "aws/lex-response.json": ("lex.hooks", [], ("not_recognised", None)),
    # What a Lambda is given of a Kafka is no event of a tool.
    "aws/kafka-event.json": ("aws.kafka", [], ("no_mapping", None)),
    # A conversation of a data set, an order as a table has it: nobody publishes these.
    "abcd/abcd_sample.json": ("abcd", [], ("no_mapping", None)),
    "abcd/ontology.json": ("abcd", [], ("no_mapping", None)),
    "tau-bench/airline_reservations_5.json": ("tau", [], ("no_mapping", None)),
    "tau-bench/retail_orders_5.json": ("tau", [], ("no_mapping", None)),
    "tau-bench/retail_users_5.json": ("tau", [], ("no_mapping", None)),
    "tau2-bench/telecom_db.toml": ("tau", [], ("not_json", None)),
}
# Schemas of events, which describe events and are none.
SCHEMAS = sorted((SAMPLES / "snowplow-iglu").glob("*.json"))
FILES = [SAMPLES / name for name in KNOWN if (SAMPLES / name).is_file()]


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_file_that_is_no_webhook_ends_as_a_person_would_say(path: Path) -> None:
    topic, types, refusal = KNOWN[label(path)]
    result = shipped_mapper().map_record(Record(path.read_bytes(), topic, timestamp=AT))
    assert types == [event.type for event in result.events]
    assert ([] if refusal is None else [refusal]) == [(one.reason, one.path) for one in result.rejected]


@pytest.mark.parametrize("path", SCHEMAS, ids=label)
def test_a_schema_is_no_event(path: Path) -> None:
    (rejection,) = shipped_mapper().map_record(Record(path.read_bytes(), "snowplow.enriched", timestamp=AT)).rejected
    assert ("not_recognised", "map") == (rejection.reason, rejection.stage)
