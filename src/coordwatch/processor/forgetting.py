"""Forgetting over a log: who is kept away, and requests to forget, as records of our own topics.

What enters: digests, customer keys. What leaves: Outputs for the stages; entries again out of records.
The next rooms: `ingesting`, `resolving` and `detecting`, each of which forgets what is its own.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from coordwatch.audit.deed import Deed
from coordwatch.codec import NotJson, decode_json, encode_json
from coordwatch.identity.hops.messages import Forget, encode
from coordwatch.identity.hops.routing import PLACE
from coordwatch.identity.hops.system import EVERYBODY
from coordwatch.identity.identifier import Kind
from coordwatch.processor.requests import Receipt, RequestKind, deed_of
from coordwatch.processor.stage import KIND, Output
from coordwatch.processor.topics import Topics

FORGET, UNNAME = "forget", "unname"
ERASED, FORGOTTEN = "customer.erased", "forgotten"
_AWAY, RECEIPT = "away/", "receipt/"


class Away(NamedTuple):
    """One entry: when it was made, and of which type and namespace it is, so that dead letters can be looked through.

    Units: `at` in microseconds since 1970 UTC
    """

    entry: str
    at: int
    type: str = ""
    namespace: str = ""


def away_output(topics: Topics, entry: str, at: int, kind: Kind | None = None) -> Output:
    """The record of an entry."""
    of = {} if kind is None else {"type": kind.type, "namespace": kind.namespace}
    return Output(topics.forgotten, f"{_AWAY}{entry}".encode(), encode_json({"at": at, **of}), 0)


def lifted_output(topics: Topics, entry: str) -> Output:
    """The record that takes an entry away."""
    return Output(topics.forgotten, f"{_AWAY}{entry}".encode(), None, 0)


def receipt_output(topics: Topics, name: str, plain: Mapping[str, object]) -> Output:
    """The record of a receipt."""
    return Output(topics.forgotten, f"{RECEIPT}{name}".encode(), encode_json(plain), 0)


def read_away(key: bytes | None, value: bytes | None) -> tuple[str, Away | None] | None:
    """The entry of a record, with None for one that was taken away; None for any other record."""
    text = (key or b"").decode("utf-8", "replace")
    if not text.startswith(_AWAY):
        return None
    entry = text.removeprefix(_AWAY)
    if value is None:
        return entry, None
    try:
        plain = decode_json(value)
        return entry, Away(entry, int(plain["at"]), str(plain.get("type", "")), str(plain.get("namespace", "")))
    except (NotJson, KeyError, TypeError, ValueError, AttributeError):
        return None


def is_receipt(key: bytes | None) -> bool:
    """Whether a record is a receipt."""
    return (key or b"").startswith(RECEIPT.encode())


def deed_in(value: bytes | None) -> Deed | None:
    """What the audit trail says of a receipt; nothing of a look afterwards at what is left, or of what cannot be read."""
    try:
        plain = decode_json(value or b"")
        receipt = Receipt(**{**plain, "kind": RequestKind(plain["kind"])})
    except (NotJson, KeyError, TypeError, ValueError):
        return None
    return deed_of(receipt) if receipt.checked_at is None else None


def forget_customer(topics: Topics, customer: str) -> Output:
    """The request that the owner of a customer forgets them; it comes behind every event that was sent there before."""
    return Output(topics.events, customer.encode(), b"{}", None, ((KIND, FORGET.encode()),))


def unname(topics: Topics, customer: str, digest: str) -> Output:
    """The request that the owner of a customer takes an identifier out of their events, since it is a forgotten one's."""
    plain = encode_json({"digest": digest})
    return Output(topics.events, customer.encode(), plain, None, ((KIND, UNNAME.encode()),))


def place_again(topics: Topics, anchor: str, value: bytes) -> Output:
    """An event on its way back to an anchor."""
    return Output(topics.identity, anchor.encode(), value, None, ((KIND, PLACE.encode()),))


def forget_nodes(topics: Topics, digests: Iterable[str], customer: str | None = None) -> list[Output]:
    """The requests that the owners of identifiers forget them, and all that is the same customer's."""
    kind, value = encode(Forget(customer))
    return [
        Output(topics.identity, one.encode(), value, None, ((KIND, kind.encode()),)) for one in dict.fromkeys(digests)
    ]


def forget_everywhere(topics: Topics, heard: Forget) -> list[Output]:
    """The word to every owner of identifiers that one is gone."""
    kind, value = encode(heard)
    header = ((KIND, kind.encode()),)
    return [Output(topics.identity, EVERYBODY.encode(), value, one, header) for one in range(topics.partitions)]


def forget_alerts(topics: Topics, customer: str) -> Output:
    """The request that the alerts about a customer are deleted."""
    plain = encode_json({"customer": customer})
    return Output(topics.detections, customer.encode(), plain, None, ((KIND, FORGET.encode()),))
