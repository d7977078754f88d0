"""The trail as the program sees it: where deeds are written down, and how they are asked for.

What enters: nothing.
What leaves: a Protocol, the question for a page, and the pseudonym of a customer.
The next room: the stores, which keep it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from coordwatch.audit.chain import Head, Link
from coordwatch.audit.deed import Deed


@dataclass(frozen=True, slots=True)
class Asked:
    """Which links are asked for; an empty text asks nothing. Units: `since`, `until` in microseconds since 1970 UTC.

    `kind` may be a whole kind or its noun alone; `before` is the number behind which the page begins, newest first.
    """

    actor: str = ""
    kind: str = ""
    subject: str = ""
    since: int | None = None
    until: int | None = None
    before: int | None = None

    def takes(self, link: Link) -> bool:
        """Whether a link is one of them."""
        return (
            self.actor in ("", link.actor)
            and self.kind in ("", link.kind, link.kind.partition(".")[0])
            and self.subject in ("", link.subject)
            and (self.since is None or link.at >= self.since)
            and (self.until is None or link.at < self.until)
            and (self.before is None or link.number < self.before)
        )


class Trail(Protocol):
    """Where deeds are kept for good."""

    def add(self, deeds: Sequence[Deed]) -> None:
        """Write deeds down that change nothing else here, in a transaction of their own. Raises: TemporaryError."""
        ...

    def head(self) -> Head:
        """How far it goes."""
        ...

    def page(self, asked: Asked, limit: int) -> list[Link]:
        """The newest links that are asked for, newest first."""
        ...

    def links(self, after: int | None = None) -> Iterator[Link]:
        """Every link, or those behind a number, oldest first."""
        ...


def pseudonym(key: bytes, customer: str) -> str:
    """What a customer is called in the trail: the same for the same customer, and nothing without the site's key leads back.

    Takes: `key` of 1 to 64 bytes
    """
    return (
        "who-"
        + blake2b(customer.encode("utf-8", "surrogatepass"), key=key, digest_size=12, person=b"audit").hexdigest()
    )
