"""A corpus of bad input: the golden payloads of a mapping with everything in them that tools and networks have done to payloads.

Enters: the name of a mapping. Leaves: Records, the same ones in every run. Each place of the payloads meets each wrong kind
(some of them, where a mapping has very many places), whatever its depth; the elements of a list count as one place. Which
record it is, and which other values meet there, is drawn with a fixed seed, within a budget that keeps the whole corpus of
forty mappings within some seconds.
"""

import copy
import functools
import random
from collections.abc import Iterator
from typing import Any

from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.events.times import parse_time
from coordwatch.sources.record import Record
from tests.sources.shipped import golden_records

SEED = "bad input 1"
BUDGET = 250  # changed payloads a mapping, beside those with a wrong kind in every place
BYTES = 120  # payloads of a mapping whose bytes are hurt
OBSERVED = parse_time("2026-02-01T00:00:00Z")
NOTHING = ["null", "undefined", "None", "NaN", "nil", "(null)", "[object Object]", "0", "", " ", "\0", "-", "{}"]
MAILBOXES = [
    "mina@examplе.com",  # the e of another alphabet
    "ｍina@example.com",
    "mina@example.com\u200b",
    "\u202emoc.elpmaxe@anim",
    "MINA@EXAMPLE.COM.",
    "mina@xn--exmple-cua.com",
    "mina@@example.com",
    '"mina b"@example.com',
    "mina@example.com, noor@example.com",
    "@",
]
TIMES = [
    "2026-01-31T09:30:00.123456789Z", "2026-01-31T09:30:00", "2026-01-31 09:30", "2026-01-31", "31/01/2026 09:30",
    "Sat, 31 Jan 2026 10:30:00 +0100", "1769851800", "1769851800.123456", 1769851800, 1769851800.5, 1769851800123,
    1769851800123456, 1769851800123456789, "2099-01-01T00:00:00Z", 4102444800, 4102444800000, "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T09:30:60Z", "yesterday", "24:00",
]  # fmt: skip
NUMBERS = [0, -1, True, False, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), 1e308, -1e308, 5e-324, 0.1, "1e400", "9" * 400]
SHAPES: list[Any] = [
    None, [], [[]], [None], {}, {"": {}}, {"a": [1, "a", None, {}]}, [{}], [{"id": "null"}, 7, "x"], "x" * 3000, "{", "[1,",
    '{"id": 1}', "a\tb\r\nc", "🙂" * 600, {"$": "$whole"}, {"string": "x"}, {"payload": None, "schema": {}},
]  # fmt: skip
WRONG: list[Any] = [
    None,
    True,
    -1,
    1e308,
    "",
    "\0",
    "x" * 3000,
    [],
    [[]],
    {},
    {"a": []},
    "9999-12-31T23:59:59Z",
    [None],
]
VALUES: list[Any] = [*NOTHING, *MAILBOXES, *TIMES, *NUMBERS, *SHAPES]


def is_json(value: bytes | None) -> bool:
    try:
        decode_json(value or b"")
    except NotJson:
        return False
    return True


@functools.cache
def bodies(source: str) -> list[tuple[Record, Any]]:
    """The golden records of a mapping that are JSON, and what they hold."""
    return [(one, decode_json(one.value or b"")) for one in golden_records(source) if is_json(one.value)]


def places(body: Any) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, the whole of it included."""
    found: list[tuple[Any, ...]] = [()]
    pairs = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for step, inner in pairs:
        found += [(step, *rest) for rest in places(inner)]
    return found


def put(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of a JSON value with something else at one place; a place that is no longer there changes nothing."""
    if not place:
        return value
    changed = copy.copy(body)
    try:
        changed[place[0]] = put(body[place[0]], place[1:], value)
    except (KeyError, IndexError, TypeError):
        return body
    return changed


def corpus(source: str) -> Iterator[Record]:
    """Every record of the corpus of one mapping."""
    chance = random.Random(f"{SEED} {source}")
    yield from _changed(source, chance)
    yield from _hurt(source, chance)
    yield from _grown(source, chance)


def _changed(source: str, chance: random.Random) -> Iterator[Record]:
    """Each place with each wrong kind, and with some of all the other values that do not belong there."""
    where: dict[tuple[Any, ...], list[tuple[int, tuple[Any, ...]]]] = {}
    for number, (_, body) in enumerate(bodies(source)):
        for place in places(body):
            shape = tuple("*" if isinstance(step, int) else step for step in place)
            where.setdefault(shape, []).append((number, place))
    each = max(BUDGET // max(len(where), 1), 3)
    kinds = min(len(WRONG), max(3 * BUDGET // max(len(where), 1), 5))
    for spots in where.values():
        for value in [*chance.sample(WRONG, kinds), *chance.sample(VALUES, min(each, len(VALUES)))]:
            number, place = chance.choice(spots)
            record, body = bodies(source)[number]
            yield _like(record, encode_json(put(body, place, value)), chance)


def _hurt(source: str, chance: random.Random) -> Iterator[Record]:
    """The bytes themselves: cut off, not UTF-8, numbers that JSON does not have, halves of characters, names twice."""
    records = [record for record, _ in bodies(source)]
    hurts = (_cut, _not_utf8, _no_number, _half_character, _named_twice, _with_rubbish)
    for number in range(BYTES if records else 0):
        record = chance.choice(records)
        yield _like(record, hurts[number % len(hurts)](record.value or b"", chance), chance)


def _cut(value: bytes, chance: random.Random) -> bytes:
    return value[: chance.randrange(len(value))]


def _not_utf8(value: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(value))
    return value[:at] + chance.choice([b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf8\x88"]) + value[at:]


def _no_number(value: bytes, chance: random.Random) -> bytes:
    return _in_place_of_a_value(value, chance, [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"0x1F", b"01", b"1_000"])


def _half_character(value: bytes, chance: random.Random) -> bytes:
    return _in_place_of_a_value(value, chance, [b'"\\ud800"', b'"\\udc00x"', b'"\\u0000"', b'"\\ud83d\\ude00"'])


def _in_place_of_a_value(value: bytes, chance: random.Random, choices: list[bytes]) -> bytes:
    starts = [at + 1 for at in range(len(value)) if value[at : at + 1] == b":"]
    if not starts:
        return chance.choice(choices)
    start = chance.choice(starts)
    ends = [at for mark in b",}" if (at := value.find(mark, start)) >= 0]
    return value[:start] + chance.choice(choices) + value[min(ends, default=len(value)) :]


def _named_twice(value: bytes, chance: random.Random) -> bytes:
    body = decode_json(value)
    if not isinstance(body, dict) or not body:
        return value
    name = chance.choice(list(body))
    again = encode_json({name: chance.choice(VALUES)})[1:-1]
    return value[:-1] + b"," + again + b"}" if value.endswith(b"}") else value


def _with_rubbish(value: bytes, chance: random.Random) -> bytes:
    return chance.choice([b"\xef\xbb\xbf" + value, value + b"}", b"\0" + value, value.decode("utf-8").encode("utf-16"),
                          b"\0\0\0\0\x07" + value, b"\x1f\x8b" + value, value + value, b"\t" * 140 + value])  # fmt: skip


def _grown(source: str, chance: random.Random) -> Iterator[Record]:
    """Deep and long: a thousand lists in each other, and thousands of elements where one was."""
    deep: Any = 1
    for number in range(900):
        deep = [deep] if number % 2 else {"a": deep}
    for record, body in bodies(source)[:4]:
        for value in (deep, ["x"] * 5_000, [{}] * 1_500, {str(number): number for number in range(2_000)}):
            place = chance.choice(places(body))
            yield _like(record, _written(put(body, place, value)), chance)
        yield _like(record, b"[" * 2_000 + (record.value or b"") + b"]" * 2_000, chance)
        yield _like(record, encode_json([body] * 40), chance)


def _written(body: Any) -> bytes:
    try:
        return encode_json(body)
    except TypeError:  # deeper than can be written down
        return b"[" * 1_000 + b"]" * 1_000


def _like(record: Record, value: bytes, chance: random.Random) -> Record:
    return Record(
        value, record.topic, key=record.key, headers=record.headers, timestamp=chance.choice([None, OBSERVED])
    )
