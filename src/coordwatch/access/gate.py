"""The gate: signing in and out, who a session or a token belongs to, and seeing personal data unmasked.

Enters: names, passwords, secrets, the present. Leaves: a Principal, or why not; every step written down.
The next rooms: the door of the API, the sign-in page, the commands `users` and `tokens`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from coordwatch.access.accounts import (
    IDLE_FOR,
    LASTS_FOR,
    MINUTE,
    UNMASKED_FOR,
    AccountStore,
    Passwords,
    Session,
    User,
    digest_of,
)
from coordwatch.access.principal import Principal, Way
from coordwatch.access.roles import ROLES, Permission, Role
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.trail import Trail

TRIES_A_NAME, TRIES_A_PEER, TRIES_WINDOW = 10, 60, MINUTE
PROVIDER_A_PEER = 120
PASSWORD_MAX = 1024
_NAME_MAX = 200
_TOUCH_AFTER = MINUTE
_NO = "This name and this password do not belong together here."
TOO_MANY = "Too many tries. Wait a minute, then try again."
_NO_GROUP = "You are known to the provider, but none of your groups may come in here. Ask an administrator."


class Why(StrEnum):
    """Why somebody looks at personal data: one of these and no free text, since the trail keeps no personal data itself."""

    ASKED = "asked"
    """The person asks what is held of them."""
    REPAIR = "repair"
    """Something is made good for a customer."""
    FAULT = "fault"
    """A tool's records cannot be read, and somebody finds out why."""
    LAW = "law"
    """A law or a court asks for it."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody came in. `secret` is for their browser alone; nobody else ever sees it.

    `device`, if any, is a second one, which lets nobody in: by it the browser is known the next time.
    """

    secret: str
    who: Principal
    device: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """From where somebody comes to sign in: an address, what a browser kept of the last time, and its session until now."""

    peer: str
    device: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class NotIn:
    """Nobody came in: words for the person, the same whatever was wrong; how long to wait, in microseconds."""

    words: str
    wait: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider says somebody is: never found by a mail address, which another provider may give to somebody else."""

    issuer: str
    subject: str
    name: str
    role: Role | None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides who comes in. Takes: `secret`, which makes up 256 bits that nobody can guess; `admin_needs_second_factor`."""

    store: AccountStore
    passwords: Passwords
    trail: Trail
    secret: Callable[[], str]
    admin_needs_second_factor: bool = True

    def sign_in(self, name: str, password: str, coming: Coming, now: int) -> SignedIn | NotIn:
        """Let a local account in."""
        own = User("", name.lower()[:_NAME_MAX], "", Role.VIEWER).id
        wait = self._too_many(name, own, coming, now)
        if wait:
            return NotIn(TOO_MANY, wait)
        user = self.store.user(own) if len(name) <= _NAME_MAX else None
        kept = None if user is None or user.disabled else user.password
        # The password of nobody is checked too: the time that it takes must not say who has an account.
        right = self.passwords.verify(kept, password[:PASSWORD_MAX])
        if user is None or kept is None or not right or len(password) > PASSWORD_MAX:
            # A name that nobody has may be a password in the wrong field.
            return self._refused("unknown name" if user is None else user.name, _NO, now)
        if self.passwords.outdated(kept):
            user = replace(user, password=self.passwords.hash(password))
        found = self._let_in(user, kept, Session("", user.id, now, now), coming.before)
        # A password that was changed while it was checked is a wrong one.
        return self._remembered(found, user, coming, now) if found else self._refused(user.name, _NO, now)

    def _too_many(self, name: str, own: str, coming: Coming, now: int) -> int:
        """Take one of the tries there are; how long to wait when there is none.

        Strangers share those of a name. Where it was let in before has tries of its own: nobody else can use these up.
        """
        place, device = _places(own, coming)
        known = self.store.known_places(own, (place, device), now)
        if device in known:
            limits = {f"device {device}": TRIES_A_NAME}
        elif place in known:
            limits = {f"place {place}": TRIES_A_NAME, f"peer {coming.peer}": TRIES_A_PEER}
        else:
            limits = {f"name {digest_of(name.lower())}": TRIES_A_NAME, f"peer {coming.peer}": TRIES_A_PEER}
        return self.store.take_tries(limits, now, TRIES_WINDOW)

    def _remembered(self, found: SignedIn, user: User, coming: Coming, now: int) -> SignedIn:
        """Note where somebody came in; a browser that is not known yet gets something to be known by."""
        _, device = _places(user.id, coming)
        is_known = device in self.store.known_places(user.id, (device,), now)
        secret = coming.device if is_known else self.secret()
        self.store.remember_places(user.id, _places(user.id, replace(coming, device=secret)), now)
        return replace(found, device=secret)

    def provider_wait(self, coming: Coming, now: int) -> int:
        """Take one of the requests that an address may make about a provider; how long to wait when there is none."""
        return self.store.take_tries({f"provider {coming.peer}": PROVIDER_A_PEER}, now, TRIES_WINDOW)

    def sign_in_by(self, identity: Identity, now: int, before: str = "") -> SignedIn | NotIn:
        """Let in whom a provider vouches for; the first time this makes the account."""
        known = self.store.user(User(identity.issuer, identity.subject, "", Role.VIEWER).id)
        if identity.role is None or (known is not None and known.disabled):
            return self._refused(identity.name, _NO_GROUP, now)
        fresh = User(identity.issuer, identity.subject, identity.name, identity.role, made_at=now, changed_at=now)
        user = fresh if known is None else replace(known, name=identity.name, role=identity.role)
        found = self._let_in(user, user.password, Session("", user.id, now, now, strong=identity.strong), before)
        return found or self._refused(identity.name, _NO_GROUP, now)

    def _let_in(self, user: User, judged: str | None, blank: Session, before: str) -> SignedIn | None:
        """Begin a session of which nobody has the secret before it is written down; None for whoever was shut out meanwhile."""
        secret, now = self.secret(), blank.made_at
        session = replace(blank, digest=digest_of(secret))
        if not self.store.let_in(user, judged, session, digest_of(before) if before else None):
            return None
        who = self._principal(session, user, now)
        facts = {"role": who.role, "by": user.issuer or "password", "second_factor": session.strong}
        self.trail.add([Deed(now, user.name, DeedKind.SESSION_BEGIN, user.name, facts)])
        return SignedIn(secret, who)

    def _refused(self, name: str, words: str, now: int) -> NotIn:
        self._write(now, "", DeedKind.SESSION_REFUSE, name)
        return NotIn(words)

    def by_session(self, secret: str, now: int) -> Principal | None:
        """Whose session this is; a session that is used goes on."""
        found = self.store.session(digest_of(secret))
        if found is None:
            return None
        session, user = found
        if user.disabled or not session.lives(now):
            self.store.end_session(session.digest)
            return None
        if now - session.seen_at >= min(_TOUCH_AFTER, IDLE_FOR):
            session = replace(session, seen_at=now)
            self.store.session_seen(session.digest, now)
        return self._principal(session, user, now)

    def watching(self, secret: str, now: int) -> Principal | None:
        """Whose session this is, for a page that stands open: that is no click, so it neither ends a session nor makes it last."""
        found = self.store.session(digest_of(secret))
        if found is None or found[1].disabled or now >= found[0].made_at + LASTS_FOR:
            return None
        return self._principal(*found, now)

    def by_token(self, secret: str, now: int) -> Principal | None:
        """Whose token this is."""
        token = self.store.token(digest_of(secret))
        if token is None or not token.lives(now):
            return None
        if token.used_at is None or now - token.used_at >= _TOUCH_AFTER:
            self.store.token_used(token.digest, now)
        return Principal(f"token {token.name}", token.scopes, Way.API_TOKEN, session=token.id)

    def sign_out(self, secret: str, now: int) -> None:
        """End a session."""
        found = self.store.session(digest_of(secret))
        if found is not None:
            self._write(now, found[1].name, DeedKind.SESSION_END, found[1].name)
            self.store.end_session(found[0].digest)

    def unmask(self, secret: str, why: Why, now: int) -> bool:
        """Show personal data in this session for a quarter of an hour; written down before it is done.

        Gives: False for whoever may not
        """
        found = self.store.session(digest_of(secret))
        if found is None or not found[0].lives(now) or not self._principal(*found, now).may(Permission.UNMASK):
            return False
        self.trail.add([Deed(now, found[1].name, DeedKind.PERSON_UNMASK, "session", {"why": why.value, "minutes": 15})])
        self.store.show_until(found[0].digest, now + UNMASKED_FOR)
        return True

    def mask(self, secret: str, now: int) -> None:
        """Hide personal data again before the quarter of an hour is over."""
        found = self.store.session(digest_of(secret))
        if found is not None and found[0].unmasked_until > now:
            self.store.show_until(found[0].digest, now)

    def unmasked_by(self, who: Principal, why: Why, route: str, now: int) -> Principal:
        """The same program, to which personal data is shown in this one request; written down before it is done."""
        if who.way is not Way.API_TOKEN or not who.may(Permission.UNMASK):
            return who
        self.trail.add([Deed(now, who.name, DeedKind.PERSON_UNMASK, route, {"why": why.value})])
        return replace(who, unmasked=True)

    def _write(self, now: int, actor: str, kind: DeedKind, subject: str) -> None:
        self.trail.add([Deed(now, actor, kind, subject)])

    def _principal(self, session: Session, user: User, now: int) -> Principal:
        role = user.role
        if role is Role.ADMIN and user.issuer and self.admin_needs_second_factor and not session.strong:
            role = Role.OPERATOR
        held = ROLES[role]
        shown = Permission.UNMASK in held and now < session.unmasked_until
        return Principal(user.name, held, Way.SESSION, role, session.digest, shown)


def _places(own: str, coming: Coming) -> tuple[str, str]:
    """What is kept of an address and of a browser, for one account: from neither can they be found for another one."""
    return digest_of(f"{own} at {coming.peer}"), digest_of(f"{own} by {coming.device}")


def role_of(groups: Mapping[str, Role], held: frozenset[str]) -> Role | None:
    """The role that somebody's groups give: the one with most permissions, None when no group is known here."""
    found = {groups[one] for one in held if one in groups}
    order = (Role.ADMIN, Role.PRIVACY, Role.OPERATOR, Role.VIEWER)
    return next((role for role in order if role in found), None)
