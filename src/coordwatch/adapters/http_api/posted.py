"""What was posted, as records for the writer: a tool's payload whole, canonical events one by one.

What enters: a body and its headers. What leaves: Inputs. The next room: `events` and the webhook door, which hand them on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coordwatch.adapters.http_api.bodies import is_lines, media_type, split_body
from coordwatch.processor import CANONICAL, Input
from coordwatch.sources.record import Record

CLOUDEVENTS = "cloudevents"
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where posted records go: the input, the mapping, whether the request named that mapping, and the time."""

    input: str
    source: str
    named: bool
    now: int


def inputs_of(body: bytes, headers: Mapping[str, str], to: Destination) -> list[Input]:
    """The records of a request.

    Raises: Refused when there is nothing in it, or too much
    """
    content_type = headers.get("content-type", "")
    source, records = to.source, _records(body, content_type, to.source)
    if "ce-id" in headers or "ce-type" in headers:
        source, records = to.source if to.named else CLOUDEVENTS, [body]
    pairs = tuple((name, value) for name, value in headers.items() if name not in SECRET_HEADERS)
    return [
        Input(
            Record(one, topic=to.input, headers=pairs if source != CANONICAL else (), timestamp=to.now),
            source,
            to.input,
        )
        for one in records
    ]


def _records(body: bytes, content_type: str, source: str) -> Sequence[bytes]:
    # A tool's payload is one record, also when it is an array: its mapping knows how to split it.
    whole = source != CANONICAL and not is_lines(content_type) and media_type(content_type) != _BATCH
    return [body] if whole and body.strip() else split_body(body, content_type)
