"""Peeling by trial: which wrappers lie around the payloads, and which field holds a batch.

What enters: Records. What leaves: the wrappers that came off, the field to split, and the pieces as scopes. The next room:
`survey`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coordwatch.sources.decode import decode_value
from coordwatch.sources.envelope import Envelope, Options, Peel, header_texts
from coordwatch.sources.infer.shapes import TIME_FORMATS, shapes_of
from coordwatch.sources.paths import Scope
from coordwatch.sources.record import LeftAsideError, Record, RefusedError
from coordwatch.sources.unwrap import WRAPPERS, peel

# In the order in which a person would write them; those with options are tried apart.
_TRIED = (
    "connect",
    "debezium",
    "eventbridge",
    "sns",
    "pubsub",
    "cloudwatch",
    "http_bridge",
    "cloudevents",
    "json_text",
    "snowplow_tsv",
)
PIECES_MAX = 5_000
_AROUND_MAX = 6


@dataclass(slots=True)
class Peeled:
    """The pieces, what had to be taken off, and what could not be read."""

    wrappers: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    json_fields: list[str] = field(default_factory=list)
    split: str | None = None
    pieces: list[Scope] = field(default_factory=list)
    unread: int = 0
    left_aside: int = 0


def peel_records(records: Sequence[Record]) -> Peeled:
    """Take off what comes off."""
    found, envelopes = Peeled(), list[Envelope]()
    for record in records:
        try:
            headers = header_texts(record.headers)
            envelopes.append(Envelope(decode_value(record.value, headers), headers))
        except RefusedError:
            found.unread += 1
        except LeftAsideError:
            found.left_aside += 1
    bodies, wrappers = _unwrapped(envelopes, found)
    _take_off_names(bodies, found)
    found.json_fields = _json_fields([one.body for one in bodies])
    for body in bodies:
        body.body = _opened(body.body, found.json_fields)
    found.split = _batch_field([one.body for one in bodies])
    for one in bodies:
        found.pieces += _pieces(one, found, wrappers)[: PIECES_MAX - len(found.pieces)]
    found.wrappers = [name for name in _TRIED if name in found.wrappers]
    inner = [name for name in _json_fields([piece.item for piece in found.pieces]) if name not in found.json_fields]
    found.json_fields += inner
    for piece in found.pieces:
        piece.item = _opened(piece.item, inner)
    return found


Wrappers = tuple[tuple[Peel, Options], ...]


def _unwrapped(envelopes: Sequence[Envelope], found: Peeled) -> tuple[list[Envelope], Wrappers]:
    bodies: list[Envelope] = []
    wrappers = tuple((_watching(name, found.wrappers), _options(name)) for name in _TRIED)
    for one in envelopes:
        try:
            peel(one, wrappers)
            bodies.append(one)
        except RefusedError:
            found.unread += 1
        except LeftAsideError:
            found.left_aside += 1
    return bodies, wrappers


def _options(name: str) -> Options:
    return {"texts": "keep"} if name == "sns" else {}


def _watching(name: str, used: list[str]) -> Peel:
    inner = WRAPPERS[name][0]

    def peeled(envelope: Envelope, options: Options) -> bool:
        came_off = inner(envelope, options)
        if came_off and name not in used:
            used.append(name)
        return came_off

    return peeled


def _take_off_names(bodies: Sequence[Envelope], found: Peeled) -> None:
    """An object with one field that holds an object, again and again, is a name and a payload."""
    named = [one for one in bodies if isinstance(one.body, dict) and len(one.body) == 1 and "" not in one.body]
    inner = [one for one in named if isinstance(next(iter(one.body.values())), dict)]
    if not inner or len(inner) < 0.8 * len(bodies):
        return
    found.named = sorted({next(iter(one.body)) for one in inner})
    for one in inner:
        WRAPPERS["named"][0](one, {"names": frozenset(found.named)})


def _batch_field(bodies: Sequence[Any]) -> str | None:
    """The field whose elements look like events while what lies around them does not."""
    objects = [body for body in bodies if isinstance(body, dict)]
    counts = Counter(name for body in objects for name, value in body.items() if name and _is_batch(value))
    for name, count in counts.most_common():
        around = [
            value
            for body in objects
            for key, value in body.items()
            if key != name and not isinstance(value, list) and _is_batch(body.get(name))
        ]
        times = any(set(shapes_of(value)) & set(TIME_FORMATS) for value in around)
        if count >= 0.2 * len(objects) and not times and len(around) <= _AROUND_MAX * count:
            return str(name)
    return None


def _is_batch(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _pieces(one: Envelope, found: Peeled, wrappers: Wrappers) -> list[Scope]:
    body = one.body
    elements: list[Any] = body if isinstance(body, list) else [body]
    if found.split is not None and isinstance(body, dict) and _is_batch(body.get(found.split)):
        elements = body[found.split]
    scopes: list[Scope] = []
    for element in elements:
        inner = Envelope(element, dict(one.headers), dict(one.query), dict(one.attributes))
        try:
            peel(inner, wrappers)
        except (RefusedError, LeftAsideError):
            found.unread += 1
            continue
        if isinstance(inner.body, dict):
            scopes.append(Scope(inner.body, body, inner.headers, inner.query, inner.attributes))
        else:
            found.unread += 1
    return scopes


def _json_fields(bodies: Sequence[Any]) -> list[str]:
    """Fields at the top that hold JSON in a text nearly wherever they are there."""
    texts: dict[str, list[str]] = {}
    for body in bodies:
        for name, value in body.items() if isinstance(body, dict) else ():
            if name and isinstance(value, str) and value.strip():
                texts.setdefault(name, []).append(value.strip())
    return [
        name
        for name, found in texts.items()
        if sum(text[0] + text[-1] in ("{}", "[]") for text in found) > 0.6 * len(found)
    ]


def _opened(body: Any, names: Sequence[str]) -> Any:
    envelope = Envelope(body)
    for name in names:
        try:
            WRAPPERS["json_field"][0](envelope, {"name": name})
        except RefusedError:
            continue
    return envelope.body
