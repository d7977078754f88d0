"""What a request asks for beside its address and body: the version it saw, what it holds already, and that it happens once.

What enters: the headers If-Match, If-None-Match and Idempotency-Key.
What leaves: a version, a yes or no, a key with a digest; or a problem.
The next room: `alerts` and `events`, which ask for it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Header

from coordwatch.adapters.http_api.problems import Refused
from coordwatch.alerts.alert import VersionConflict
from coordwatch.alerts.once import Once

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_TAG = re.compile(r'"(\d{1,9})\.[0-9a-f]{16}"')

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=400,
        description="the ETag of what is changed as it was seen, or * for whatever stands; a 412 says that it has moved on",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=400, description="an ETag that is known already: 304 if it stands"),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="made up by the asker: the same request under it is done once, and answered the same for a day",
    ),
]


class Said:
    """What the headers of an order say."""

    def __init__(self, if_match: IfMatch = None, idempotency_key: IdempotencyKey = None) -> None:
        self.if_match, self.idempotency_key = if_match, idempotency_key


@contextmanager
def precisely(if_match: str | None) -> Iterator[None]:
    """A conflict of versions is a 412 where the version came by `If-Match`; by the body it is a 409."""
    try:
        yield
    except VersionConflict as moved:
        if if_match is None:
            raise
        raise Refused(412, str(moved), version=moved.version) from None


def tag_of(version: int, body: bytes) -> str:
    """The ETag of an alert, a silence or an incident: its version, which only decisions about it change, and a digest of all that is shown of it."""
    return f'"{version}.{blake2b(body, digest_size=8).hexdigest()}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether the asker has this already."""
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return tag in known or known == ["*"]


def version_seen(if_match: str | None, version: int | None, stands: Callable[[], int | None]) -> int | None:
    """The version that an order is for; None for whatever stands.

    Takes:  `stands`, the version now, asked for where several would do
    Raises: Refused with 428 when nothing was said, 412 when no version like that ever was
    """
    if if_match is None:
        if version is None:
            raise Refused(
                428,
                "say which version you saw: 'If-Match' with its ETag, or 'version' in the body; "
                "'If-Match: *' means whatever stands",
            )
        return version
    if if_match.strip() == "*":
        return version
    found = [_TAG.fullmatch(one.strip()) for one in if_match.split(",")]
    seen = [int(one.group(1)) for one in found if one is not None]
    if version is not None:
        seen = [one for one in seen if one == version]
    if not seen:
        raise Refused(412, "'If-Match' names no version of this: GET it, and send its ETag as it is")
    now = stands() if len(seen) > 1 else None
    return now if now in seen else seen[0]


def once_of(key: str | None, *asked: Any) -> Once | None:
    """The key of a request, with a digest of what it asks.

    Raises: Refused for a key that cannot be one
    """
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Refused(400, "an Idempotency-Key is 1 to 200 visible characters without blanks, such as a UUID")
    digest = blake2b(digest_size=16)
    for one in asked:
        part = one if isinstance(one, bytes) else repr(one).encode()
        digest.update(len(part).to_bytes(8, "big") + part)
    return Once(key, digest.hexdigest())
