"""What the sign-in page needs of a provider of identities, whatever it speaks.

Enters: nothing. Leaves: a Protocol, and how it says no. The next rooms: `adapters.oidc`, which speaks OpenID Connect, and the
sign-in page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from coordwatch.access.gate import Identity


class NotProvenError(Exception):
    """The provider's answer proves nothing. The text is for the log: the person is told only that it did not work."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where the browser goes, and what it keeps until it comes back."""

    address: str
    keepsake: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for, and where the person wanted to go."""

    identity: Identity
    back: str


class Provider(Protocol):
    """A provider of identities."""

    @property
    def label(self) -> str:
        """What people call it."""
        ...

    def begin(self, back: str) -> Begun:
        """Begin a sign-in. Raises: TemporaryError when the provider does not answer, PermanentError when it may not be asked."""
        ...

    def finish(self, keepsake: str, answer: Mapping[str, str], now: int) -> Vouched:
        """Check what the browser brought back.

        Raises: NotProvenError; TemporaryError when the provider does not answer, PermanentError when it may not be asked
        """
        ...
