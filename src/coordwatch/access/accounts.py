"""Accounts, sessions and API tokens as plain values, and what the door needs of whoever keeps them.

Enters: names, roles, digests of secrets; never a secret itself. Leaves: frozen values. The next room: `gate`, which decides.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Protocol

from coordwatch.access.roles import Permission, Role
from coordwatch.audit.deed import Deed

MINUTE = 60_000_000
HOUR = 60 * MINUTE
IDLE_FOR = 30 * MINUTE
LASTS_FOR = 12 * HOUR
UNMASKED_FOR = 15 * MINUTE
KNOWN_FOR = 90 * 24 * HOUR
# A browser sends it back to this host alone, and takes it only over an encrypted way or from this machine.
SESSION_COOKIE = "__Host-coordwatch"


@dataclass(frozen=True, slots=True)
class User:
    """One person, known by `issuer` and `subject`: a provider and its name for them.

    A local account has no issuer; its subject is the name to sign in with. `name` is what the audit trail says;
    `version` counts what people changed of it.
    Units: instants in microseconds since 1970 UTC
    """

    issuer: str
    subject: str
    name: str
    role: Role
    password: str | None = None
    disabled: bool = False
    made_at: int = 0
    changed_at: int = 0
    signed_in_at: int | None = None
    version: int = 1

    @property
    def id(self) -> str:
        """A name for who this is, which no other provider can give to somebody else."""
        parts = (part.encode() for part in (self.issuer, self.subject))
        return blake2b(b"".join(len(part).to_bytes(4, "big") + part for part in parts), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in: known by the digest of a secret that only their browser has.

    `strong` says that a second factor was shown. Units: instants in microseconds since 1970 UTC
    """

    digest: str
    user: str
    made_at: int
    seen_at: int
    unmasked_until: int = 0
    strong: bool = False

    def lives(self, now: int) -> bool:
        """Whether it still opens the door: not idle for too long, and not older than half a day."""
        return now < self.seen_at + IDLE_FOR and now < self.made_at + LASTS_FOR


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token for a program: known by the digest of its secret, which was shown once. Units: as Session."""

    id: str
    digest: str
    name: str
    scopes: frozenset[Permission]
    made_by: str
    made_at: int
    expires_at: int
    used_at: int | None = None
    revoked_at: int | None = None

    def lives(self, now: int) -> bool:
        """Whether it still opens the door."""
        return self.revoked_at is None and now < self.expires_at


def digest_of(secret: str) -> str:
    """What is kept of a secret that nobody could guess: from it the secret cannot be found."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class AccountStore(Protocol):
    """Where accounts, sessions and tokens are kept. Every method may raise TemporaryError."""

    def user(self, user_id: str) -> User | None:
        """An account by its id."""
        ...

    def users(self) -> Sequence[User]:
        """Every account, by name."""
        ...

    def add_user(self, user: User, deed: Deed) -> bool:
        """Keep a new account, and write it down with it; False when there is one already."""
        ...

    def change_user(self, user: User, deed: Deed) -> bool:
        """Keep what people change of an account, count it, and write it down with it.

        Takes: the account with the version that was read
        Gives: False, and keeps nothing, when somebody else changed it since
        """
        ...

    def let_in(self, user: User, judged: str | None, session: Session, instead_of: str | None) -> bool:
        """Keep a new session in place of another one, and that somebody signed in; those that have ended are thrown away.

        Takes: `judged`, the hash that the password was checked against. Gives: False, and keeps nothing, when the account was
        shut out or got another password since
        """
        ...

    def session(self, digest: str) -> tuple[Session, User] | None:
        """A session with its account."""
        ...

    def session_seen(self, digest: str, now: int) -> None:
        """Note that a session was used, if it is still there; what else is known of it stays as others may have changed it."""
        ...

    def show_until(self, digest: str, instant: int) -> None:
        """Until when personal data is shown in a session, if it is still there."""
        ...

    def end_session(self, digest: str) -> None:
        """Forget a session."""
        ...

    def end_sessions(self, user_id: str) -> int:
        """Forget every session of somebody, and say how many there were."""
        ...

    def token(self, digest: str) -> ApiToken | None:
        """A token by its digest."""
        ...

    def tokens(self) -> Sequence[ApiToken]:
        """Every token, newest first."""
        ...

    def add_token(self, token: ApiToken) -> None:
        """Keep a new token."""
        ...

    def end_token(self, digest: str, now: int) -> None:
        """End a token; one that has ended keeps when it did."""
        ...

    def token_used(self, digest: str, now: int) -> None:
        """Note that a token was used; one that was revoked meanwhile stays so."""
        ...

    def take_tries(self, limits: Mapping[str, int], now: int, window: int) -> int:
        """Count one try under each key, unless one of them had its limit in this window: then how long to wait, else 0."""
        ...

    def known_places(self, user_id: str, digests: Collection[str], now: int) -> frozenset[str]:
        """Which of these are places where this account was let in lately."""
        ...

    def remember_places(self, user_id: str, digests: Collection[str], now: int) -> None:
        """Note that an account was let in there; what is older than KNOWN_FOR is thrown away."""
        ...

    def forget_places(self, user_id: str) -> None:
        """Forget where an account was let in."""
        ...


class Passwords(Protocol):
    """What knows how passwords are kept."""

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        ...

    def verify(self, kept: str | None, password: str) -> bool:
        """Whether this is the password; takes as long for an account that is not there."""
        ...

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed with less effort than today."""
        ...

    def weakness(self, password: str, about: Iterable[str]) -> str | None:
        """Why somebody would soon guess it, None for a good one. Takes: words that belong to the person."""
        ...
