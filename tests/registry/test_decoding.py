"""Records under the schemas of a registry that is really asked: Avro, JSON Schema, Protobuf, and everything between."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordwatch.adapters.registry.avro import avro_reader
from coordwatch.adapters.registry.client import Registered, RegistryAccess, RegistryClient
from coordwatch.adapters.registry.decoding import UNKNOWN_FOR, RegistryDecoder
from coordwatch.adapters.registry.protobuf import read_steps
from coordwatch.cli.sources_infer import as_json, inferred
from coordwatch.clock import ManualClock
from coordwatch.codec import encode_json
from coordwatch.errors import TemporaryError
from coordwatch.events.times import DAY
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapResult, Record, RefusedError
from tests.registry.schemas import (
    BOOL,
    BYTES,
    CASE,
    CUSTOMER,
    INT64,
    MAPPING,
    MESSAGE,
    OPTIONAL,
    REPEATED,
    STRING,
    avro,
    case,
    file_of,
    headed,
    message,
    text,
)
from tests.services.registry import Kept, RegistryServer, registry
from tests.sources.build import LINKED, mapping, payload

NO_TIME = 0.0


@pytest.fixture(scope="module")
def server() -> Iterator[RegistryServer]:
    with registry() as running:
        yield running


@pytest.fixture
def kept(server: RegistryServer) -> Kept:
    server.kept = Kept()
    return server.kept


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000)


@pytest.fixture
def decoder(server: RegistryServer, kept: Kept, clock: ManualClock) -> RegistryDecoder:
    return RegistryDecoder(RegistryClient(RegistryAccess(server.url)), clock, NO_TIME)


def mapped(decoder: RegistryDecoder, value: bytes, text: str = MAPPING) -> MapResult:
    mapper = Mapper([mapping(text + LINKED)], decode_schema=decoder)
    result = mapper.map_record(Record(value), "tool")
    assert result.pieces == result.applied + len(result.dropped) + len(result.rejected)
    return result


def reason(result: MapResult) -> str:
    (one,) = result.rejected
    assert ("decode", None) == (one.stage, one.path)
    return one.reason


def registered_case(kept: Kept) -> int:
    kept.register("customer", text(CUSTOMER))
    return kept.register("cases-value", text(CASE), references=[("com.example.Customer", "customer", 1)])


def test_avro_is_what_the_same_data_would_be_as_json(kept: Kept, decoder: RegistryDecoder) -> None:
    number = registered_case(kept)
    expected = case(value="12.50", token="/wA=")
    assert expected == decoder(headed(number, avro([CUSTOMER, CASE], case())))
    assert expected | {"customer": None} == decoder(headed(number, avro([CUSTOMER, CASE], case(customer=None))))
    (event,) = mapped(decoder, headed(number, avro([CUSTOMER, CASE], case()))).events
    assert ("17", 1769851800000001) == (event.id, event.time)
    assert [{"type": "email", "value": "mina@example.com"}] == event.data["identifiers"]


def test_a_schema_is_asked_for_once(kept: Kept, decoder: RegistryDecoder) -> None:
    number = registered_case(kept)
    for _ in range(3):
        decoder(headed(number, avro([CUSTOMER, CASE], case())))
    assert [f"/schemas/ids/{number}", "/subjects/customer/versions/1"] == kept.asked


def test_a_primitive_type_is_a_schema_too(kept: Kept, decoder: RegistryDecoder) -> None:
    for schema in ("string", '"string"', '{"type": "string"}'):
        assert "x" == decoder(headed(kept.register("s", schema), avro(["string"], "x")))


EVERYTHING = {
    "type": "record", "name": "All", "namespace": "com.example.one", "fields": [
        {"name": "yes", "type": "boolean"}, {"name": "float", "type": "float"}, {"name": "double", "type": "double"},
        {"name": "int", "type": "int"}, {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "SHUT"]}},
        {"name": "again", "type": "State"}, {"name": "other", "type": ["null", "string", "com.example.one.State", "long"]},
        {"name": "many", "type": {"type": "map", "values": "com.example.one.State"}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 2}},
        {"name": "price", "type": {"type": "fixed", "name": "Price", "size": 4, "logicalType": "decimal", "precision": 8, "scale": 3}},
        {"name": "tree", "type": ["null", "All"], "default": None},
    ],
}  # fmt: skip


@given(st.data())
@settings(max_examples=60)
def test_avro_is_read_as_somebody_else_wrote_it(data: st.DataObject) -> None:
    state = st.sampled_from(["OPEN", "SHUT"])
    tree: dict[str, Any] | None = None
    for _ in range(data.draw(st.integers(1, 3))):
        tree = {
            "yes": data.draw(st.booleans()),
            "float": data.draw(st.floats(width=32, allow_nan=False)),
            "double": data.draw(st.floats(allow_nan=False)),
            "int": data.draw(st.integers(-(2**31), 2**31 - 1)),
            "state": data.draw(state),
            "again": data.draw(state),
            "other": data.draw(st.one_of(st.none(), st.text(), st.integers(-(2**63), 2**63 - 1))),
            "many": data.draw(st.dictionaries(st.text(max_size=3), state, max_size=3)),
            "hash": data.draw(st.binary(min_size=2, max_size=2)),
            "price": Decimal(data.draw(st.integers(-99_999, 99_999))).scaleb(-3),
            "tree": tree,
        }
    written = avro([EVERYTHING], tree)
    read = avro_reader(Registered("AVRO", text(EVERYTHING)))
    assert plainly(tree) == read(written)
    with pytest.raises(ValueError):
        read(written[: data.draw(st.integers(0, len(written) - 1))])


def plainly(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plainly(inner) for name, inner in value.items()}
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return f"{value:f}" if isinstance(value, Decimal) else value


def test_json_schema_is_json(kept: Kept, decoder: RegistryDecoder) -> None:
    number = kept.register("j", '{"type": "object"}', "JSON", [("other.json", "gone", 7)])
    (event,) = mapped(
        decoder, headed(number, encode_json(payload(at=1769851800000001, customer={"email": "mina@example.com"})))
    ).events
    assert "1" == event.id
    assert "not_by_schema" == reason(mapped(decoder, headed(number, b"{")))


def desk(kept: Kept) -> tuple[int, Any]:
    """A file of two messages of which one lies inside the other, with an import and one of Protobuf's own."""
    person = file_of(messages=[message("Customer", ("email", STRING, OPTIONAL, ""))])
    kept.register("customer-proto", person, "PROTOBUF")
    inner = message("Case", ("id", INT64, OPTIONAL, ""), ("at", MESSAGE, OPTIONAL, ".google.protobuf.Timestamp"),
                    ("customer", MESSAGE, OPTIONAL, ".com.example.Customer"), ("is_public", BOOL, OPTIONAL, ""),
                    ("labels", STRING, REPEATED, ""), ("token", BYTES, OPTIONAL, ""))  # fmt: skip
    outer = [message("First"), message("Desk", inner=[message("Unused"), inner])]
    file = file_of(imports=["google/protobuf/timestamp.proto", "people.proto"], messages=outer)
    number = kept.register("cases-proto", file, "PROTOBUF", [("people.proto", "customer-proto", 1)])
    return number, made_class(person, file, "com.example.Desk.Case")


def made_class(person: str, file: str, name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    for title, encoded in (("people.proto", person), ("desk.proto", file)):
        one = descriptor_pb2.FileDescriptorProto.FromString(b64decode(encoded))
        one.name = title
        pool.AddSerializedFile(one.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def test_a_protobuf_message_inside_another_one_is_found_by_its_steps(kept: Kept, decoder: RegistryDecoder) -> None:
    number, kind = desk(kept)
    written = kind(id=17, customer={"email": "mina@example.com"}, labels=["shop"], token=b"\xff\0")
    written.at.FromMicroseconds(1769851800000001)
    value = headed(number, b"\x04\x02\x02" + written.SerializeToString())  # two steps: 1, then 1
    assert {
        "id": "17",
        "at": "2026-01-31T09:30:00.000001Z",
        "customer": {"email": "mina@example.com"},
        "is_public": False,
        "labels": ["shop"],
        "token": "/wA=",
    } == decoder(value)
    (event,) = mapped(decoder, value, MAPPING.replace("epoch_us", "iso")).events
    assert ("17", 1769851800000001) == (event.id, event.time)


def test_a_single_zero_is_the_first_message_of_the_file(kept: Kept, decoder: RegistryDecoder) -> None:
    number, _ = desk(kept)
    assert {} == decoder(headed(number, b"\0"))
    assert {} == decoder(headed(number, b"\x02\x00"))


@pytest.mark.parametrize(
    ("data", "steps"),
    [(b"\0rest", ((0,), 1)), (b"\x02\x02", ((1,), 2)), (b"\x04\x02\x00", ((1, 0), 3)), (b"\x02\x80\x02", ((128,), 3))],
)
def test_the_steps_to_a_message_are_zigzag_numbers(data: bytes, steps: tuple[tuple[int, ...], int]) -> None:
    assert steps == read_steps(data)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x04\x02", b"\x01", b"\x7e\x00", b"\xff" * 9])
def test_steps_that_are_none_are_said_to_be_so(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|steps"):
        read_steps(data)


def test_bytes_that_do_not_fit_their_schema_are_dead_letters(kept: Kept, decoder: RegistryDecoder) -> None:
    number = registered_case(kept)
    good = avro([CUSTOMER, CASE], case())
    for data in (good[:-3], good + b"x", b"", b"\xff" * 40):
        with pytest.raises(RefusedError, match=f"do not fit schema {number}"):
            decoder(headed(number, data))
        assert "not_by_schema" == reason(mapped(decoder, headed(number, data) + (b"" if data else b"\x01")))
    proto, _ = desk(kept)
    for data in (b"\x06", b"\x02\x08x", b"\x04\x02\x02\xff"):
        assert "not_by_schema" == reason(mapped(decoder, headed(proto, data)))


def test_data_that_goes_deeper_than_anything_is_read_or_refused(kept: Kept, decoder: RegistryDecoder) -> None:
    chain = {"type": "record", "name": "Link", "fields": [{"name": "next", "type": ["null", "Link"]}]}
    number = kept.register("chain", text(chain))
    assert ["missing_id"] == [one.reason for one in mapped(decoder, headed(number, b"\x02\0")).rejected]
    for depth in (64, 500, 500_000):
        assert "not_by_schema" == reason(mapped(decoder, headed(number, b"\x02" * depth + b"\0")))


def test_a_million_million_elements_that_take_no_room_are_refused(kept: Kept, decoder: RegistryDecoder) -> None:
    number = kept.register("nothings", text({"type": "array", "items": "null"}))
    assert [None] * 3 == decoder(headed(number, b"\x06\0"))
    assert [None] == decoder(headed(number, b"\x01\0\0")), "a block that says its size in bytes"
    for data in (b"\xff" * 8 + b"\x01\0", b"\xfe" * 4 + b"\x0f\0"):
        assert "not_by_schema" == reason(mapped(decoder, headed(number, data)))


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        ("AVRO", "{"),
        ("AVRO", '{"type": "record", "name": "X", "fields": [{"name": "a", "type": "com.example.Nowhere"}]}'),
        ("PROTOBUF", 'syntax = "proto3";'),
        ("PROTOBUF", "AAAA"),
        ("XML", "<schema/>"),
    ],
)
def test_a_schema_that_cannot_be_used_makes_dead_letters_and_is_asked_for_once(
    kept: Kept, decoder: RegistryDecoder, kind: str, schema: str
) -> None:
    number = kept.register("x", schema, kind)
    for _ in range(3):
        assert "unusable_schema" == reason(mapped(decoder, headed(number, b"\x02\x02")))
    assert len(kept.asked) <= 2


def test_a_schema_that_nobody_knows_makes_dead_letters_until_it_is_there(
    kept: Kept, decoder: RegistryDecoder, clock: ManualClock
) -> None:
    value = headed(1, avro(["string"], "x"))
    for _ in range(3):
        assert "unknown_schema" == reason(mapped(decoder, value))
    assert ["/schemas/ids/1"] == kept.asked, "a no is remembered for a while"
    kept.register("s", '"string"')
    clock.move_to(clock.now() + UNKNOWN_FOR)
    assert "x" == decoder(value)


@pytest.mark.parametrize("status", [500, 503, 429, 401, 403, 404])
def test_a_registry_that_does_not_answer_as_one_makes_records_wait(
    kept: Kept, decoder: RegistryDecoder, status: int
) -> None:
    number = kept.register("s", '"string"')
    kept.broken = status
    value = headed(number, avro(["string"], "x"))
    with pytest.raises(TemporaryError, match=f"(?s)schema {number} is needed.*{status}.*Nothing is lost"):
        mapped(decoder, value)
    assert decoder.trouble is not None
    kept.broken = None
    assert "x" == decoder(value)
    assert decoder.trouble is None


def test_a_schema_that_is_known_needs_no_registry(kept: Kept, decoder: RegistryDecoder) -> None:
    number = kept.register("s", '"string"')
    value = headed(number, avro(["string"], "x"))
    decoder(value)
    kept.broken = 503
    assert "x" == decoder(value)


def test_a_reference_that_is_gone_makes_records_wait(kept: Kept, decoder: RegistryDecoder) -> None:
    number = kept.register("cases", text(CASE), references=[("com.example.Customer", "customer", 3)])
    with pytest.raises(TemporaryError, match="version 3 of 'customer', which is gone"):
        decoder(headed(number, b"\x02"))


def test_schemas_that_refer_to_each_other_come_to_an_end(kept: Kept, decoder: RegistryDecoder) -> None:
    kept.register("a", '"string"', references=[("b", "b", 1)])
    number = kept.register("b", '"string"', references=[("a", "a", 1), ("b", "b", 1)])
    assert "x" == decoder(headed(number, avro(["string"], "x")))


def test_a_mapping_is_proposed_from_records_under_a_schema(kept: Kept, decoder: RegistryDecoder) -> None:
    number = registered_case(kept)
    bad, plain = Record(headed(99, b"x")), Record(b'{"id": 1}')
    assert [bad, plain, Record(None)] == [as_json(one, decoder) for one in (bad, plain, Record(None))]
    records = [as_json(Record(headed(number, avro([CUSTOMER, CASE], case(id=at)))), decoder) for at in range(20)]
    text = inferred([*records, bad], "desk")
    assert "customer.email" in text


ROW = {"type": "record", "name": "Value", "namespace": "shop.orders", "fields": [
    {"name": "id", "type": "long"}, {"name": "email", "type": ["null", "string"]},
    {"name": "ordered_on", "type": {"type": "int", "logicalType": "date"}},
    {"name": "paid_at", "type": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}},
]}  # fmt: skip
CHANGE = {"type": "record", "name": "Envelope", "namespace": "shop.orders", "fields": [
    {"name": "before", "type": ["null", ROW]}, {"name": "after", "type": ["null", "Value"]}, {"name": "op", "type": "string"},
    {"name": "ts_ms", "type": ["null", "long"]},
]}  # fmt: skip
ORDERS = """
unwrap: [debezium]
id: {template: "{id}-{$attributes.op}"}
time: [{path: paid_at, format: epoch_us}, {path: ordered_on, format: epoch_days}]
identifiers: [{type: email, path: email}]
refs: {order: id}
"""


def change(number: int, op: str, **row: Any) -> bytes:
    known = {"id": 9, "email": "mina@example.com", "ordered_on": 20_484, "paid_at": 1769851800000001, **row}
    value = {"before": known if op == "d" else None, "after": None if op == "d" else known, "op": op, "ts_ms": 1}
    return headed(number, avro([CHANGE], value))


def test_a_change_of_debezium_in_avro_is_what_it_is_in_json(kept: Kept, decoder: RegistryDecoder) -> None:
    number = kept.register("shop.orders-value", text(CHANGE))
    (event,) = mapped(decoder, change(number, "c"), ORDERS).events
    assert ("9-c", "9", 1769851800000001, "event") == (
        event.id,
        event.data["order"],
        event.time,
        event.data["time_basis"],
    )
    (event,) = mapped(decoder, change(number, "u", paid_at=0), ORDERS).events
    assert (20_484 * DAY, "day") == (event.time, event.data["time_basis"]), "0 is no time, so the day counts"
    assert ("snapshot",) == mapped(decoder, change(number, "r"), ORDERS).dropped
    assert ("deletion",) == mapped(decoder, change(number, "d"), ORDERS).dropped


@given(data=st.binary(max_size=60), which=st.integers(0, 3), steps=st.sampled_from([b"", b"\0", b"\x04\x02\x02"]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_under_any_schema_end_in_the_account(
    decoder: RegistryDecoder, kept: Kept, data: bytes, which: int, steps: bytes
) -> None:
    if not kept.schemas:
        registered_case(kept)
        desk(kept)
        kept.register("all", text(EVERYTHING))
    number = sorted(kept.schemas)[which % len(kept.schemas)] if which else 4_000_000_000
    for one in mapped(decoder, headed(number, steps + data)).rejected:
        assert "internal" != one.reason
