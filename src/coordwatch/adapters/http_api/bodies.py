"""What somebody posts, as records: one JSON text, a JSON array, JSON Lines, or a CloudEvent in its headers.

What enters: a body, its content type and its headers.
What leaves: the original bytes of each record.
The next room: `events`, which hands them to the processor.
"""

import re

from coordwatch.adapters.http_api.problems import Refused
from coordwatch.codec import NotJson, decode_json

RECORDS_MAX = 20_000
_NOTABLE = re.compile(rb'["\[\]{},]')
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_LINES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines", "text/plain"}
)
_ONE = frozenset({"application/cloudevents+json"})


def split_body(body: bytes, content_type: str) -> list[bytes]:
    """The records of a body, each with its bytes as they came.

    A body that looks like an array and is none, and an element that is no JSON, stay whole: the processor keeps their
    bytes with the reason.

    Raises: Refused when there is nothing in it, or too much
    """
    media = media_type(content_type)
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        raise Refused(400, "the body is empty: send one event, a JSON array of events, or one event a line")
    records = [text] if media in _ONE else _several(text, media)
    if len(records) > RECORDS_MAX:
        raise Refused(413, f"more than {RECORDS_MAX:,} records in one request: send several smaller ones")
    return records


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_lines(content_type: str) -> bool:
    """Whether a body of this type is one record a line."""
    return media_type(content_type) in _LINES


def _several(text: bytes, media: str) -> list[bytes]:
    if media not in _LINES and text.startswith(b"["):
        elements = split_array(text)
        return [text] if elements is None else elements
    lines = [line.strip() for line in text.split(b"\n", RECORDS_MAX + 1)]
    if media not in _LINES and len(lines) > 1 and not _is_json(lines[0]):
        return [text]  # one event, printed over several lines
    return [line for line in lines if line] if len(lines) <= RECORDS_MAX else lines


def _is_json(text: bytes) -> bool:
    try:
        decode_json(text)
    except NotJson:
        return False
    return True


def split_array(text: bytes) -> list[bytes] | None:
    """The elements of a JSON array as they are written; None when the brackets do not close.

    What lies between the commas is not read, so that one bad element spoils none of the others. Linear in the size.
    """
    elements: list[bytes] = []
    depth, start, position = 0, 1, 0
    while True:
        found = _NOTABLE.search(text, position)
        if found is None:
            return None
        mark, position = found.group(), found.end()
        if mark == b'"':
            string = _STRING.match(text, found.start())
            if string is None:
                return None
            position = string.end()
        elif mark in b"[{":
            depth += 1
        elif mark == b",":
            if depth == 1:
                elements.append(text[start : found.start()].strip())
                start = position
                if len(elements) > RECORDS_MAX:
                    return elements
        else:
            depth -= 1
            if depth == 0:
                last = text[start : found.start()].strip()
                # `[]` has no elements; after a comma there must be one, and an empty one is refused like any other.
                elements += [last] if last or elements else []
                return elements if mark == b"]" and not text[position:].strip() else None
