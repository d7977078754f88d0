"""What administrators do to accounts and tokens, from the command line: each checked, done, and written down.

Enters: names, roles, passwords, scopes. Leaves: the changed account, or a PermanentError that says what to do instead.
The next room: the commands `users` and `tokens`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from coordwatch.access.accounts import AccountStore, ApiToken, Passwords, User, digest_of
from coordwatch.access.gate import PASSWORD_MAX
from coordwatch.access.roles import Permission, Role
from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.audit.trail import Trail
from coordwatch.errors import PermanentError

PASSWORD_MIN = 15
TOKEN_PREFIX = "cwt_"  # noqa: S105
_LOOK_AGAIN = "look at it with: coordwatch users list, then say it again"
TOKEN_YEARS_MAX = 366 * 86_400_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Changes accounts and tokens. Takes: `actor`, who is at the keyboard; `secret`, which makes up 256 bits."""

    store: AccountStore
    passwords: Passwords
    trail: Trail
    secret: Callable[[], str]
    actor: str

    def add(self, name: str, role: Role, password: str, now: int) -> User:
        """Make a local account. Raises: PermanentError."""
        name = name.lower()
        if not _NAME.fullmatch(name):
            raise PermanentError(f"'{name[:40]}' cannot be a name to sign in with: letters, digits and . _ @ + -")
        user = User("", name, name, role, made_at=now, changed_at=now)
        taken = f"there is an account '{name}' already: coordwatch users passwd {name}"
        if self.store.user(user.id) is not None:
            raise PermanentError(taken)
        user = replace(user, password=self._hashed(password, name))
        if not self.store.add_user(user, self._deed(now, DeedKind.ACCOUNT_MAKE, user, role=role.value)):
            raise PermanentError(taken)
        return user

    def passwd(self, name: str, password: str, now: int, seen: int | None = None) -> int:
        """Change a password, and sign the account out everywhere. Gives: how many sessions ended."""
        user = self._seen(name, seen)
        if user.issuer:
            raise PermanentError(f"'{user.name}' signs in by {user.issuer}, where the password is changed")
        kept = self._hashed(password, user.subject)
        self._change(replace(user, password=kept, changed_at=now), changed="password")
        # Whoever knew the old password may have made a place known.
        self.store.forget_places(user.id)
        return self.store.end_sessions(user.id)

    def change_role(self, name: str, role: Role, now: int, seen: int | None = None) -> User:
        """Give an account another role; it holds from the next request on."""
        user = self._seen(name, seen)
        after = replace(user, role=role, changed_at=now)
        self._change(after, changed="role", before=user.role.value, after=role.value)
        return after

    def disable(self, name: str, now: int, *, disabled: bool, seen: int | None = None) -> int:
        """Shut an account out, and end its sessions; or let it in again. Gives: how many sessions ended."""
        user = self._seen(name, seen)
        self._change(replace(user, disabled=disabled, changed_at=now), changed="disabled", after=disabled)
        return self.store.end_sessions(user.id) if disabled else 0

    def end_sessions(self, name: str, now: int) -> int:
        """Sign an account out everywhere."""
        user = self.named(name)
        self.trail.add([self._deed(now, DeedKind.SESSION_END, user, all=True)])
        return self.store.end_sessions(user.id)

    def named(self, name: str) -> User:
        """The one account of this name. Raises: PermanentError when there is none, or more than one."""
        found = [user for user in self.store.users() if name.lower() in (user.name.lower(), user.id)]
        if not found:
            raise PermanentError(f"there is no account '{name[:64]}': coordwatch users list")
        if len(found) > 1:
            ids = ", ".join(user.id for user in found)
            raise PermanentError(f"several providers know a '{name[:64]}': name one by its id: {ids}")
        return found[0]

    def _seen(self, name: str, seen: int | None) -> User:
        """An account, if it stands as somebody saw it; None for whatever stands."""
        user = self.named(name)
        if seen is not None and seen != user.version:
            raise PermanentError(f"'{user.name}' has version {user.version} by now, not {seen}: {_LOOK_AGAIN}")
        return user

    def _change(self, user: User, **facts: Fact) -> None:
        """Keep a changed account, with what is written down of it, if nobody was faster."""
        if not self.store.change_user(user, self._deed(user.changed_at, DeedKind.ACCOUNT_CHANGE, user, **facts)):
            raise PermanentError(f"somebody else changed '{user.name}' at this moment, nothing was done: {_LOOK_AGAIN}")

    def make_token(self, name: str, scopes: frozenset[Permission], lasts: int, now: int) -> tuple[ApiToken, str]:
        """Make a token for a program. Gives: the token, and its secret, which is shown this once. Units: microseconds."""
        if not _TOKEN_NAME.fullmatch(name):
            raise PermanentError(
                f"'{name[:40]}' cannot be the name of a token: 1 to 64 letters, digits, blanks and . _ -"
            )
        if not scopes:
            raise PermanentError(f"a token needs a scope; there are: {', '.join(Permission)}")
        if not 0 < lasts <= TOKEN_YEARS_MAX:
            raise PermanentError("a token lasts for a year at most")
        secret = TOKEN_PREFIX + self.secret()
        digest = digest_of(secret)
        token = ApiToken(digest[:12], digest, name, scopes, self.actor, now, now + lasts)
        words = ", ".join(sorted(scopes))
        self.trail.add([Deed(now, self.actor, DeedKind.TOKEN_MAKE, f"{name} ({token.id})", {"scopes": words})])
        self.store.add_token(token)
        return token, secret

    def revoke(self, token_id: str, now: int) -> ApiToken:
        """End a token for good. Raises: PermanentError when there is none."""
        found = next((one for one in self.store.tokens() if one.id == token_id), None)
        if found is None:
            raise PermanentError(f"there is no token '{token_id[:40]}': coordwatch tokens list")
        self.trail.add([Deed(now, self.actor, DeedKind.TOKEN_REVOKE, f"{found.name} ({found.id})")])
        self.store.end_token(found.digest, now)
        return replace(found, revoked_at=found.revoked_at or now)

    def _hashed(self, password: str, name: str) -> str:
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            raise PermanentError(f"a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters: a few words will do")
        weak = self.passwords.weakness(password, (name, "coordwatch"))
        if weak is not None:
            raise PermanentError(f"this password would soon be guessed: {weak}")
        return self.passwords.hash(password)

    def _deed(self, now: int, kind: DeedKind, user: User, **facts: Fact) -> Deed:
        return Deed(now, self.actor, kind, user.name, facts)
