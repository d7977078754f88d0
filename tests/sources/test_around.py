"""One look says that nothing lies around a payload: whenever it does, asking every wrapper takes nothing off."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.sources.around import Around
from coordwatch.sources.decode import read_form
from coordwatch.sources.envelope import Envelope
from coordwatch.sources.unwrap import WRAPPERS

OPTIONS = {"named": {"names": frozenset(("*",))}, "json_field": {"name": "field"}, "snowplow_tsv": {}}
WORDS = ["schema", "payload", "op", "before", "after", "detail-type", "detail", "Sns", "TopicArn", "Type", "Message", "message", "data",
         "messageId", "messageType", "logEvents", "id", "timestamp", "body", "headers", "metadata", "specversion", "type", "source",
         "field", "string", "other"]  # fmt: skip
LEAF = st.sampled_from(
    [
        None,
        "m",
        "c",
        "Notification",
        "DATA_MESSAGE",
        '{"id": 1}',
        "e30=",
        1,
        {"messageId": "1", "data": "e30="},
        {"a": 1},
        [],
        [1],
    ]
)
BODY = st.one_of(st.dictionaries(st.sampled_from(WORDS), LEAF, max_size=6), st.just([{"a": 1}]))
HEADERS = st.sampled_from([{}, {"ce_id": "1", "ce_source": "s", "ce_type": "t", "ce_specversion": "1.0"}])


@pytest.mark.parametrize("name", WRAPPERS)
def test_what_looks_bare_is_bare(name: str) -> None:
    around = Around([(name, OPTIONS.get(name, {}))])

    @settings(max_examples=150)
    @given(body=BODY, headers=HEADERS)
    def law(body: object, headers: dict[str, str]) -> None:
        if around.is_bare(body, headers):
            envelope = Envelope(body, dict(headers))
            around.peel(envelope)
            assert (body, headers, {}, {}) == (envelope.body, envelope.headers, envelope.query, envelope.attributes)

    law()


def test_a_bare_object_is_bare_for_all_of_them() -> None:
    every = [(name, OPTIONS.get(name, {})) for name in WRAPPERS if name != "avro_unions"]
    assert Around(every).is_bare({"id": 1, "email": "mina@example.com"}, {})
    assert not Around([*every, ("avro_unions", {})]).is_bare({"id": 1, "email": "mina@example.com"}, {})
    assert Around([*every, ("avro_unions", {})]).is_bare_inside({"id": 1, "email": "mina@example.com"}, {})


@settings(max_examples=500)
@given(st.text(alphabet='aZ09%%%+&&==\\xu41 é€;\n"{', max_size=30))
def test_a_form_is_read_as_the_standard_library_reads_it(text: str) -> None:
    assert read_form(text) == dict(parse_qsl(text))
