"""The one table of roles and permissions. Every door of the program asks it; nothing else decides who may do what.

Enters: nothing. Leaves: what each role may. The next room: `routes`, which says what each address needs.
"""

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """One thing that somebody may do. An API token holds some of these as its scopes."""

    READ = "read"
    """See alerts, customers, rules, tools and sources, with personal data masked."""
    METRICS = "metrics"
    """See what is counted: /metrics."""
    ACT = "act"
    """Acknowledge, snooze, resolve, silence: everything that changes how people are told."""
    INGEST = "ingest"
    """Hand in events."""
    CHECK = "check"
    """Ask whether something may be done to a customer; without `read` the answer says which rules, and not by what."""
    REPLAY = "replay"
    """Send dead letters round again."""
    AUDIT = "audit"
    """Read who did what."""
    UNMASK = "unmask"
    """See personal data unmasked, each time as an act of its own that is written down."""
    ADMIN = "admin"
    """Change accounts, tokens and what the site decides."""


class Open(StrEnum):
    """What an address needs that asks for no permission."""

    ANYBODY = "anybody"
    """Who is not signed in may come too: the sign-in itself, its style, whether the process lives."""
    SIGNED = "signed"
    """A signature over the body takes the place of a person: a tool's webhook, a button in Slack."""
    SIGNED_IN = "signed in"
    """Whoever is signed in: how one's own pages look, signing out."""


Need = Permission | Open


class Role(StrEnum):
    """What a person is here."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    PRIVACY = "privacy"
    ADMIN = "admin"


P = Permission
# An administrator sees no personal data, and who sees it changes no account: one who wants both is given both by another
# person's act, and the audit trail says so.
ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({P.READ, P.METRICS}),
    Role.OPERATOR: frozenset({P.READ, P.METRICS, P.ACT}),
    Role.PRIVACY: frozenset({P.READ, P.METRICS, P.AUDIT, P.UNMASK}),
    Role.ADMIN: frozenset({P.READ, P.METRICS, P.ACT, P.INGEST, P.CHECK, P.REPLAY, P.AUDIT, P.ADMIN}),
}
EVERYTHING = frozenset(Permission)


def may(held: frozenset[Permission], need: Need) -> bool:
    """Whether somebody who is signed in and holds these permissions may use an address that needs this."""
    return True if isinstance(need, Open) else need in held
