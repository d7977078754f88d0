"""Who asks: a name for the audit trail, the permissions held, and whether personal data is shown unmasked just now.

Enters: what the door found out. Leaves: one frozen Principal a request. The next rooms: API and pages.
"""

from dataclasses import dataclass
from enum import StrEnum

from coordwatch.access.roles import EVERYTHING, Need, Open, Permission, Role, may


class Way(StrEnum):
    """How somebody came in."""

    LOCAL = "local"
    """Nobody signs in here: the site is open on this machine, and only on it."""
    SITE_TOKEN = "site token"  # noqa: S105
    """By the one token of the settings, which opens everything."""
    API_TOKEN = "api token"  # noqa: S105
    SESSION = "session"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is empty for whoever is at this machine and has none; `unmasked` is about this one request."""

    name: str
    permissions: frozenset[Permission]
    way: Way
    role: Role | None = None
    session: str = ""
    unmasked: bool = False

    def may(self, need: Need) -> bool:
        """Whether this one may use an address that needs this."""
        return may(self.permissions, need)


NOBODY = Principal("", frozenset(), Way.SIGNATURE)
LOCAL = Principal("", EVERYTHING, Way.LOCAL, unmasked=True)


def turned_away(who: Principal | None, need: Need) -> int:
    """The status with which a request is refused, 0 when it is let in; `who` is None for whoever is not signed in.

    An address for signatures that no settings name is none: only who is signed in learns so.
    """
    if need is Open.ANYBODY:
        return 0
    if who is None:
        return 401
    return 0 if who.may(need) else 403


def hides(who: Principal | None) -> bool:
    """Whether personal data is hidden from whoever asks; a request that came by no door is a test's or the program's own."""
    return who is not None and not who.unmasked
